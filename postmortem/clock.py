"""Time stamps as logs print them, as seconds that can be subtracted."""

from __future__ import annotations

from typing import Final

import polars as pl

#: Day, time of day, fraction: what ISO 8601, Python's logging and torchrun's table have in common.
_STAMP: Final = r"(\d{4}[-/]\d{2}[-/]\d{2})[T _](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,6}))?"


def seconds(column: str) -> pl.Expr:
    """Seconds since 1970, of the log's own zone, of a column of time stamps; null where there is no date and time."""
    stamp = pl.col(column).str.extract_groups(_STAMP).struct
    second = pl.concat_str(stamp.field("1").str.replace_all("/", "-", literal=True), stamp.field("2"), separator=" ")
    whole = second.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ms", strict=False).dt.epoch("s")
    fraction = pl.concat_str(pl.lit("0."), stamp.field("3").fill_null("0")).cast(pl.Float64, strict=False)
    return whole + fraction
