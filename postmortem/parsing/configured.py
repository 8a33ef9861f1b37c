"""A counter's word among the lines of a configuration states how much there is, and counts nothing.

`epoch = 20` alone is a heading as often as not. Between `dropout = 0.2` and `seed = 7` it is the number of epochs, and
no line behind it is of epoch 20.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from postmortem.parsing.names import Names

#: Settings that everybody knows, in a block of lines, and of these before the counter: with fewer it may be a heading.
_FEWEST_KNOWN: Final = 3
_FEWEST_BEFORE: Final = 2
#: Lines between two settings with a counter between them.
_NEAR: Final = 2
#: Of a first step or epoch it may be said that it begins.
_FIRST: Final = 1
#: What is stated, by the column that the counter filled and its unit.
_KEYS: Final = {"epoch": "epochs", "batch_of_epoch": "batch_size", "unknown": "total_steps"}


def configured(settings: pl.DataFrame, metrics: pl.DataFrame, names: Names) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both with what a counter in a block of settings stated as a setting, and without the place that it gave them."""
    found = _stated(settings, names)
    stated = []
    measured = set(metrics.filter(pl.col("line").is_in([line for line, _, _ in found]))["line"]) if found else set()
    for line, column, value in found:
        if line in measured:
            continue
        above = settings.filter(pl.col("line") == line - 1).tail(1)
        unit = settings.filter(pl.col("line") == line + 1)["step_unit"][0] if column == "step" else column
        key = _KEYS.get(unit, _KEYS["unknown"])
        row = above.with_columns(
            line=pl.lit(line, above.schema["line"]),
            key=pl.lit(key),
            source_name=pl.lit("batch" if key == "batch_size" else column),
            value=pl.lit(f"{value:g}"),
            number=pl.lit(float(value)),
        )
        stated.append(row)
        settings, metrics = (_displaced(frame, line, column, value) for frame in (settings, metrics))
    return pl.concat([settings, *stated]).sort("line", "record", maintain_order=True) if stated else settings, metrics


def _stated(settings: pl.DataFrame, names: Names) -> list[tuple[int, str, float]]:
    """The lines that state a counter, with its column and value: between two of settings, whose place changes there.

    Their block of lines names each thing once, and enough that everybody knows, before the counter too.
    """
    rows = settings.filter(pl.col("dialect").is_null()).unique("line", keep="first", maintain_order=True)
    known = [name for name in rows["source_name"].unique() if names.setting(name) is not None]
    gap, block = pl.col("line") - pl.col("line").shift(1), pl.col("block")
    rows = rows.select(
        "line", "step", "epoch", "source_name", gap=gap, block=(gap > _NEAR).fill_null(value=True).cum_sum()
    )
    rows = rows.with_columns(known=pl.col("source_name").is_in(known)).filter(
        (pl.col("source_name").n_unique() == pl.len()).over(block),
        (pl.col("known").sum() >= _FEWEST_KNOWN).over(block),
    )
    begun = rows.with_columns(before=(pl.col("known").cum_sum() - pl.col("known")).over(block))
    found: list[tuple[int, str, float]] = []
    for column in ("step", "epoch"):
        changed = pl.col(column).ne_missing(pl.col(column).shift(1)) & (pl.col(column) > _FIRST)
        at = begun.filter(changed, pl.col("gap") == _NEAR, pl.col("before") >= _FEWEST_BEFORE)
        found += [(line - 1, column, value) for line, value in at.select("line", column).iter_rows()]
    return sorted(found)


def _displaced(frame: pl.DataFrame, line: int, column: str, value: float) -> pl.DataFrame:
    """`frame` without this place in the rows behind `line` whose name is never of another: it says none of its own."""
    behind = pl.col("line") > line
    held = frame.filter(behind, pl.col(column) == value)["source_name"].unique()
    if held.is_empty():  # to look at the names of millions of rows takes long
        return frame
    others = frame.filter(behind, pl.col(column).ne_missing(value), pl.col("source_name").is_in(held.implode()))
    ours = behind & pl.col("source_name").is_in(
        held.filter(~held.is_in(others["source_name"].unique().implode())).implode()
    )
    taken = [column, "step_unit"] if column == "step" else [column]
    return frame.with_columns([pl.when(ours).then(None).otherwise(pl.col(name)).alias(name) for name in taken])
