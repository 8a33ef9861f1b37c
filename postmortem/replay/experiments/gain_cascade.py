"""Which operation could have multiplied a gradient to the norm that is logged, and what limits it?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.amplifiers import (
    AttentionSoftmax,
    Collapsed,
    CollapsedLayerNorm,
    CollapsedRms,
    ResidualAddition,
)
from postmortem.replay.mechanisms.gains import Gain
from postmortem.replay.protocol import Beside, Prediction, Prior, Rows
from postmortem.replay.values import number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.mechanisms.gains import Amplifier
    from postmortem.replay.protocol import Answer, Fact, Fix, Lab, Replay

#: So many times the usual norm is no explosion any more.
ORDINARY: Final = 10


class GainCascade(Experiment):
    """Holds the gain that an exploded gradient norm asks for against the bound of each suspected operation."""

    name = "gain-cascade"
    question = "Which operation could give the gain that the gradient norm asks for, and which fix limits it?"
    cannot_show = (
        "That an operation did it: a bound that allows a gain says only that it is not excluded. Each operation "
        "is taken alone and with an input of its own, which favours it; what several do together, what the "
        "matrices between them multiply, and a loss that is itself huge are not in it."
    )
    priors = (
        Prior(name="usual_norm", text="1 to 100, log-uniform", because="gradient norms before clipping"),
        Prior(
            name="stages",
            text="1 to 6; beyond 24 operations in a row 24 are simulated, under the bound of the true number",
            because="cascades of whole networks are no deeper",
        ),
        Prior(name="norms a stage", text="1 to 4", because="one for the input, two in a block, one behind it"),
        Prior(name="eps", text="1e-12 to 1e-5, log-uniform", because="from BERT's to torch's default"),
        Prior(name="eps_place", text="inside and outside the root", because="torch's, and hand-written ones"),
        Prior(name="weight of a norm", text="1", because="the initial one"),
        Prior(name="rms_eps", text="1e-8", because="the usual guard where eps is added to a norm"),
        Prior(name="target_rms", text="0.1 to 10, log-uniform", because="activations around unit RMS"),
        Prior(name="residual_weight", text="1", because="an unscaled residual"),
        Prior(name="logit scale", text="0.01 to 1e5, log-uniform", because="from uniform to one-hot"),
        Prior(
            name="f of a residual stage",
            text="linear, of norm 0 to 1 (solved), between a shift of the entries and the identity",
            because="what f itself amplifies is not the addition's doing",
        ),
        Prior(
            name="collapse",
            text="the std or RMS of the inputs is solved so that the norm is the logged one",
            because="the log does not print it",
        ),
    )
    claims = (
        Claim(
            id="ordinary-again",
            text=f"the gradient norm stays below {ORDINARY} times the usual",
            knobs=frozenset({"eps", "rms_eps", "residual_weight", "scale_clamp", "logit_clip", "max_norm"}),
            quantity="norm",
            label="gradient norm",
            holds=lambda _before, after, _facts, _fix: after["norm"] < ORDINARY * after["usual"],
        ),
    )

    def missing(self, facts: Mapping[str, Fact]) -> str:
        """The norm that is to be shown."""
        return "" if Gain.of(facts).total else "the log gives no finite gradient norm above 0"

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Amplifier]:
        """All; a norm's eps where the log puts it, if it does."""
        norms = [CollapsedLayerNorm("inside"), CollapsedLayerNorm("outside")]
        placed = [norm for norm in norms if norm.place == facts.get("eps_place")]
        return (*(placed or norms), AttentionSoftmax(), CollapsedRms(), ResidualAddition())

    def run(self, rule: str, facts: Mapping[str, Fact], fixes: Sequence[Fix], lab: Lab) -> Answer:
        """As every experiment; of clipping it says why the norm that is printed stays."""
        answer = super().run(rule, facts, fixes, lab)
        note = "clipping returns the norm from before it clips"
        replays = (
            replay.model_copy(update={"because": f"{replay.because}; {note}"})
            if replay.fix.knob == "max_norm"
            else replay
            for replay in answer.replays
        )
        return replace(answer, replays=tuple(replays))

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """What a cure shows, and what each mechanism that is not excluded must show in that batch."""
        gain = Gain.of(facts)
        if not gain.total:
            return ()
        usual = gain.usual[1]
        cured = Prediction(
            id=f"{self.name}-ordinary",
            metric="grad_norm",
            where="every update",
            low=None,
            high=ORDINARY * usual,
            assumptions=[f"the usual norm is at most {shown(usual)}", "norms are those before clipping"],
            statement=f"if the cause is gone, grad_norm stays below {shown(ORDINARY * usual)}",
            basis="law",
            rows=Rows(),
            was=number(facts, "total_norm"),
        )
        return [cured, *(_collapse(mechanism, facts) for mechanism in self._left(facts, replays))]

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:
        """The backward pass first: that is where the logged norms come from."""
        if not Gain.of(facts).total:
            return ()
        return [
            (
                "for that batch the gradient norm layer by layer and loss term by loss term, from the loss backwards: "
                "the norms that are printed are of the backward pass, and a check of the forward pass can stay silent"
            ),
            *(f"the least {mechanism.collapsed[1]}, in that batch" for mechanism in self._left(facts, replays)),
        ]

    def _left(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> list[Collapsed]:
        """One mechanism of each name that needs a collapsed input and that no bound excludes."""
        left = {replay.mechanism for replay in replays if replay.verdict != "not_reproduced"}
        named = {m.name: m for m in self.mechanisms(facts) if isinstance(m, Collapsed)}
        return [mechanism for name, mechanism in named.items() if name in left]


def _collapse(mechanism: Collapsed, facts: Mapping[str, Fact]) -> Prediction:
    metric, words = mechanism.collapsed
    high = mechanism.collapse(facts)
    return Prediction(
        id=f"{GainCascade.name}-{metric.replace('_', '-')}",
        metric=metric,
        where="the batch whose norm explodes",
        low=None,
        high=high,
        assumptions=[f"at most {mechanism.counts(facts)[1]} in a row, and nothing else amplifies"],
        statement=f"if {mechanism.title} did it, the least {words} is {high:.2g} or less",
        basis="law",
        rows=Rows(must="any", beside=Beside(metric="grad_norm", above=ORDINARY * Gain.of(facts).usual[1])),
    )


EXPERIMENT = GainCascade()
