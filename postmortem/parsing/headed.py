"""What stands below a split's name is measured on that split: `***** Eval results *****`, and a value a line below it.

The heading holds as far as its lines follow each other, count no further and measure nothing again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.parsing import loggers
from postmortem.parsing.splits import OF_THE_RUN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.parsing.names import Names

#: A split with a sign that something follows, and nothing but a word for that beside it.
_HEADING: Final = re.compile(
    r"\s*(?P<stars>[*=#]{3,}\s*)?(?P<split>[A-Za-z]{2,12})(?: set)?"
    r"(?: (?:results?|metrics|scores?|performance))?(?: (?:at|after|for|of) epoch:? [0-9]{1,6})?"
    r"\s*(?(stars)[*=#]{3,}:?|:)\s*",
    re.IGNORECASE,
)
#: A line between may count, or be of a setting.
_NEAR: Final = 2
#: Lines that a heading may hold for, at most.
_LONGEST: Final = 100


def split_of_heading(text: str, names: Names) -> str | None:
    """The split that a record names for the lines below it, where it does nothing else."""
    found = _HEADING.fullmatch(loggers.blanked(text))
    return names.splits.get(found["split"].lower()) if found else None


def headed(metrics: pl.DataFrame, headings: Sequence[tuple[int, str]]) -> pl.DataFrame:
    """`metrics`, those of no split below one of the `headings`, its line and its split, with that split."""
    if not headings:
        return metrics
    own = metrics.filter(pl.col("dialect").is_null(), pl.col("split").is_null(), ~pl.col("name").is_in(OF_THE_RUN))
    said = pl.DataFrame(headings, schema={"line": pl.Int64(), "said": pl.String()}, orient="row")
    said = said.unique("line").sort("line")
    rows = own.select("line", "record", "source_name", "step", "epoch")
    rows = rows.sort("line", maintain_order=True).join_asof(said.select("line", head="line"), on="line")
    rows = rows.filter(pl.col("line") - pl.col("head") <= _LONGEST).drop("head")
    rows = pl.concat([said, rows], how="diagonal").sort("line", "record", nulls_last=False, maintain_order=True)
    begins = pl.col("said").is_not_null() | (pl.col("line") - pl.col("line").shift(1) > _NEAR)
    rows = rows.with_columns(block=begins.fill_null(value=True).cum_sum())
    rows = rows.with_columns(said=pl.col("said").first().over("block")).filter(
        pl.col("said").is_not_null(), pl.col("source_name").is_not_null()
    )
    goes_on = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).first()) for name in ("step", "epoch"))
    first = pl.col("source_name").is_first_distinct()
    rows = rows.filter((goes_on & first).cast(pl.Int8).cum_min().over("block").cast(pl.Boolean()))
    rows = rows.select("line", "record", "source_name", "said")
    told = metrics.join(rows, on=["line", "record", "source_name"], how="left", maintain_order="left")
    return told.with_columns(split=pl.coalesce("split", "said")).drop("said")
