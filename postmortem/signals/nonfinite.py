"""Where each metric first stops being finite, for how long, and whether it comes back."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.metrics import by_name
from postmortem.objectives import is_loss
from postmortem.signals._curves import by, keep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.metrics import ByName

COLUMNS: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "split": pl.String(),
    "line": pl.Int64(),  # of the first value that is nan or inf
    "lines": pl.List(pl.Int64()),  # of the first 20
    "step": pl.Int64(),
    "kind": pl.String(),  # nan | inf
    "bad": pl.Int64(),  # values that are nan or inf
    "printed": pl.Int64(),  # values in all
    "from_start": pl.Int64(),  # of the bad ones, those before any finite value
    "bad_steps": pl.Int64(),  # the bad ones, each step once where steps are printed: a lower bound
    "last_step": pl.Int64(),  # of the last bad one
    "from_start_steps": pl.Int64(),  # the same, each step once where steps are printed: a lower bound
    "finite_after": pl.Int64(),  # finite values after the last bad one
    "finite_between": pl.Int64(),  # finite values between the first bad one and the last
    "usual": pl.Float64(),  # median of the finite values
}
_SHOWN: Final = 20
#: A bar's running mean that is nan so often, and nothing else, is no bar that has just begun.
_FEWEST_RUNNING: Final = 3
_COLUMNS: Final = ("line", "record", "step", "epoch", "value", "split", "meaning")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per metric and split of which a value is nan or inf. Placeholders are left out.

    So are running means, which one bad value spoils for good, unless they are all that tells of the loss.
    """
    held = by_name(frames["metrics"])
    touched = [name for name in held if not held.of([name], ["value"])["value"].is_finite().all()]
    rows = []
    for name in touched:
        values = keep(held.of([name], _COLUMNS), pl.col("meaning") == "value")
        for split, group in by(values, "split"):
            if not group["value"].is_finite().all():
                rows.append((name, split, *_course(group)))
    told = {(name, split or "train") for name, split, *_ in rows}
    for name, split in product(filter(is_loss, touched), ("train", "eval")):
        if (name, split) not in told and len(group := _running(held, name, split)):
            rows.append((name, split, *_course(group)))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _course(group: pl.DataFrame) -> tuple[object, ...]:
    """The columns from `line` on, of rows of which at least one is not finite."""
    finite = group["value"].is_finite().to_numpy()
    bad = np.flatnonzero(~finite)
    first, last, bad_rows = int(bad[0]), int(bad[-1]), group[bad]
    leading = int(finite.argmax()) if finite.any() else len(finite)
    lines = bad_rows["line"].unique(maintain_order=True).head(_SHOWN).to_list()
    return (
        lines[0],
        lines,
        group["step"][first],
        "nan" if np.isnan(group["value"][first]) else "inf",
        len(bad),
        len(finite),
        leading,
        _steps(bad_rows),
        group["step"][last],
        _steps(bad_rows.head(leading)) if leading else 0,
        len(finite) - 1 - last,
        int(finite[first:last].sum()),
        group["value"].filter(finite).median(),
    )


def _running(held: ByName, name: str, split: str) -> pl.DataFrame:
    """The running mean of a loss, from a step on at which it is not finite, where no loss is finite after it."""
    of_split = pl.col("split").fill_null("train") == split
    bars = held.of([name], _COLUMNS).filter(pl.col("meaning") == "running_mean", of_split).sort("line", "record")
    lost = bars.filter(~pl.col("value").is_finite(), pl.col("step").fill_null(1) > 0)
    if lost.height < _FEWEST_RUNNING:
        return bars.clear()
    line, record = lost.select("line", "record").row(0)
    after = (pl.col("line") > line) | ((pl.col("line") == line) & (pl.col("record") >= record))
    measured = pl.col("meaning").is_in(["value", "running_mean"])
    losses = held.of([other for other in held if is_loss(other)], _COLUMNS)
    sound = losses.filter(measured, of_split, after, pl.col("value").is_finite())
    return bars if sound.is_empty() else bars.clear()


def _steps(rows: pl.DataFrame) -> int:
    """How many steps these rows tell of, each once; without any step, every row is one.

    A warning and the line after it may print the same step, one with its epoch and one without: the more telling
    kind counts.
    """
    known = rows.filter(pl.col("step").is_not_null())
    with_epoch, without = known.filter(pl.col("epoch").is_not_null()), known.filter(pl.col("epoch").is_null())
    return max(with_epoch.select("epoch", "step").n_unique(), without["step"].n_unique()) or rows.height
