"""Where the squared gradient norm sits: squares add up, so shares say where an explosion is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.report.figures import style
from postmortem.report.numbers import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from postmortem.incident import Incident
    from postmortem.rules.finding import Finding
    from postmortem.run import Run

_RULE: Final = "grad/localised"
_MOST: Final = 5  # parameters shown by name
_ROUNDING: Final = 0.01  # norms are printed with few digits


def draw(incident: Incident, run: Run) -> Figure | None:
    """Bars of the shares of the squared gradient norm, the largest on top, and all that is left below."""
    finding = style.found(incident, _RULE)
    share = style.value(finding, "share") if finding else None
    if finding is None or share is None:
        return None
    named = _named(finding)
    others = _others(run, named, share)
    if share + sum(others.values()) > 1 + _ROUNDING:
        others = {}  # the norms overlap, as those of a module and of its own parameters do
    bars = [(named, share), *others.items()]
    bars.append(("everything else", max(0.0, 1 - sum(value for _, value in bars))))
    sheet, (plot,) = style.canvas(
        1.5 + 0.42 * len(bars), f"{percent(share)} of the squared gradient norm sits in {style.plain(named)}"
    )
    places = list(range(len(bars)))[::-1]
    colours = [style.RED, *([style.BLUE] * (len(bars) - 2)), style.GREY]
    plot.barh(places, [100 * value for _, value in bars], height=0.6, color=colours)
    for place, (_, value) in zip(places, bars, strict=True):
        plot.annotate(percent(value), (100 * value, place), xytext=(5, 0), textcoords="offset points", va="center")
    style.ticks(plot.yaxis, places, [style.plain(name, 44) for name, _ in bars])
    plot.set_xlim(0, 112)
    plot.grid(visible=False)
    plot.set_xlabel("share of the squared gradient norm (%)", color=style.INK)
    return sheet


def _named(finding: Finding) -> str:
    names = (finding.values.get(key) for key in ("scope", "name", "parameter", "tensor"))
    return next((name for name in names if isinstance(name, str)), "one parameter")


def _others(run: Run, named: str, share: float) -> dict[str, float]:
    """Shares of the largest other parameters of the same step, from their norms beside the named one's."""
    norms = run.metrics.filter(
        pl.col("name") == "grad_norm", pl.col("scope").is_not_null(), pl.col("value").is_finite()
    )
    own = norms.filter(pl.col("scope") == named, pl.col("value") > 0).tail(1)
    if own.is_empty():
        return {}
    others = (
        norms.filter(pl.col("step").eq_missing(own["step"][0]), pl.col("scope") != named)
        .group_by("scope")
        .agg(pl.col("value").last())
        .sort("value", "scope", descending=[True, False])
        .head(_MOST - 1)
    )
    return {name: share * (value / own["value"][0]) ** 2 for name, value in others.select("scope", "value").rows()}
