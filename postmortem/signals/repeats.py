"""How long a metric stays the same to the last printed digit, and how many digits that are.

The printed text decides: 7.96e-06 is not 0, and 0.369 is not 0.36901.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.signals._curves import KEY, as_before, curves

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
#: The last two are what a line gives of a split without a word of what it measures: `Val: 0.5, Test: 0.25`.
_NAMES: Final = (
    "accuracy", "param_norm", "perplexity", "wer", "label_error_rate", "cer", "lr", "val", "test",
)  # fmt: skip
#: Values, from all of the curve, that are enough to see with how many digits a metric is printed.
_ENOUGH: Final = 5_000


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per curve of a loss, a parameter norm or a measure of the task that prints a value twice in a row."""
    rows = []
    for curve in curves(frames, _NAMES, losses=True):
        table = curve.rows
        if not as_before(table["value"]).any():
            continue  # what is printed alike is alike
        begins = np.append(0, (table["text"].ne_missing(table["text"].shift(1)))[1:].arg_true().to_numpy() + 1)
        lengths = np.diff(begins, append=table.height)
        longest = int(lengths.argmax())
        first, equal = int(begins[longest]), int(lengths[longest])
        if equal < 2:  # noqa: PLR2004 - one value repeats nothing
            continue
        last = first + equal - 1
        texts = table["text"].gather(begins[:: -(-len(begins) // _ENOUGH)]).drop_nulls().unique()
        rows.append((
            *curve.key,
            table["line"][first],
            [table["line"][first], table["line"][last]],
            table["step"][first],
            table["step"][last],
            table["text"][first],
            table["value"][first],
            equal,
            table.height,
            max((significant_digits(text) for text in texts), default=0),
            longest == len(begins) - 1,
        ))  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def significant_digits(text: str) -> int:
    """Digits of a printed number without leading zeros, sign, point and exponent: 0.0369 has 3."""
    return len(re.sub(r"\D", "", _EXPONENT.sub("", text)).lstrip("0"))
