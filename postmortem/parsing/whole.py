"""What no line tells of a metric by itself, and all lines of the log together do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postmortem.parsing.evaluated import evaluated
from postmortem.parsing.following import following
from postmortem.parsing.headed import headed
from postmortem.parsing.histories import numbered
from postmortem.parsing.labels import as_steps
from postmortem.parsing.passes import passes
from postmortem.parsing.sums import with_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl


def by_the_whole_log(metrics: pl.DataFrame, headings: Sequence[tuple[int, str]]) -> pl.DataFrame:
    """`metrics` with the split, the place and the meaning that the lines around them give, most of all their order.

    `headings` are the lines that name a split for those below them, with that split.
    """
    return with_sums(passes(evaluated(following(numbered(headed(as_steps(metrics), headings))))))
