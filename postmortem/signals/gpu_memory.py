"""The figures of an allocation that a GPU had no room for, in bytes: whose memory it was that was missing.

PyTorch prints the card's size, what is free, what this process holds, and of that what its allocator has handed out
and what it keeps in reserve. What is left of the card belongs to other processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "line": pl.Int64(),
    "rank": pl.Int64(),
    "gpu": pl.Int64(),
    "tried": pl.Float64(),  # bytes, here and below
    "total": pl.Float64(),  # of the card
    "free": pl.Float64(),
    "own": pl.Float64(),  # all that this process holds, PyTorch's or not
    "allocated": pl.Float64(),  # handed out by PyTorch's allocator
    "unallocated": pl.Float64(),  # kept by it in reserve
    "others": pl.Float64(),  # total - free - own; below 0 where the figures contradict each other
    "rounding": pl.Float64(),  # what the printed digits leave open of `others`
}
_AMOUNTS: Final = ("tried", "total", "free", "own", "allocated", "unallocated", "reserved")
_UNITS: Final = {"bytes": 1, "B": 1} | {
    f"{letter}{infix}B": 1024**power for power, letter in enumerate("KMGT", start=1) for infix in ("i", "")
}
#: Two decimals of a GiB are printed for each of the three.
_ROUNDING: Final = 3 * 0.005 * 1024**3


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per allocation that failed, in order. What the line does not say is null."""
    failed = frames["events"].filter(pl.col("kind") == "cuda_out_of_memory").sort("line", "record")
    fields = pl.col("fields")
    amounts = {
        name: fields.str.json_path_match(f"$.{name}").cast(pl.Float64, strict=False)
        * fields.str.json_path_match(f"$.{name}_unit").replace_strict(_UNITS, default=None, return_dtype=pl.Float64)
        for name in _AMOUNTS
    }
    return (
        failed.with_columns(gpu=fields.str.json_path_match("$.gpu").cast(pl.Int64, strict=False), **amounts)
        .with_columns(
            unallocated=pl.coalesce("unallocated", pl.col("reserved") - pl.col("allocated")),
            others=pl.col("total") - pl.col("free") - pl.col("own"),
            rounding=pl.lit(_ROUNDING),
        )
        .select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
    )
