"""Where the metrics of two runs part, beyond what one batch differs from the next.

Runs with the same seed and data print the same digits up to the change's first effect: where leading values, three
different ones or more, agree to the last digit, the first that does not is where they part. Elsewhere the difference of
the two curves is held against its own batch noise, the robust standard deviation of its second differences (`signals`):
the runs part where five successive differences first have one sign and a median beyond four standard errors of such a
median. A difference that is the same everywhere has no noise. Values that span decades differ by factors.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import polars as pl

from postmortem import knobs
from postmortem.compare.comparison import Parting
from postmortem.report.numbers import figure
from postmortem.signals._curves import noise
from postmortem.student import two_sided

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from postmortem.run import Run

#: So many leading values that agree to the last digit are no accident.
_SAME: Final = 3
#: Successive differences that make a parting.
_WINDOW: Final = 5
_ERRORS: Final = 4.0
#: Standard error of the median of five normal values, in their standard deviations.
_MEDIAN_ERROR: Final = 0.536
_FEWEST: Final = 8
#: Values that span more than this factor are compared by their logarithms, as figures draw them on a log axis.
_DECADES: Final = 30


def partings(before: Run, after: Run, changed: Iterable[str]) -> list[Parting]:
    """All metrics that both runs print, those of the training first. `changed` are the settings that differ."""
    first, second = _values(before), _values(after)
    names = (
        first.select("name", "split")
        .unique()
        .join(second.select("name", "split").unique(), ["name", "split"], nulls_equal=True)
    )
    clock = knobs.load().clock
    order = sorted(names.rows(), key=lambda row: (row[0] in clock, row[0] != "loss", row[0], row[1] or ""))
    return [_parting(name, split, first, second, list(changed)) for name, split in order]


def aligned(before: Run, after: Run, metric: str, split: str | None) -> tuple[Literal["step", "order"], pl.DataFrame]:
    """One metric of both runs: how it is aligned, and rows of epoch, step, value, line, and `*_right` of the other."""
    return _aligned(metric, split, _values(before), _values(after))


def _values(run: Run) -> pl.DataFrame:
    """The values of the run as a whole, of its first rank, in the order of the log; of a running mean its values."""
    rank = pl.col("rank").fill_null(0)
    rows = run.metrics.filter(
        pl.col("scope").is_null(), pl.col("value").is_not_null(), pl.col("meaning").is_in(["value", "running_mean"])
    ).with_columns(split=pl.col("split").replace("train", None))
    plain = (pl.col("meaning") == "value").any().over("name", "split")
    rows = rows.filter((pl.col("meaning") == "value") | ~plain, rank == rank.min().over("name", "split"))
    # a batch of an epoch is no place of its own without the epoch
    epoch = pl.when(pl.col("step_unit") == "batch_of_epoch").then(pl.col("epoch"))
    return rows.sort("file", "line", "record").select("name", "split", "step", "value", "text", "line", epoch=epoch)


def _aligned(
    metric: str, split: str | None, first: pl.DataFrame, second: pl.DataFrame
) -> tuple[Literal["step", "order"], pl.DataFrame]:
    one, other = (
        frame.filter(pl.col("name") == metric, pl.col("split").eq_missing(pl.lit(split))).drop("name", "split")
        for frame in (first, second)
    )
    if one["step"].null_count() or other["step"].null_count():
        # without steps the first value stands beside the first
        nth = pl.int_range(pl.len()).alias("nth")
        return "order", one.with_columns(nth).join(other.with_columns(nth), on="nth", maintain_order="left").drop("nth")
    # what is done twice after a restart counts as it was done last
    keys = ["epoch", "step"]
    one, other = (frame.unique(keys, keep="last", maintain_order=True) for frame in (one, other))
    return "step", one.join(other, on=keys, nulls_equal=True, maintain_order="left").sort(keys)


def _parting(metric: str, split: str | None, first: pl.DataFrame, second: pl.DataFrame, changed: list[str]) -> Parting:
    by, rows = _aligned(metric, split, first, second)
    rescaled = [key for key in changed if metric in knobs.load().rescales.get(key, ())]
    told = Parting(
        metric=metric,
        split=split,
        aligned_by=by,
        shared=rows.height,
        identical=0,
        parts=None,
        because="no step is printed by both",
        not_alike=f"{', '.join(rescaled)} differs, which puts {metric} on another scale" if rescaled else "",
    )
    if rows.is_empty():
        return told
    a, b = rows["value"].to_numpy(), rows["value_right"].to_numpy()
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    identical = rows.height if same.all() else int(same.argmin())
    finite = np.isfinite(a) & np.isfinite(b)
    spread = _spread((b - a)[finite]) if finite.any() else {}
    found = _found(a, b, identical, "steps" if by == "step" else "values, taken in order")
    where = {} if found.place is None else _where(rows.row(found.place, named=True), by)
    said = {"identical": identical, "parts": found.parts, "because": found.because}
    return told.model_copy(update={**said, **spread, **where})


class _Found(NamedTuple):
    """Whether two rows of values part, where, and how that is known."""

    parts: bool | None
    place: int | None
    because: str


@np.errstate(all="ignore")  # differences of what a log may print overflow
def _found(a: NDArray[np.float64], b: NDArray[np.float64], identical: int, unit: str) -> _Found:
    if identical == len(a):
        return _Found(
            parts=False,
            place=None,
            because=f"they agree to the last printed digit at all {figure(len(a))} shared {unit}",
        )
    if len(np.unique(a[:identical])) >= _SAME:
        because = (
            f"the first {figure(identical)} shared {unit} agree to the last printed digit, as with the same seed and "
            "batches; the next does not"
        )
        return _Found(parts=True, place=identical, because=because)
    finite = np.isfinite(a) & np.isfinite(b)
    lost = np.isfinite(a) != np.isfinite(b)
    if lost.any():
        return _Found(parts=True, place=int(lost.argmax()), because="one of the two is not finite there")
    if _spans_decades(a[finite], b[finite]):
        return _beyond_noise(np.log(b[finite] / a[finite]), np.flatnonzero(finite), unit, " of the logarithm")
    return _beyond_noise((b - a)[finite], np.flatnonzero(finite), unit, "")


def _spans_decades(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether factors tell more of these values than differences: all above zero, and far apart."""
    both = np.concatenate([a, b])
    return bool(both.min() > 0 and both.max() > _DECADES * both.min())


