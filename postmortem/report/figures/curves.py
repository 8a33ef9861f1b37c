"""Loss and gradient norm over the run, the evaluation's loss beside the training's, with what was found marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from matplotlib.ticker import MaxNLocator

from postmortem import stand_in
from postmortem.report.figures import style
from postmortem.report.numbers import figure as number
from postmortem.report.numbers import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from postmortem.incident import Incident
    from postmortem.rules.finding import Finding
    from postmortem.run import Run

_METRICS: Final = {"loss": "loss", "grad_norm": "gradient norm"}
_EVALUATED: Final = "loss, evaluated"
_FEWEST: Final = 2  # values that make a curve
_BUCKETS: Final = 1_000  # of a long run; each keeps its extremes
_DOTS: Final = 60  # values that can be told apart as dots
_LABELS: Final = 4  # more would hide the curve
_BEYOND_AXES: Final = 1e100  # no axis holds more; drawn as infinite
_TOP: Final = 0.87  # where non-finite values stand, as a share of the height
_TOP_BESIDE: Final = 0.74  # and those of the evaluation


@dataclass(frozen=True, slots=True)
class _Series:
    """The values of a metric that are drawn, each with its place on the x axis and its line in the log."""

    name: str
    label: str  # in words, or the log's own name of what stands for its loss
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    lines: NDArray[np.int64]
    values: int  # in the log, drawn or not
    nonfinite: dict[str, int]  # how many of them are nan, and inf

    @property
    def finite(self) -> NDArray[np.bool_]:
        return np.isfinite(self.y)

    def tells(self, metric: object) -> bool:
        """Whether it is the curve of a metric, as a finding names that."""
        return metric in {self.name, self.label}

    def says(self) -> str:
        """What the values do, in figures."""
        label, usual = self.label, self.y[self.finite]
        bad = " and ".join(f"{word} in {number(count)}" for word, count in self.nonfinite.items() if count)
        if bad:
            return f"{label} is {bad} of {number(self.values)} values"
        return f"{label} goes from {number(float(usual[0]))} to {number(float(usual[-1]))}"


def draw(incident: Incident, run: Run) -> Figure | None:
    """The losses above gradient norm, over steps, or in the order of the log where steps are missing or begin anew."""
    metrics, loss = stand_in.named(run.metrics)
    values = {name: _values(metrics, name) for name in _METRICS}
    rows = {"loss": _trained(values["loss"]), _EVALUATED: _evaluated(values["loss"])}
    rows |= {"grad_norm": _trained(values["grad_norm"])}
    rows = {name: frame for name, frame in rows.items() if frame.height >= _FEWEST}
    if rows.keys() <= {_EVALUATED}:
        return None
    labels = _METRICS | ({stand_in.LOSS: loss} if loss else {})
    series, x_label = _place(rows, labels | {_EVALUATED: f"{labels[stand_in.LOSS]} of the evaluation"})
    forecast = _forecast(incident, series)
    title = "; ".join([_verdict(forecast, series)] if forecast else [each.says() for each in series])
    panels = [each for each in series if each.name != _EVALUATED]
    sheet, plots = style.canvas(1.1 + 2.3 * len(panels), title[0].upper() + title[1:], len(panels), share_x=True)
    marks = _marks(series, incident)
    for each, plot in zip(panels, plots, strict=True):
        _panel(plot, each, marks[each.name])
        if forecast and each.tells(forecast.values.get("metric")):
            _band(plot, forecast)
    for beside in series:
        if beside.name == _EVALUATED:
            _beside(plots[0], beside, marks[beside.name])
    if x_label.startswith("step"):
        _elsewhere(plots[0], incident, series)
    plots[-1].set_xlabel(x_label, color=style.INK)
    return sheet


def _values(metrics: pl.DataFrame, name: str) -> pl.DataFrame:
    """The values of one metric of the whole run, of all splits, in the order of the log."""
    return metrics.filter(
        pl.col("name") == name,
        pl.col("value").is_not_null(),
        pl.col("scope").is_null(),
        ~pl.col("meaning").is_in(["placeholder", "configured"]).fill_null(value=False),
    ).sort("file", "line", "record")


def _trained(values: pl.DataFrame) -> pl.DataFrame:
    """Those of the training, or all where there are none, of one rank."""
    trained = values.filter(pl.col("split").fill_null("train") == "train")
    values = values if trained.is_empty() else trained
    first = pl.col("rank").fill_null(0)
    return values.filter(first == first.min())


def _evaluated(values: pl.DataFrame) -> pl.DataFrame:
    """Those of the evaluation, where the training has its own, under the name that it has most often."""
    held_out = values.filter(pl.col("split") == "eval")
    if held_out.height == values.height:
        return held_out.clear()
    first = pl.col("rank").fill_null(0)
    return held_out.filter(first == first.min(), pl.col("source_name").eq_missing(pl.col("source_name").mode().first()))


def _place(rows: dict[str, pl.DataFrame], labels: dict[str, str]) -> tuple[list[_Series], str]:
    # a value without a step was printed after the step before it
    steps = {
        name: frame["step"].fill_null(strategy="forward").fill_null(strategy="backward") for name, frame in rows.items()
    }
    told = all(2 * frame["step"].null_count() <= frame.height for frame in rows.values())
    # where each value is of the last batch of an epoch, the step is the same for all
    counts = any(column.n_unique() > 1 for column in steps.values())
    if told and counts and all(column.is_sorted() for column in steps.values()):
        units = {unit for frame in rows.values() for unit in frame["step_unit"] if unit}
        unit = f" ({units.pop().replace('_', ' ')}s)" if len(units) == 1 and "unknown" not in units else ""
        places = {name: column.to_numpy().astype(np.float64) for name, column in steps.items()}
        label = f"step{unit}"
    else:
        keys = ["file", "line", "nth"]  # two metrics of one record share a place
        nth = pl.int_range(pl.len()).over("file", "line").alias("nth")
        numbered = {name: frame.with_columns(nth) for name, frame in rows.items()}
        order = pl.concat(frame.select(keys) for frame in numbered.values()).unique().sort(keys)
        order = order.with_row_index("order", offset=1)
        places = {
            name: frame.join(order, on=keys, how="left", maintain_order="left")["order"].to_numpy().astype(np.float64)
            for name, frame in numbered.items()
        }
        label = "order in the log"
    return [_series(name, labels[name], frame, places[name]) for name, frame in rows.items()], label


def _series(name: str, label: str, frame: pl.DataFrame, x: NDArray[np.float64]) -> _Series:
    y = frame["value"].to_numpy()
    y = np.where(np.abs(y) > _BEYOND_AXES, np.copysign(np.inf, y), y)
    kept = _thinned(y)
    lines = frame["line"].fill_null(0).to_numpy()
    nonfinite = {"nan": int(np.isnan(y).sum()), "inf": int(np.isinf(y).sum())}
    return _Series(name, label, x[kept], y[kept], lines[kept], y.size, nonfinite)


def _thinned(y: NDArray[np.float64]) -> NDArray[np.intp]:
    """Places to draw of a long run: in each bucket the ends, the extremes and the first non-finite value."""
    everything = np.arange(y.size)
    if y.size <= 4 * _BUCKETS:
        return everything
    kept = {0, y.size - 1}
    for bucket in np.array_split(everything, _BUCKETS):
        finite = np.isfinite(y[bucket])
        if finite.any():
            usual = bucket[finite]
            kept |= {int(usual[y[usual].argmin()]), int(usual[y[usual].argmax()])}
        if not finite.all():
            kept.add(int(bucket[~finite][0]))
    return np.array(sorted(kept))


def _forecast(incident: Incident, series: list[_Series]) -> Finding | None:
    """The finding that carries a prediction interval of a metric that is drawn."""
    return next(
        (
            finding
            for finding in incident.findings
            if any(each.tells(finding.values.get("metric")) for each in series)
            and all(style.value(finding, key) is not None for key in ("low", "high", "value", "step"))
        ),
        None,
    )


def _verdict(forecast: Finding, series: list[_Series]) -> str:
    low, high, value, step = (style.value(forecast, key) or 0.0 for key in ("low", "high", "value", "step"))
    side = "lies within" if low <= value <= high else "lies outside"
    label = next(each.label for each in series if each.tells(forecast.values["metric"]))
    return (
        f"{label} {number(value)} at step {number(step)} {side} the {interval(low, high)} "
        "that the values before it predict"
    )


def _panel(plot: Axes, series: _Series, marks: dict[int, str]) -> None:
    finite = series.finite
    plot.set_ylabel(style.plain(series.label), color=style.INK)
    plot.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    plot.plot(
        series.x,
        np.where(finite, series.y, np.nan),
        color=style.BLUE,
        linewidth=1.4,
        marker="o" if series.y.size <= _DOTS else "",
        markersize=4,
    )
    if style.spans_decades(series.y[finite].tolist()):
        style.log_axis(plot, "y")
    if not finite.any():
        plot.set_yticks([])
    plot.margins(x=0.04, y=0.28)
    _nonfinite(plot, series, {place: rule for place, rule in marks.items() if not finite[place]})
    _label(plot, series, {place: rule for place, rule in marks.items() if finite[place]})


def _beside(plot: Axes, series: _Series, marks: dict[int, str]) -> None:
    """The evaluation's loss on the axis of the training's."""
    finite = series.finite
    x, y = series.x[finite], series.y[finite]
    plot.plot(x, y, color=style.GREEN, linewidth=1.4, marker="o" if y.size <= _DOTS else "", markersize=4)
    if y.size:
        plot.annotate(
            "evaluation",
            (x[-1], y[-1]),
            xytext=(0, -14),
            textcoords="offset points",
            ha="right",
            fontsize=9,
            color=style.GREEN,
        )
    if style.spans_decades(y.tolist()):
        style.log_axis(plot, "y")
    _nonfinite(plot, series, {place: rule for place, rule in marks.items() if not finite[place]}, _TOP_BESIDE)
    _label(plot, series, {place: rule for place, rule in marks.items() if finite[place]})


def _band(plot: Axes, forecast: Finding) -> None:
    low, high, value, step = (style.value(forecast, key) or 0.0 for key in ("low", "high", "value", "step"))
    plot.axhspan(low, high, color=style.SKY, alpha=0.18, linewidth=0)
    plot.annotate(
        f"prediction interval {interval(low, high)}",
        (0.01, high),
        xycoords=("axes fraction", "data"),
        xytext=(0, -4),
        textcoords="offset points",
        va="top",
        fontsize=9,
        color=style.BLUE,
    )
    inside = low <= value <= high
    plot.plot([step], [value], marker="o", markersize=9, color=style.BLUE if inside else style.RED)


def _elsewhere(plot: Axes, incident: Incident, series: list[_Series]) -> None:
    """A line at the step of each finding about a quantity that has no curve of its own."""
    for finding in incident.findings:
        step, metric = style.value(finding, "step"), finding.values.get("metric")
        drawn = metric in _METRICS or any(each.tells(metric) for each in series)
        if step is None or drawn or finding.role != "consequence":
            continue
        plot.axvline(step, color=style.RED, linewidth=1, linestyle=":")
        plot.annotate(
            style.plain(f"{metric} {finding.values.get('kind', '')}: {finding.rule}"),
            (step, 0.02),
            xycoords=plot.get_xaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=9,
            color=style.RED,
        )


def _marks(series: list[_Series], incident: Incident) -> dict[str, dict[int, str]]:
    """Which drawn values findings point at: per metric the places, each with the rule that comes first.

    A finding points at the lines of its evidence; where these hold non-finite values, at such alone.
    """
    marks: dict[str, dict[int, str]] = {each.name: {} for each in series}
    for finding in incident.findings:
        lines = [evidence.line for evidence in finding.evidence]
        hits = [
            (each, place)
            for each in series
            if finding.role != "context" or each.tells(finding.values.get("metric"))
            for place in np.flatnonzero(np.isin(each.lines, lines)).tolist()
        ]
        bad = [(each, place) for each, place in hits if not each.finite[place]]
        for each, place in bad or hits:
            marks[each.name].setdefault(place, finding.rule)
    return marks


def _nonfinite(plot: Axes, series: _Series, marks: dict[int, str], height: float = _TOP) -> None:
    """Non-finite values near the top edge, at the first of each kind its word, count and rule."""
    top = plot.get_xaxis_transform()
    for kind, word in ((np.isnan(series.y), "nan"), (np.isinf(series.y), "inf")):
        places = np.flatnonzero(kind)
        if not places.size:
            continue
        x = series.x[places]
        plot.plot(x, np.full(x.size, height), "^", color=style.RED, transform=top)
        rule = next((marks[place] for place in places.tolist() if place in marks), None)
        left = x[0] <= series.x.mean()
        plot.annotate(
            f"{word} × {number(series.nonfinite[word])}" + (f": {style.plain(rule)}" if rule else ""),
            (x[0] if left else x[-1], height),
            xycoords=top,
            xytext=(-3 if left else 3, 6),
            textcoords="offset points",
            ha="left" if left else "right",
            fontsize=9,
            color=style.RED,
        )


def _label(plot: Axes, series: _Series, marks: dict[int, str]) -> None:
    """A ring around each finite value that a finding points at, the first of each rule with its name."""
    firsts: dict[str, int] = {}
    for place, rule in marks.items():
        firsts.setdefault(rule, place)
    places = list(marks)
    plot.plot(series.x[places], series.y[places], "o", markersize=11, color="none", markeredgecolor=style.RED)
    for rule, place in list(firsts.items())[:_LABELS]:
        left = series.x[place] <= series.x.mean()
        plot.annotate(
            style.plain(rule),
            (series.x[place], series.y[place]),
            xytext=(9 if left else -9, 9),
            textcoords="offset points",
            ha="left" if left else "right",
            fontsize=9,
            color=style.RED,
        )
