"""How far each normalised tensor reaches, against the most that a normalisation can give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.report.figures import style
from postmortem.report.numbers import figure as number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from postmortem.incident import Incident
    from postmortem.run import Run

_RULE: Final = "impossible/normalised-beyond-bound"
_MOST: Final = 32  # tensors that fit side by side: the last that were printed


def draw(incident: Incident, run: Run) -> Figure | None:
    """max(|min|, |max|) of every tensor of the kind that was found, on a log axis, with the bound."""
    finding = style.found(incident, _RULE)
    bound = style.value(finding, "bound") if finding else None
    if finding is None or bound is None or bound <= 0:
        return None
    reaches = _reaches(run, finding.values.get("name"))
    if reaches.is_empty():
        return None
    counted = style.value(finding, "counted")
    over_features = f", the most that {number(counted)} features allow" if counted else ""
    names, values = reaches["label"].to_list(), reaches["value"].to_list()
    places = list(range(len(names)))
    worst = max(places, key=values.__getitem__)
    over = sum(value > bound for value in values)
    single = reaches["name"].n_unique() == 1
    what = f"{style.plain(reaches['name'][0], 30)} reaches" if single else "Outputs reach"
    times = number(float(f"{values[worst] / bound:.2g}"))
    sheet, (plot,) = style.canvas(
        3.8,
        f"{what} {number(values[worst])} where {number(bound)} is possible: {times} times the bound"
        f" ({over} of {len(values)} beyond it)",
    )
    style.log_axis(plot, "y")
    for place, value in zip(places, values, strict=True):
        beyond = value > bound
        colour = style.RED if beyond else style.BLUE
        if beyond:
            plot.plot([place, place], [bound, value], color=colour, linewidth=3, alpha=0.35)
        plot.plot([place], [value], "o", color=colour, markersize=8)
        if len(places) <= 12 or place == worst:  # noqa: PLR2004 - as many as fit side by side
            plot.annotate(
                number(value),
                (place, value),
                xytext=(0, 8 if beyond else -8),
                textcoords="offset points",
                ha="center",
                va="bottom" if beyond else "top",
                fontsize=9,
                color=colour,
            )
    plot.axhline(bound, color=style.INK, linewidth=1.2, linestyle="--")
    plot.annotate(
        f"bound: {number(bound)}{over_features}",
        (0.01, bound),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4 if values[0] <= bound else -4),
        textcoords="offset points",
        va="bottom" if values[0] <= bound else "top",
        fontsize=9,
        color=style.INK,
    )
    plot.margins(x=0.08, y=0.18)
    every = 1 + len(places) // 16
    style.ticks(plot.xaxis, places[::every], [style.plain(name, 16) for name in names[::every]])
    plot.set_xlabel("layer or stage" if single else "layer or stage, and tensor", color=style.INK)
    plot.set_ylabel("largest |value| printed", color=style.INK)
    return sheet


def _reaches(run: Run, name: object) -> pl.DataFrame:
    """Columns label, name and value, a row per tensor that a normaliser gives, in the order of the log."""
    frame = run.tensors.filter(pl.col("op") == "normalise")
    if isinstance(name, str):
        same = frame.filter(pl.col("name") == name)
        frame = frame if same.is_empty() else same
    grouped = (
        frame.with_columns(pl.max_horizontal(pl.col("min").abs(), pl.col("max").abs()).alias("value"))
        .filter(pl.col("value").is_finite(), pl.col("value") > 0)
        .group_by(pl.col("scope").fill_null(""), pl.col("name").fill_null("tensor"))
        .agg(pl.col("value").max(), pl.col("line").min())
        .sort("line", "scope", "name")
        .tail(_MOST)
    )
    label = pl.col("scope") if grouped["name"].n_unique() == 1 else pl.col("scope") + " " + pl.col("name")
    return grouped.select(label.alias("label"), "name", "value")