def _beyond_noise(difference: NDArray[np.float64], places: NDArray[np.intp], unit: str, of: str) -> _Found:
    count = figure(len(difference))
    if len(difference) >= _SAME and np.ptp(difference) == 0:
        because = f"the difference{of} is {figure(float(difference[0]))} at all {count} shared {unit}"
        return _Found(parts=True, place=int(places[0]), because=because)
    if len(difference) < _FEWEST:
        because = f"{count} shared {unit} are too few to tell a change from batch noise"
        return _Found(parts=None, place=None, because=because)
    spread = noise(difference)
    windows = np.lib.stride_tricks.sliding_window_view(difference, _WINDOW)
    medians = np.median(windows, axis=1)
    one_sided = (windows > 0).all(axis=1) | (windows < 0).all(axis=1)
    found = one_sided & (np.abs(medians) > _ERRORS * _MEDIAN_ERROR * spread)
    if not found.any():
        because = (
            f"at none of the {count} shared {unit} do five successive differences{of} leave the batch noise of one, "
            f"{figure(spread)}"
        )
        return _Found(parts=False, place=None, because=because)
    first = int(found.argmax())
    because = (
        f"from there five successive differences{of} have one sign and a median of {figure(float(medians[first]))}, "
        f"where the batch noise of one is {figure(spread)}"
    )
    return _Found(parts=True, place=int(places[first]), because=because)


@np.errstate(all="ignore")
def _spread(difference: NDArray[np.float64]) -> dict[str, float]:
    """Batch noise and mean of the difference, with its interval where there are two values or more."""
    found = {"difference": float(difference.mean())}
    if len(difference) > 1:
        half = two_sided(len(difference) - 1) * float(difference.std(ddof=1)) / sqrt(len(difference))
        found |= {"difference_low": found["difference"] - half, "difference_high": found["difference"] + half}
    if np.isfinite(spread := noise(difference)):
        found["noise"] = spread
    return found


def _where(row: dict[str, float | int | None], by: str) -> dict[str, float | int | None]:
    return {
        "step": row["step"] if by == "step" else None,
        "epoch": row["epoch"] if by == "step" else None,
        "before": row["value"],
        "after": row["value_right"],
        "before_line": row["line"],
        "after_line": row["line_right"],
    }
