"""How many significant bits the printed extremes of a tensor carry, and which dtype that fits.

A float with p significant bits that prints as a whole number has at most p bits between its first and last set
bit: bf16 8, fp16 11, fp32 24. A number of another dtype ends in k zero bits with probability 2**-k, so several
large round numbers leave no doubt. Only whole numbers count: decimals were rounded when they were printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "name": pl.String(),
    "line": pl.Int64(),  # of the number that needs most bits
    "lines": pl.List(pl.Int64()),  # the first thousand
    "numbers": pl.Int64(),  # whole numbers that were judged
    "bits": pl.Int64(),  # the most significant bits that one of them needs
    "spare_bits": pl.Int64(),  # zero bits beyond the dtype's, over all numbers: chance 2**-spare_bits
    "largest": pl.Float64(),
    "dtype": pl.String(),  # bf16 | fp16 | fp32 | fp64
}
_DTYPES: Final = (("bf16", 8), ("fp16", 11), ("fp32", 24), ("fp64", 53))
_FP16_MAX: Final = 65504
#: A coincidence of one in a million is taken for none.
_ENOUGH_SPARE_BITS: Final = 20
_SHOWN: Final = 1_000


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per tensor name whose printed numbers fit one dtype beyond coincidence."""
    rows = []
    tensors = frames["tensors"].filter(pl.col("name").is_not_null())
    for (name,), group in tensors.group_by("name", maintain_order=True):
        told = pl.concat(group.select("line", text=name) for name in ("min_text", "max_text"))
        texts = told.group_by("text").agg(pl.col("line").max(), pl.len())
        printed = [
            (whole, line, count) for text, line, count in texts.iter_rows() if (whole := _whole(text)) is not None
        ]
        if not printed:
            continue
        bits, line = max((significant_bits(whole), line) for whole, line, _ in printed)
        largest = max(whole for whole, _, _ in printed)
        dtype, width = next(
            ((d, w) for d, w in _DTYPES if bits <= w and not (d == "fp16" and largest > _FP16_MAX)), (None, 0)
        )
        spare = sum(count * max(0, whole.bit_length() - width) for whole, _, count in printed)
        if dtype is not None and spare >= _ENOUGH_SPARE_BITS:
            wholes = told.filter(pl.col("text").is_in([text for text in texts["text"] if _whole(text) is not None]))
            lines = wholes["line"].unique().sort().head(_SHOWN).to_list()
            numbers = sum(count for _, _, count in printed)
            rows.append((name, line, lines, numbers, bits, spare, float(largest), dtype))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def significant_bits(whole: int) -> int:
    """Bits from the first to the last set bit of a whole number: 96 = 3 * 2**5 has 2."""
    return (whole >> ((whole & -whole).bit_length() - 1)).bit_length() if whole else 0


def _whole(text: str | None) -> int | None:
    """The magnitude of a number printed without decimals or exponent; None for any other."""
    digits = (text or "").replace(",", "").lstrip("+-").removesuffix(".0")
    return int(digits) if digits.isdecimal() and digits.isascii() else None
