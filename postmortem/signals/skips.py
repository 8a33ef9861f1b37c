"""How many updates were tried, how many of them skipped, and how many of those late in the run.

Two ways to count are read: a count since the last line (Megatron), whose lines add up, and a count since the start
(DeepSpeed), which only grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.signals._curves import KEY, curves, keep

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    **KEY,
    "line": pl.Int64(),  # of the last count
    "lines": pl.List(pl.Int64()),  # first and last
    "printed": pl.Int64(),  # lines that count
    "tried": pl.Int64(),  # steps that the lines cover
    "skipped": pl.Int64(),
    "share": pl.Float64(),
    "late_tried": pl.Int64(),  # of the second half of the lines
    "late_skipped": pl.Int64(),
    "late_share": pl.Float64(),
}
_FEWEST: Final = 2


@np.errstate(all="ignore")  # differences of what a log may print overflow
def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per count of skipped steps that is printed at two or more known, growing steps."""
    rows = []
    for whole in curves(frames, ("skipped_steps",)):
        curve = whole.finite()
        table = keep(curve.rows, pl.col("step").is_not_null())
        if not (table["step"].diff() > 0).all():
            table = table.unique("step", keep="first", maintain_order=True)
        step, count = table["step"].to_numpy().astype(float), table["value"].to_numpy()
        if len(step) < _FEWEST or (np.diff(step) <= 0).any() or (count < 0).any():
            continue
        covered = np.diff(step)
        # the first line covers as many steps as the second, or all before it if those are fewer
        covered = np.concatenate([[min(step[0], covered[0])], covered])
        total = (np.diff(count) >= 0).all() and (count > covered).any()
        skipped = np.concatenate([[count[0]], np.diff(count)]) if total else count
        if total:
            covered[0] = step[0]
        if (skipped > covered).any() or covered.sum() <= 0:
            continue
        half = len(step) // 2
        lines = [table["line"][0], table["line"][-1]]
        late = int(covered[half:].sum()), int(skipped[half:].sum())
        tried, lost = int(covered.sum()), int(skipped.sum())
        rows.append((*curve.key, lines[1], lines, len(step), tried, lost, lost / tried, *late, late[1] / late[0]))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")
