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
#: Of a first step or epoch it may be said that it begins.
_FIRST: Final = 1
#: What is stated, by the column that the counter filled and its unit.
_KEYS: Final = {"epoch": "epochs", "batch_of_epoch": "batch_size", "unknown": "total_steps"}


def configured(settings: pl.DataFrame, metrics: pl.DataFrame, names: Names) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both with what a counter in a block of settings stated as a setting, and without the place that it gave them."""
    for line, column, value in _stated(settings, set(metrics["line"]), names):
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
        settings, metrics = (_displaced(frame, line, column, value) for frame in (settings, metrics))
        settings = pl.concat([settings, row]).sort("line", "record", maintain_order=True)
    return settings, metrics


def _stated(settings: pl.DataFrame, measured: set[int], names: Names) -> list[tuple[int, str, float]]:
    """The lines that state a counter: between two of settings, whose place changes there."""
    lines = settings.filter(pl.col("dialect").is_null()).unique("line", keep="first", maintain_order=True)
    found: list[tuple[int, str, float]] = []
    block: list[dict[str, object]] = []
    inside: list[tuple[int, str, float]] = []
    for row in [*lines.select("line", "step", "epoch", "source_name").iter_rows(named=True), None]:
        last = block[-1] if block else None
        gap = 0 if row is None or last is None else row["line"] - int(str(last["line"]))
        if last is not None and not 0 < gap <= len(("counter", "setting")):
            found += inside if _is_configuration(block, inside, names) else []
            block, inside, last = [], [], None
        if row is None:
            break
        if last is not None and gap > 1 and row["line"] - 1 not in measured:
            inside += [
                (row["line"] - 1, column, row[column])
                for column in ("step", "epoch")
                if row[column] != last[column] and (row[column] or 0) > _FIRST
            ]
        block.append(row)
    return found


def _is_configuration(block: list[dict[str, object]], inside: list[tuple[int, str, float]], names: Names) -> bool:
    """Whether a block names each thing once, and enough that everybody knows, before its first counter too."""
    named = [str(row["source_name"]) for row in block]
    if not inside or len(set(named)) < len(named):
        return False
    known = [int(str(row["line"])) for row in block if names.setting(str(row["source_name"])) is not None]
    return len(known) >= _FEWEST_KNOWN and sum(line < inside[0][0] for line in known) >= _FEWEST_BEFORE


def _displaced(frame: pl.DataFrame, line: int, column: str, value: float) -> pl.DataFrame:
    """`frame` without this place in the rows behind `line` whose name is never of another: it says none of its own."""
    behind = pl.col("line") > line
    named = frame.filter(behind).group_by("source_name").agg(held=pl.col(column).eq_missing(value).all())
    ours = behind & pl.col("source_name").is_in(named.filter("held")["source_name"].implode())
    taken = [column, "step_unit"] if column == "step" else [column]
    return frame.with_columns([pl.when(ours).then(None).otherwise(pl.col(name)).alias(name) for name in taken])
