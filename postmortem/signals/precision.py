"""How many significant bits the printed extremes of a tensor carry, and which dtype that fits.

A float with p significant bits that prints as a whole number has at most p bits between its first and last set
bit: bf16 8, fp16 11, fp32 24. A number of another dtype ends in k zero bits with probability 2**-k, so several
large round numbers leave no doubt. Only whole numbers count: decimals were rounded when they were printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.signals._curves import by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

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
#: A number printed without decimals or exponent.
_WHOLE: Final = "^[0-9]+$"


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per tensor name whose printed numbers fit one dtype beyond coincidence."""
    rows = []
    for name, printed in by(_whole_numbers(frames["tensors"]), "name"):
        numbers = _Wholes(printed["digits"])
        needed, length = numbers.significant_bits(), numbers.bit_length()
        bits, largest = int(needed.max()), numbers.largest()
        line = printed["line"].filter(needed == bits).max()
        dtype, width = next(
            ((d, w) for d, w in _DTYPES if bits <= w and not (d == "fp16" and largest > _FP16_MAX)), (None, 0)
        )
        spare = int(np.maximum(length - width, 0).sum())
        if dtype is not None and spare >= _ENOUGH_SPARE_BITS:
            lines = printed["line"].unique().sort().head(_SHOWN).to_list()
            rows.append((name, line, lines, printed.height, bits, spare, float(largest), dtype))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _whole_numbers(tensors: pl.DataFrame) -> pl.DataFrame:
    """Tensor name, line and digits of every extreme that is printed as a whole number."""
    digits = pl.col("text").str.replace_all(",", "", literal=True).str.strip_chars_start("+-").str.strip_suffix(".0")
    ends = (tensors.select("name", "line", text=column) for column in ("min_text", "max_text"))
    told = pl.concat(ends).select("name", "line", digits=digits)
    return told.filter(pl.col("name").is_not_null() & pl.col("digits").str.contains(_WHOLE))


class _Wholes:
    """Whole numbers of any size, from their digits: those of 64 bits all at once."""

    def __init__(self, digits: pl.Series) -> None:
        numbers = digits.cast(pl.UInt64, strict=False)
        self._small = numbers.fill_null(0).to_numpy()
        self._large = {place: int(digits[place]) for place in numbers.is_null().arg_true()}

    def significant_bits(self) -> NDArray[np.int64]:
        """Of each number, see `significant_bits`."""
        lowest = self._small & (~self._small + np.uint64(1))
        return self._put(_bit_length(self._small // np.maximum(lowest, 1)), significant_bits)

    def bit_length(self) -> NDArray[np.int64]:
        """Of each number, as `int.bit_length`."""
        return self._put(_bit_length(self._small), int.bit_length)

    def largest(self) -> int:
        """The largest of them."""
        return max(int(self._small.max()), *self._large.values(), 0)

    def _put(self, found: NDArray[np.int64], count: Callable[[int], int]) -> NDArray[np.int64]:
        for place, number in self._large.items():
            found[place] = count(number)
        return found


def _bit_length(numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
    # a float holds 53 bits: no half of the number is rounded to one more
    high, low = (numbers >> np.uint64(32)).astype(float), (numbers & np.uint64(2**32 - 1)).astype(float)
    bits: NDArray[np.int64] = np.where(high > 0, np.frexp(high)[1] + 32, np.frexp(low)[1]).astype(np.int64)
    return bits


def significant_bits(whole: int) -> int:
    """Bits from the first to the last set bit of a whole number: 96 = 3 * 2**5 has 2."""
    return (whole >> ((whole & -whole).bit_length() - 1)).bit_length() if whole else 0
