"""A composite loss, split into one of its terms and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.report.figures import style
from postmortem.report.numbers import figure as number
from postmortem.report.numbers import interval, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from postmortem.incident import Incident
    from postmortem.run import Run

_RULE: Final = "kd/term-dominates"
_MOST: Final = 10  # bars that can be read, spread over the run


def draw(incident: Incident, run: Run) -> Figure | None:
    """The total as bars, with what the fitted weight attributes to the term and how sure that is."""
    finding = style.found(incident, _RULE)
    weight = style.value(finding, "weight") if finding else None
    if finding is None or weight is None:
        return None
    term, total = (str(finding.values.get(key)) for key in ("term", "total"))
    pairs, at = _pairs(run, total, term)
    if pairs.is_empty():
        return None
    low, high, bound = (style.value(finding, key) for key in ("weight_low", "weight_high", "bound"))
    totals, terms = pairs["total"].to_numpy(), pairs["term"].to_numpy()
    parts = weight * terms
    shares = parts / totals
    term, total = style.plain(term, 30), style.plain(total, 30)
    sheet, (plot,) = style.canvas(
        3.8, f"{term} makes up {_between(float(shares.min()), float(shares.max()))} of {total}"
    )
    places = np.arange(totals.size)
    plot.bar(places, totals, width=0.6, color=style.SHADE)
    plot.bar(places, parts, width=0.6, color=style.BLUE)
    words = f"{number(weight)} × {term}"
    if low is not None and high is not None:
        spread = np.stack([(weight - low) * terms, (high - weight) * terms])
        plot.errorbar(
            places, parts, yerr=spread, fmt="none", ecolor=style.INK, color=style.INK, capsize=5, linewidth=1.4
        )
        words += f"\nweight {interval(low, high)}"
    words += f"\nat most {number(bound)}" if bound is not None else ""
    for place, whole, part, share in zip(places, totals, parts, shares, strict=True):
        plot.annotate(
            number(float(whole)),
            (place, max(whole, part)),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
        )
        plot.annotate(percent(float(share)), (place, part / 2), ha="center", va="center", color="white")
    _beside(plot, places[-1], parts[-1] / 2, words, style.BLUE)
    _beside(plot, places[-1], (parts[-1] + totals[-1]) / 2, "everything else", style.GREY)
    plot.set_xlim(-0.6, places[-1] + 0.4 + 0.4 * max(2, totals.size))
    plot.set_ylim(0, 1.15 * max(totals.max(), parts.max()))
    style.ticks(plot.xaxis, places.tolist(), [number(place) for place in pairs["at"].to_list()])
    plot.set_xlabel(at, color=style.INK)
    plot.set_ylabel(f"{total}, as printed", color=style.INK)
    return sheet


def _pairs(run: Run, total: str, term: str) -> tuple[pl.DataFrame, str]:
    """Columns at, total and term where both were printed, and what `at` is: a step, or a line of the log."""
    for at in ("step", "line"):
        both = [
            run.metrics.filter(
                (pl.col("name") == name) | (pl.col("source_name") == name),
                pl.col("value").is_finite(),
                pl.col(at).is_not_null(),
            )
            .group_by(at)
            .agg(pl.col("value").first().alias(role))
            for name, role in ((total, "total"), (term, "term"))
        ]
        pairs = both[0].join(both[1], on=at).filter(pl.col("total") > 0).sort(at)
        if not pairs.is_empty():
            spread = np.unique(np.linspace(0, pairs.height - 1, _MOST).round().astype(int))
            return pairs[spread.tolist()].rename({at: "at"}), at if at == "step" else "line of the log"
    return pl.DataFrame(), ""


def _between(low: float, high: float) -> str:
    return percent(low) if percent(low) == percent(high) else f"{percent(low)} to {percent(high)}"


def _beside(plot: Axes, place: float, height: float, words: str, colour: str) -> None:
    plot.annotate(words, (place + 0.36, height), va="center", fontsize=10, color=colour)
