"""Runs of gradient norms under a rule that leaves a batch out when its norm is above a threshold."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import torch

from postmortem.replay.mechanism import Mechanism
from postmortem.replay.values import amount, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.stream import Stream

#: Batches of a simulated run; a log of more is fitted as one of so many, which widens the fit a little.
FEWEST: Final = 32
MOST: Final = 256
#: Standard deviation of the norm's logarithm, where the log does not show it.
SPREAD: Final = (0.1, 1.0)
#: The factor by which the norm has changed at the end of a run that leaves no batch out.
DRIFT: Final = (1.5, 10.0)
#: So many times the usual norm is an explosion.
EXPLOSION: Final = 100.0
SHARE_MET: Final = 0.1
MEDIAN_MET: Final = 0.2  # of the logarithm
LEAST: Final = 1e-30
#: Upper quartiles of a normal and of a Student distribution of 3 degrees of freedom.
QUARTILES: Final = (0.6745, 0.7649)


@dataclass(frozen=True, slots=True)
class Runs:
    """S runs of t batches."""

    noise: Tensor  # (S, t), of the norm's logarithm, in units of its spread
    level: Tensor  # (S,), the logarithm of the norm at the beginning
    spread: Tensor  # (S,)
    drift: Tensor  # (S,), what each update adds to the logarithm
    threshold: Tensor  # (S,)


class NormSeries(Mechanism[Runs]):
    """Norms around a level, fitted to the logged ones with the uncertainty that their number leaves."""

    dtype = "float64"

    @abstractmethod
    def noise(self, shape: tuple[int, int], stream: Stream) -> Tensor:
        """Independent entries whose quartiles are those of a standard normal, in `shape`."""

    @abstractmethod
    def drift(self, shape: tuple[int, int], stream: Stream) -> Tensor:
        """What an update adds to the logarithm of the norm, in runs of shape (S, t): (S,)."""

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Runs:
        """Level and spread from their posterior given the logged median, spread and count; then the level is solved."""
        printed = number(facts, "printed", least=2) or FEWEST
        count = int(min(max(printed, 2), MOST))
        shape = (lab.draws, max(count, FEWEST))
        logged = number(facts, "spread")
        if logged is None:
            spread = stream.between(*SPREAD, (lab.draws,))
        else:
            # (n - 1) s^2 / sigma^2 is chi-squared, and a median of n normal values is pi / 2 n times as uncertain.
            squares = stream.normal((lab.draws, count - 1)).double().square().sum(-1)
            spread = logged * ((count - 1) / squares).sqrt()
        spread = spread.double()
        error = spread * math.sqrt(math.pi / 2 / count) * stream.normal((lab.draws,))
        usual = math.log(number(facts, "usual_norm", least=LEAST) or 1.0)
        runs = Runs(
            noise=self.noise(shape, stream).double(),
            level=usual + error,
            spread=spread,
            drift=self.drift(shape, stream).double(),
            threshold=torch.full_like(spread, number(facts, "skip_above") or 0.0),
        )
        for _ in range(2):
            median = self.observe(runs, {})["median"]
            runs = replace(runs, level=runs.level + (usual - median.log()) * (runs.drift != 0))
        return runs

    def observe(self, scenario: Runs, knobs: Mapping[str, Value]) -> Observed:
        """The share `skipped`, the `median` norm, and whether an explosion is `caught` (1, 0)."""
        threshold = scenario.threshold
        if "skip_above" in knobs:
            threshold = torch.full_like(threshold, amount("skip_above", knobs["skip_above"]))
        updates, norms = torch.zeros_like(scenario.level), []
        for noise in scenario.noise.unbind(-1):
            norms.append((scenario.level + scenario.drift * updates + scenario.spread * noise).exp())
            updates = updates + (norms[-1] <= threshold)
        series = torch.stack(norms, -1)
        return {
            "skipped": (series > threshold.unsqueeze(-1)).double().mean(-1),
            "median": series.median(-1).values,
            "caught": (EXPLOSION * scenario.level.exp() > threshold).double(),
        }

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where median and share are the logged ones, within 20 % and within a tenth."""
        usual, share = number(facts, "usual_norm", least=LEAST) or 1.0, number(facts, "share")
        shown = (observed["median"].log() - math.log(usual)).abs() <= MEDIAN_MET
        return shown if share is None else shown & ((observed["skipped"] - share).abs() <= SHARE_MET)


class Steady(NormSeries):
    """The same distribution in every batch, whatever is learned."""

    name = "steady_norms"
    title = "norms of one distribution"

    def __init__(self, *, heavy: bool) -> None:
        self.heavy = heavy
        self.family = "heavy-tailed" if heavy else "log-normal"

    def noise(self, shape: tuple[int, int], stream: Stream) -> Tensor:
        """Normal, or Student's with 3 degrees of freedom."""
        noise = stream.normal(shape)
        if not self.heavy:
            return noise
        squares = stream.normal((3, *shape)).square().mean(0)
        return noise / squares.sqrt() * (QUARTILES[0] / QUARTILES[1])

    def drift(self, shape: tuple[int, int], stream: Stream) -> Tensor:
        """None."""
        return torch.zeros(shape[0], device=stream.device)


class Drifting(NormSeries):
    """Norms that follow the updates that are made: what is left out does not move them."""

    name = "drifting_norms"
    title = "norms that change with every update"

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.family = "falling" if sign < 0 else "rising"

    def noise(self, shape: tuple[int, int], stream: Stream) -> Tensor:
        """Normal."""
        return stream.normal(shape)

    def drift(self, shape: tuple[int, int], stream: Stream) -> Tensor:
        """As much as makes up a factor of DRIFT over the run, if every batch is used."""
        low, high = (math.log(factor) for factor in DRIFT)
        return self.sign * (low + (high - low) * stream.uniform(shape[:1])) / shape[1]
