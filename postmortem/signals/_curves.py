"""Metrics as curves: the values of one quantity in the order of the log, and what is robustly said of such a row.

A curve ends where the counter of steps starts again (another job, a restart): values on both sides are not one course.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem import objectives
from postmortem.metrics import by_name
from postmortem.objectives import is_loss

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from numpy.typing import NDArray

    from postmortem.metrics import ByName

#: MAD of a normal distribution times this is its standard deviation.
MAD_TO_STD: Final = 1.4826
#: A counter below this share of its last value has started again; less is a repeated or a late line.
_RESTART: Final = 0.5
#: Counters that restart at ends this close to each other count batches of an epoch.
_SAME_LENGTH: Final = 1.05
_FEWEST_EPOCHS: Final = 2
#: A counter that goes back so often, on so many lines, is several counters that are printed in turn.
_MOST_PARTS: Final = 64
_MIXED: Final = 0.1
#: As many values are one.
_A_COURSE: Final = 10
#: More points do not narrow a robust slope, and pairs grow with the square.
_MOST_POINTS: Final = 200
#: Standard normal, 97.5 %.
_Z: Final = 1.959964
#: Fewer values have no spread to speak of.
_FEWEST_FOR_NOISE: Final = 3

#: What is watched besides losses.
NAMES: Final = frozenset(
    {
        "accuracy", "bce", "cer", "entropy", "grad_norm", "kl", "kld", "label_error_rate", "loss_ema", "loss_scale",
        "lr", "nll_bits", "param_norm", "perplexity", "rec", "recon", "reconstruction", "reward", "score",
        "skipped_steps", "smoothed_loss", "wer",
    }
)  # fmt: skip
#: More records than a line holds.
_RECORDS: Final = 2**20
_COLUMNS: Final = (
    "line", "record", "rank", "step", "step_unit", "epoch", "value", "text", "meaning", "source_name", "split",
    "scope",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Curve:
    """The values of one metric over one uninterrupted count of steps."""

    metric: str
    split: str  # train where the log names none
    source_name: str | None
    part: int  # from 0: the counter has started again so often
    rows: pl.DataFrame  # line, step, epoch, value, text
    last: bool  # no later part of the same metric
    objective: bool  # a loss that the run as a whole minimises

    @property
    def key(self) -> tuple[str, str, str | None, int, bool, bool]:
        """What names the curve in every signal: the first columns, as in `KEY`."""
        return self.metric, self.split, self.source_name, self.part, self.last, self.objective

    @property
    def values(self) -> NDArray[np.float64]:
        """All values, also those that are not finite."""
        return self.rows["value"].to_numpy()

    def finite(self) -> Curve:
        """The same curve without the values that are not finite."""
        return replace(self, rows=where(self.rows, np.isfinite(self.values)))


#: The first columns of every signal of curves: what names the curve.
KEY: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "split": pl.String(),  # train where the log names none
    "source_name": pl.String(),
    "part": pl.Int64(),  # how often the counter has started again before
    "last_part": pl.Boolean(),  # it does not start again after
    "objective": pl.Boolean(),  # a loss that the run as a whole minimises: no part of one, no game, no reward
}


def curves(frames: Mapping[str, pl.DataFrame], wanted: Container[str] = (), *, losses: bool = False) -> Iterator[Curve]:
    """The curves of the metrics named `wanted`, and of all losses if asked: of the run as a whole, of one rank.

    They are made once per run, for all signals. A metric that is printed as value and as running mean is its values.
    """
    metrics = frames["metrics"]
    if id(metrics) not in _made:
        weakref.finalize(metrics, _made.pop, id(metrics), None)
        _made[id(metrics)] = {}
    made, held = _made[id(metrics)], by_name(metrics)
    for name in held:
        if name in wanted or (losses and is_loss(name)):
            if name not in made:
                made[name] = list(_of(name, held))
            yield from made[name]


#: The curves by name of each run that is still in use, by the id of its metrics.
_made: Final[dict[int, dict[str, list[Curve]]]] = {}


def _of(name: str, held: ByName) -> Iterator[Curve]:
    objective = name in objectives.of(held)
    told = pl.col("meaning").is_in(["value", "running_mean"]) & pl.col("scope").is_null()
    rows = keep(held.of([name], _COLUMNS), told)
    # frames promise no order, and mostly have it; sorting what is sorted takes most of the time
    place = rows["line"] * _RECORDS + rows["record"].fill_null(0)
    if not place.is_sorted():
        rows = rows.sort("line", "record", maintain_order=True)
    for split, both in by(rows.with_columns(pl.col("split").fill_null("train")), "split"):
        plain = keep(both, pl.col("meaning") == "value")
        for source, group in by(both if plain.is_empty() else plain, "source_name"):
            pieces = _pieces(group)
            for part, piece in enumerate(pieces):
                last = part == len(pieces) - 1
                yield Curve(name, str(split), source, part, piece, last=last, objective=objective)


def keep(rows: pl.DataFrame, condition: pl.Expr) -> pl.DataFrame:
    """The rows that meet a condition. Mostly all do, and then none is copied."""
    return where(rows, rows.select(condition.fill_null(value=False).alias("met"))["met"].to_numpy())


def where(rows: pl.DataFrame, met: NDArray[np.bool_]) -> pl.DataFrame:
    """The rows marked as true. Where all are, none is copied."""
    return rows if met.all() else rows.filter(met)


def by(rows: pl.DataFrame, column: str) -> list[tuple[str | None, pl.DataFrame]]:
    """The rows by the values of a column, in their order. Grouping by text is slow where there is but one value."""
    if rows[column].n_unique() == 1:
        return [(rows[column][0], rows)]
    return [(part[column][0], part) for part in rows.partition_by(column, maintain_order=True)]


def _pieces(group: pl.DataFrame) -> list[pl.DataFrame]:
    """The values of one rank, without a progress bar's repetitions, cut where the counter starts again."""
    rank = group["rank"].min()
    rows = group if rank is None else keep(group, pl.col("rank").is_null() | (pl.col("rank") == rank))
    again = np.logical_and.reduce([as_before(rows[name]) for name in ("step", "epoch", "value")])
    rows = where(rows, ~again | rows["step"].is_null().to_numpy())
    bounds = [0, *_restarts(rows), rows.height]
    # one value behind a course is what it was at its best, as boosters say at their end
    if bounds[-2] == rows.height - 1 >= _A_COURSE and rows["epoch"][-1] is None:
        rows, bounds = rows[:-1], bounds[:-1]
    rows = rows.select("line", "step", "epoch", "value", "text")
    return [rows[begin:end] for begin, end in pairwise(bounds)]


