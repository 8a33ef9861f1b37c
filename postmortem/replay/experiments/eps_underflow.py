"""Is an eps 0 in the dtype in which it is added, so that a normaliser or Adam divides by 0?

Facts: `eps`, `dtype` in which the operation is held (None: fp16), `of`, whose eps it is: `layer norm`, `RMS norm` or
`optimizer` (None: any).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.underflow import AdamIdle, Division, NormalisedFlat
from postmortem.replay.protocol import Prediction, Prior, Rows
from postmortem.replay.values import FLOAT32_MAX, dtype_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.mechanism import Mechanism
    from postmortem.replay.protocol import Fact, Fix, Replay

#: A step or an output is beyond its bound from here on: rounding in 16 bits overshoots by less.
ABOVE: Final = 1.05
_KNOBS: Final = frozenset({"eps", "optimizer_eps", "dtype"})


class EpsUnderflow(Experiment):
    """Does eps still guard the division, and is a larger one enough?"""

    name = "eps-underflow"
    question = "Is eps 0 in the dtype that adds it, and what keeps the division finite?"
    cannot_show = (
        "Which dtype the run's normalisers and its optimizer hold: under autocast, and with master weights, it is "
        "float32, where these eps are what they say. Nor whether a vector without spread, or a parameter without a "
        "gradient, occurred; nor an operand that was not finite already, which no eps cures."
    )
    priors = (
        Prior(
            name="eps",
            text="1e-12 to 1e-5, log-uniform, where the log gives none",
            because="from BERT's to torch's default",
        ),
        Prior(
            name="spread",
            text="1e-7 to 0.1, log-uniform, around a level of 0 or of 0.01 to 10; none in a quarter of the vectors",
            because="padding, dead units and constant features have none; fp16 squares to 0 below 2.4e-4",
        ),
        Prior(
            name="gradients",
            text="1e-7 to 0.1, log-uniform, over 4 steps from fresh moments; none for up to a quarter of them",
            because="rows of an embedding that no batch holds have none; (1 - beta2) g^2 is 0 in fp16 below 5.5e-3",
        ),
        Prior(
            name="held in",
            text="the dtype of the log (fp16 where it gives none), or float32",
            because="autocast computes norms in float32 and master weights keep moments there; a model cast to half "
            "has neither",
        ),
    )
    claims = (
        Claim(
            id="finite",
            text="every result of the division is finite",
            knobs=_KNOBS,
            quantity="lost",
            label="share of results that are not finite",
            holds=lambda _before, after, _facts, _fix: after["lost"] == 0,
        ),
        Claim(
            id="within-bound",
            text="no result is beyond what the operation gives where nothing underflows",
            knobs=_KNOBS,
            quantity="excess",
            label="largest result over the most possible",
            holds=lambda _before, after, _facts, _fix: after["excess"] <= ABOVE,
        ),
    )

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Division]:
        """The operation whose eps it is, or both, in the dtype of the log and in float32."""
        known = dtype_of(facts) or torch.float16
        found: list[Division] = []
        for held in dict.fromkeys((known, torch.float32)):
            by_kind: dict[str, list[Division]] = {
                "layer norm": [NormalisedFlat(held, "inside"), NormalisedFlat(held, "outside")],
                "RMS norm": [NormalisedFlat(held, None)],
                "optimizer": [AdamIdle(held)],
            }
            found += by_kind.get(str(facts.get("of")), [one for kind in by_kind.values() for one in kind])
        return found

    def asked(self, mechanism: Mechanism[Any], facts: Mapping[str, Fact], fixes: Sequence[Fix]) -> Sequence[Fix]:  # noqa: ARG002
        """A normaliser is asked of its own eps, Adam of the optimizer's, both of the dtype."""
        own = mechanism.knob if isinstance(mechanism, Division) else ""
        return [fix for fix in fixes if fix.knob in {own, "dtype"}]

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:  # noqa: ARG002
        """A finite loss, if this division was all that was wrong."""
        if not any(replay.verdict == "confirmed" for replay in replays):
            return ()
        return (
            Prediction(
                id=f"{self.name}/finite-loss",
                metric="loss",
                where="every update",
                low=-FLOAT32_MAX,
                high=FLOAT32_MAX,
                assumptions=[
                    "a division by an eps of 0 made what was not finite",
                    "no operand was infinite or nan before it",
                ],
                statement="The loss stays finite once eps is above 0 in the dtype that adds it",
                basis="replay",
                rows=Rows(),
            ),
        )

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """The dtype first: it decides."""
        normaliser = (
            "the dtype in which the normaliser adds eps, and the smallest variance before it does",
            "the number of vectors without spread in that batch: padding, dead units, constant features",
        )
        optimizer = (
            "the dtype of each entry of optimizer.state, and eps in that dtype",
            "the share of second moments that are exactly 0 beside a first moment that is not",
        )
        kinds = {"layer norm": normaliser, "RMS norm": normaliser, "optimizer": optimizer}
        return kinds.get(str(facts.get("of")), (*normaliser, *optimizer))


EXPERIMENT = EpsUnderflow()
