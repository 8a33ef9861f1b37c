"""How long a metric stays the same to the last printed digit, and how many digits that are.

The printed text decides: 7.96e-06 is not 0, and 0.369 is not 0.36901.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.signals._curves import KEY, curves

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    **KEY,
    "line": pl.Int64(),  # of the first value of the longest run of equal ones
    "lines": pl.List(pl.Int64()),  # of its first and last
    "step": pl.Int64(),  # of its first
    "last_step": pl.Int64(),  # of its last
    "text": pl.String(),  # as printed
    "value": pl.Float64(),
    "equal": pl.Int64(),  # values in that run
    "printed": pl.Int64(),
    "digits": pl.Int64(),  # significant digits that are printed, at most over the curve
    "at_end": pl.Boolean(),  # the run of equal values reaches the end
}
_EXPONENT: Final = re.compile(r"[eE].*$")
_NAMES: Final = ("accuracy", "param_norm", "perplexity", "wer", "label_error_rate", "cer", "lr")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per curve of a loss, a parameter norm or a measure of the task that prints a value twice in a row."""
    rows = []
    for curve in curves(frames, _NAMES, losses=True):
        runs = curve.rows.with_columns(run=pl.col("text").rle_id()).group_by("run", maintain_order=True).agg(
            pl.col("line"), pl.col("step"), pl.col("text").first(), pl.col("value").first(), pl.len().alias("equal")
        )  # fmt: skip
        if runs.is_empty():
            continue
        longest = runs.row(int(runs["equal"].arg_max() or 0), named=True)
        if longest["equal"] < 2:  # noqa: PLR2004 - one value repeats nothing
            continue
        printed_digits = max(significant_digits(text) for text in runs["text"].drop_nulls().unique().head(1000))
        lines = [longest["line"][0], longest["line"][-1]]
        ends = longest["run"] == runs["run"][-1]
        rows.append((
            *curve.key,
            lines[0],
            lines,
            longest["step"][0],
            longest["step"][-1],
            longest["text"],
            longest["value"],
            longest["equal"],
            curve.rows.height,
            printed_digits,
            ends,
        ))  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def significant_digits(text: str) -> int:
    """Digits of a printed number without leading zeros, sign, point and exponent: 0.0369 has 3."""
    return len(re.sub(r"\D", "", _EXPONENT.sub("", text)).lstrip("0"))