def as_before(column: pl.Series) -> NDArray[np.bool_]:
    """Whether each value is that of the row before it, missing ones alike; the first is not."""
    values = column.to_numpy()
    same = values[1:] == values[:-1]
    if values.dtype.kind == "f":
        same |= np.isnan(values[1:]) & np.isnan(values[:-1])
    return np.append(False, same)[: len(values)]


def _restarts(rows: pl.DataFrame) -> list[int]:
    """Where the counter starts again, and not because an epoch does; of very many such places the last ones."""
    if rows["step"].drop_nulls().n_unique() <= 1:  # epochs are all that counts
        epochs = rows["epoch"].forward_fill().to_numpy().astype(np.float64)
        # from the second epoch to the first as well
        back = (epochs[1:] < epochs[:-1]) & (epochs[1:] <= epochs[:-1] * _RESTART)
        again: list[int] = (np.flatnonzero(back) + 1).tolist()
        return again if len(again) <= _MOST_PARTS else []
    step = rows["step"].forward_fill().to_numpy()
    # before the first counter there is nan, which is less than nothing
    fallen = np.flatnonzero(step[1:] < step[:-1] * _RESTART) + 1
    if not len(fallen):
        return []
    epoch, unit = rows["epoch"].to_numpy(), rows["step_unit"].gather(fallen)
    next_epoch = epoch[fallen] > epoch[fallen - 1]
    of_epoch = (unit == "batch_of_epoch").fill_null(value=False).to_numpy()
    at = fallen[~next_epoch & ~of_epoch]
    ends = step[at - 1]
    if len(ends) >= _FEWEST_EPOCHS and ends.max() <= _SAME_LENGTH * ends.min():
        return []
    if len(ends) > _MOST_PARTS and len(ends) > _MIXED * rows.height:
        return []
    found: list[int] = at.tolist()
    return found[-_MOST_PARTS:]


def noise(values: NDArray[np.float64]) -> float:
    """The spread from value to value as a standard deviation: of second differences, which no straight course enters.

    Robust against single wild values. A second difference of independent values has six times their variance.
    """
    if len(values) < _FEWEST_FOR_NOISE:
        return float("nan")
    return float(MAD_TO_STD * np.median(np.abs(np.diff(values, 2))) / np.sqrt(6))


def thin(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most 200 points: place (0 to 1) and median of runs of equal length, the last one shorter."""
    run = -(-len(values) // _MOST_POINTS)
    full = len(values) // run * run
    y = np.median(values[:full].reshape(-1, run), axis=1)
    if full < len(values):
        y = np.append(y, np.median(values[full:]))
    return np.linspace(0.0, 1.0, len(y)), y


@np.errstate(all="ignore")  # differences of what a log may print overflow
def theil_sen(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float, float]:
    """Median slope of all pairs, and its 95 % interval after Sen (1968), for independent points."""
    n = len(y)
    i, j = _pairs(n)
    slopes = np.sort((y[j] - y[i]) / (x[j] - x[i]))
    half = _Z * np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(0, int(np.floor((len(slopes) - half) / 2)))
    high = min(len(slopes) - 1, int(np.ceil((len(slopes) + half) / 2)))
    middle = (slopes[(len(slopes) - 1) // 2] + slopes[len(slopes) // 2]) / 2
    return float(middle), float(slopes[low]), float(slopes[high])


@lru_cache(maxsize=2 * _MOST_POINTS)
def _pairs(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of n points, as the numbers of their first and their second."""
    return np.triu_indices(n, 1)
