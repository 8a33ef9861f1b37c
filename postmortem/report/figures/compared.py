"""Runs beside each other: their metrics over the same steps, where they part, and how far tensors reach."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.compare.parting import aligned
from postmortem.report.figures import style
from postmortem.report.numbers import figure as number
from postmortem.report.phrases import names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from postmortem.compare.comparison import Comparison, Pair, Parting, Reach
    from postmortem.compare.runs import Compared
    from postmortem.run import Run

_PANELS: Final = 3
_SCOPES: Final = 24
_FEWEST: Final = 2  # values that make a curve
_DOTS: Final = 60  # values that can be told apart as dots


def draw(compared: Compared) -> dict[str, Figure]:
    """For each pair of runs the metrics that part, and each tensor that both print."""
    drawn: dict[str, Figure | None] = {}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for pair in compared.comparison.pairs:
            runs = (compared.runs[pair.before], compared.runs[pair.after])
            drawn[f"metrics-{pair.after}"] = _metrics(compared.comparison, pair, runs)
            for place, reach in enumerate(pair.reaches):
                drawn[f"reach-{pair.after}-{place}"] = _reach(compared.comparison, pair, reach)
    return {name: sheet for name, sheet in drawn.items() if sheet is not None}


def _metrics(comparison: Comparison, pair: Pair, runs: tuple[Run, Run]) -> Figure | None:
    shown = [each for each in pair.partings if each.shared >= _FEWEST and each.aligned_by == "step"]
    shown.sort(key=lambda each: not each.parts)
    shown = shown[:_PANELS]
    if not shown:
        return None
    title = "; ".join(f"{each.metric} {_parts(each)}" for each in shown)
    sheet, plots = style.canvas(1.3 + 2.0 * len(shown), title[0].upper() + title[1:], len(shown))
    for each, plot in zip(shown, plots, strict=True):
        _, rows = aligned(*runs, each.metric, each.split)
        _curves(plot, each, rows)
    plots[-1].set_xlabel("step, in the order of the run", color=style.INK)
    _key(plots[0], comparison, pair)
    return sheet


def _parts(parting: Parting) -> str:
    if parting.parts is None:
        return "cannot be told apart"
    if not parting.parts:
        return "does not part"
    return f"parts at step {number(parting.step)}" + (
        f" of epoch {number(parting.epoch)}" if parting.epoch is not None else ""
    )


def _curves(plot: Axes, parting: Parting, rows: pl.DataFrame) -> None:
    # epochs follow each other where steps begin anew in each
    x = rows["step"].to_numpy() if rows["epoch"].null_count() else np.arange(rows.height)
    values = []
    for column, colour, line in (("value", style.GREY, "--"), ("value_right", style.BLUE, "-")):
        y = rows[column].to_numpy()
        values += y[np.isfinite(y)].tolist()
        marker = "o" if rows.height <= _DOTS else ""
        plot.plot(
            x,
            np.where(np.isfinite(y), y, np.nan),
            color=colour,
            linestyle=line,
            linewidth=1.4,
            marker=marker,
            markersize=3,
        )
    if style.spans_decades(values):
        style.log_axis(plot, "y")
    plot.set_ylabel(style.plain(parting.metric, 30), color=style.INK)
    if parting.parts and parting.step is not None:
        hit = (rows["step"] == parting.step) & rows["epoch"].eq_missing(pl.Series([parting.epoch], dtype=pl.Float64))
        place = hit.arg_max()
        if place is not None:
            plot.axvline(float(x[place]), color=style.RED, linewidth=1, linestyle=":")


def _key(plot: Axes, comparison: Comparison, pair: Pair) -> None:
    before, after = (style.plain(names(comparison.sides[place]), 40) for place in (pair.before, pair.after))
    for x, text, colour, side in ((0.0, f"- - {before}", style.GREY, "left"), (1.0, f"— {after}", style.BLUE, "right")):
        plot.annotate(
            text, (x, 1.0), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", color=colour,
            fontsize=9, ha=side,
        )  # fmt: skip


def _reach(comparison: Comparison, pair: Pair, reach: Reach) -> Figure:
    scopes = reach.scopes[:_SCOPES]
    times = number(float(f"{reach.factor:.3g}"))
    says = {True: f"falls by {times} times", False: "need not have moved", None: "has one layer alone"}[reach.moved]
    if reach.moved and reach.factor < 1:
        says = f"rises by {number(float(f'{1 / reach.factor:.3g}'))} times"
    sheet, (plot,) = style.canvas(1.6 + 0.36 * len(scopes), f"{style.plain(reach.tensor, 30)} {says}")
    places = list(range(len(scopes)))[::-1]
    if style.spans_decades([value for scope in scopes for value in (scope.before, scope.after)]):
        style.log_axis(plot, "x")
    for place, scope in zip(places, scopes, strict=True):
        plot.plot([scope.before, scope.after], [place, place], color=style.BLUE, linewidth=3, alpha=0.35)
        plot.plot([scope.before], [place], "o", color="white", markeredgecolor=style.GREY, markersize=10)
        plot.plot([scope.after], [place], "o", color=style.BLUE, markersize=8)
    style.ticks(plot.yaxis, places[::-1], [style.plain(scope.scope or reach.tensor, 24) for scope in scopes][::-1])
    plot.set_ylim(-0.6, len(scopes) - 0.4)
    plot.margins(x=0.08)
    left = (
        f"; {number(len(reach.scopes) - len(scopes))} more layers in the table"
        if len(reach.scopes) > len(scopes)
        else ""
    )
    plot.set_xlabel("largest |value| printed", color=style.INK)
    before, after = (style.plain(names(comparison.sides[place]), 40) for place in (pair.before, pair.after))
    sheet.supxlabel(f"ring: {before}, dot: {after}{left}", fontsize=9, color=style.GREY)
    return sheet
