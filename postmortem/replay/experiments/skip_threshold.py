"""How many batches does a rule leave out that skips on the gradient norm, and how many at another threshold?

Facts: `skip_above`, the threshold; `usual_norm`, the median of the finite norms; `spread`, the standard deviation of
their logarithm; `printed`, their number; `share` of them above the threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.norm_series import DRIFT, EXPLOSION, LEAST, SPREAD, Drifting, NormSeries, Steady
from postmortem.replay.protocol import Prediction, Prior
from postmortem.replay.values import number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.protocol import Fact, Replay

#: A rule that leaves out more than this takes part in what is learned.
RARE: Final = 0.05


class SkipThreshold(Experiment):
    """A threshold against the distribution of what it is held against."""

    name = "skip-threshold"
    question = "Which share of the batches does a rule that skips on the gradient norm leave out, at this threshold?"
    cannot_show = (
        "Whether the batches that are left out are worth learning from, and whether the norm is right as it is: a norm "
        "that carries a loss scale, or is a sum over micro batches, asks for another cure than a threshold. Norms "
        "that depend on each other from batch to batch are not in it, nor those that are not finite."
    )
    priors = (
        Prior(
            name="level and spread",
            text="their posterior given the logged median, spread and number of norms; the spread of the logarithm "
            f"{SPREAD[0]:g} to {SPREAD[1]:g}, log-uniform, where the log does not show it",
            because="few norms leave both uncertain, and the verdict has to know",
        ),
        Prior(
            name="shape",
            text="log-normal, or Student's with 3 degrees of freedom and the same quartiles",
            because="norms multiply over layers; and many runs show more outliers than that",
        ),
        Prior(
            name="drift",
            text=f"none, or a factor of {DRIFT[0]:g} to {DRIFT[1]:g} down or up over a run that uses every batch",
            because="a rule that leaves batches out also keeps what they would have changed",
        ),
    )
    claims = (
        Claim(
            id="rarely-skips",
            text=f"at most {RARE:.0%} of the batches are left out",
            knobs=frozenset({"skip_above"}),
            quantity="skipped",
            label="share of batches left out",
            holds=lambda _before, after, _facts, _fix: after["skipped"] <= RARE,
        ),
        Claim.that(
            "caught",
            id="still-guards",
            text=f"a norm of {EXPLOSION:g} times the usual one is still left out",
            knobs=frozenset({"skip_above"}),
            label="explosion left out (1 yes, 0 no)",
            keeps=True,
        ),
    )

    def missing(self, facts: Mapping[str, Fact]) -> str:
        """The norms and the threshold."""
        wanted = {"usual_norm": "no finite usual gradient norm above 0", "skip_above": "no threshold"}
        lacks = [text for key, text in wanted.items() if number(facts, key, least=LEAST) is None]
        return f"the log gives {' and '.join(lacks)}" if lacks else ""

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[NormSeries]:  # noqa: ARG002 - all compete
        """Norms that stay, of either shape, and norms that follow the updates, either way."""
        return (Steady(heavy=False), Steady(heavy=True), Drifting(-1), Drifting(1))

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """The share that each new threshold leaves out, over all mechanisms."""
        by_new: dict[float, list[Replay]] = {}
        for replay in replays:
            if replay.claim == self.claims[0].text and replay.effect and isinstance(replay.fix.new, float):
                by_new.setdefault(replay.fix.new, []).append(replay)
        found = []
        for new, group in by_new.items():
            effects = [replay.effect for replay in group if replay.effect]
            low, high = min(effect.low for effect in effects), max(effect.high for effect in effects)
            found.append(
                Prediction(
                    id=f"{self.name}/skipped@{new:g}",
                    metric="skipped_share",
                    where="all batches with a finite norm",
                    low=low,
                    high=high,
                    assumptions=["the norms go on as they were, or change by the updates as replayed"],
                    statement=f"At a threshold of {shown(new)}, {low:.1%} to {high:.1%} of the batches are left out",
                    basis="replay",
                    fix=group[0].fix,
                    was=number(facts, "share"),
                )
            )
        return found

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """The whole distribution, and what the norm is one of."""
        return (
            "the norm of every batch, left out or not: its median and its 99 % quantile, every few hundred batches",
            "how many batches are used, beside how many are left out",
            "what the norm is taken of: after unscale_, and divided by the micro batches, or not",
        )


EXPERIMENT = SkipThreshold()
