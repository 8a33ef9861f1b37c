"""What makes the output of a normaliser larger than any normalisation is, and would a larger eps cure it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.normalisers import (
    TOLERANCE,
    HonestSmallStd,
    LostInBfloat16,
    LostInFloat16,
    LostInFloat32,
    LostVariance,
    OtherDivisor,
    Setup,
)
from postmortem.replay.protocol import Prediction, Prior, Rows
from postmortem.replay.values import DTYPES, number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.mechanism import Mechanism
    from postmortem.replay.protocol import Fact, Replay


class Normaliser(Experiment):
    """Judges eps, and the dtype of the statistics, for a normaliser's output beyond its bound."""

    name = "normaliser"
    question = "What makes a normalised tensor exceed its bound, and does the fix bring it back?"
    cannot_show = (
        "Which of the remaining mechanisms is at work: the log does not print the divisor. How likely the "
        "inputs are that a mechanism needs. What else but the normaliser could make the values, such as its "
        "weights, unless they are printed."
    )
    priors = (
        Prior(
            name="width",
            text="32 to 4096, powers of two; a known one beyond 4096 is simulated at 4096, with its own bound",
            because="from one head to the residual stream of a large model",
        ),
        Prior(
            name="eps",
            text="1e-8 to 1e-5, log-uniform",
            because="the defaults of libraries and papers",
        ),
        Prior(
            name="eps_place",
            text="inside the root or outside, equally often",
            because="torch has it inside, much code outside",
        ),
        Prior(
            name="weight, bias, residual",
            text="|w| <= 1, b = 0, |residual| <= 1; where a variance is lost the weight is some 0.5 to 1",
            because="a normaliser's initial weights, and an L2-normalised reference that is added back",
        ),
        Prior(
            name="mean / std",
            text="2^(p/2 - 1) to 2^(p + 1) at p significant bits, log-uniform, per vector",
            because="below, squares keep the variance; above, the vector is constant in that dtype",
        ),
        Prior(
            name="another divisor",
            text="normal entries of size 0.01 to 100, log-uniform",
            because="the activations of a network, of either sign",
        ),
        Prior(
            name="dtype",
            text="bfloat16 and float16",
            because="what networks are trained in where it is not float32",
        ),
    )
    claims = (
        Claim(
            id="within-bound",
            text="output stays within the bound",
            knobs=frozenset({"eps", "dtype"}),
            quantity="largest",
            label="largest |output|",
            holds=lambda _before, after, _facts, _fix: after["largest"] <= (1 + TOLERANCE) * after["bound"],
        ),
    )

    def missing(self, facts: Mapping[str, Fact]) -> str:
        """The value that is to be shown."""
        return "" if Setup.of(facts).value else "the log gives no finite value of the normalised tensor"

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Mechanism[Any]]:
        """A variance is lost in the dtype of the log, if known."""
        lost = {
            torch.bfloat16: (LostInBfloat16(),),
            torch.float16: (LostInFloat16(),),
            torch.float32: (LostInFloat32(),),
        }.get(DTYPES.get(str(facts.get("dtype")), torch.float64), (LostInBfloat16(), LostInFloat16()))
        return (HonestSmallStd(), *lost, OtherDivisor("another tensor"), OtherDivisor("its own input"))

    def predict(
        self,
        facts: Mapping[str, Fact],
        replays: Sequence[Replay],  # noqa: ARG002 - the bound is a law
    ) -> Sequence[Prediction]:
        """The bound of a sound normaliser, with what it assumes where the log gives no value."""
        setup = Setup.of(facts)
        metric, where = (
            f"{named:g}" if isinstance(named, float) else str(named)
            for named in (
                facts.get("name") or "output",
                facts.get("places") or facts.get("scope") or "every layer that has it",
            )
        )
        limits = {"width": f"width <= {setup.widest}", **setup.limits()}
        return [
            Prediction(
                id=f"{self.name}-bound",
                metric=metric,
                where=where,
                low=-setup.bound(),
                high=setup.bound(),
                assumptions=[
                    text if number(facts, key) is None else f"{text}, as the log has it" for key, text in limits.items()
                ],
                statement=f"|{metric}| <= {setup.bound():.3g} in {where}: |w| sqrt(n - 1) + |b| + |residual|",
                basis="law",
                rows=Rows(frame="tensors"),  # the bound is one for every layer
                was=setup.value,
            )
        ]

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:
        """The divisor first: it tells a std from anything else."""
        setup = Setup.of(facts)
        asked = ["shape, min and max of the divisor: one value per vector, none below 0"]
        if number(facts, "weight") is None and setup.value > setup.bound():
            weight = shown(setup.weight_needed(setup.widest))
            asked.append(f"the largest |weight| of the normaliser: from {weight} on it explains the value alone")
        if any(r.mechanism == LostVariance.name and r.verdict != "not_reproduced" for r in replays):
            asked.append("mean and std of its input, in float32: the mean as a multiple of the std")
        return asked


EXPERIMENT = Normaliser()
