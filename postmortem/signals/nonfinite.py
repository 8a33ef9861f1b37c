"""Where each metric first stops being finite, for how long, and whether it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per metric and split of which a value is nan or inf. Placeholders are left out.

    So are running means, which one bad value spoils for good, unless they are all that tells of the loss.
    """
    metrics = frames["metrics"]
    touched = metrics.filter(~pl.col("value").is_finite()).select("name").unique()
    near = metrics.join(touched, on="name", how="semi", maintain_order="left")
    rows = []
    for (name, split), group in near.filter(pl.col("meaning") == "value").group_by(
        "name", "split", maintain_order=True
    ):
        if not group["value"].is_finite().all():
            rows.append((name, split, *_course(group)))
    told = {row[0] for row in rows}
    for (name,), group in _running(metrics, near).group_by("name", maintain_order=True):
        if name not in told:
            rows.append((name, "train", *_course(group)))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _course(group: pl.DataFrame) -> tuple[object, ...]:
    """The columns from `line` on, of rows of which at least one is not finite."""
    finite = group["value"].is_finite().to_list()
    bad = [index for index, good in enumerate(finite) if not good]
    first, last = bad[0], bad[-1]
    leading = next((i for i, good in enumerate(finite) if good), len(finite))
    bad_rows = group[bad]
    lines = list(dict.fromkeys(group["line"][index] for index in bad))
    return (
        lines[0],
        lines[:_SHOWN],
        group["step"][first],
        "nan" if group["value"][first] != group["value"][first] else "inf",
        len(bad),
        len(finite),
        leading,
        _steps(bad_rows),
        group["step"][last],
        _steps(bad_rows.head(leading)) if leading else 0,
        len(finite) - 1 - last,
        sum(finite[first:last]),
        group.filter(pl.col("value").is_finite())["value"].median(),
    )


def _running(metrics: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    """Running means of losses, from a step on at which they are not finite, where no loss is finite after it."""
    bars = near.filter(pl.col("meaning") == "running_mean", _LOSS, _TRAINING)
    lost = bars.filter(~pl.col("value").is_finite(), pl.col("step").fill_null(1) > 0).sort("line", "record")
    if lost.height < _FEWEST_RUNNING:
        return bars.clear()
    first = lost.select("line", "record").row(0)
    after = (pl.col("line") > first[0]) | ((pl.col("line") == first[0]) & (pl.col("record") >= first[1]))
    measured = pl.col("meaning").is_in(["value", "running_mean"])
    sound = metrics.filter(measured, _LOSS, _TRAINING, after, pl.col("value").is_finite())
    return bars.sort("line", "record") if sound.is_empty() else bars.clear()


_LOSS: Final = (pl.col("name") == "loss") | pl.col("name").str.ends_with("_loss")
_TRAINING: Final = pl.col("split").fill_null("train") == "train"


def _steps(rows: pl.DataFrame) -> int:
    """How many steps these rows tell of, each once; without any step, every row is one.

    A warning and the line after it may print the same step, one with its epoch and one without: the more telling
    kind counts.
    """
    known = rows.filter(pl.col("step").is_not_null())
    with_epoch, without = known.filter(pl.col("epoch").is_not_null()), known.filter(pl.col("epoch").is_null())
    return max(with_epoch.select("epoch", "step").n_unique(), without["step"].n_unique()) or rows.height
