"""The tables of a comparison: every output shows the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from postmortem.report.numbers import figure, interval

if TYPE_CHECKING:
    from postmortem.compare.comparison import Pair, Parting


class Table(NamedTuple):
    """A title, the heads of its columns, and rows of as many texts."""

    title: str
    heads: list[str]
    rows: list[list[str]]


def cells(pair: Pair) -> list[Table]:
    """Settings, metrics, tensors and findings of a pair of runs, each where there is one."""
    return [table for table in (_settings(pair), _metrics(pair), _tensors(pair), _findings(pair)) if table.rows]


def _settings(pair: Pair) -> Table:
    rows = [
        [each.key, *(_stated(*side) for side in ((each.before, each.before_line), (each.after, each.after_line)))]
        for each in pair.settings
    ]
    same = f" ({figure(pair.same_settings)} are the same)" if pair.same_settings else ""
    return Table(f"Settings that differ{same}", ["setting", "before", "after"], rows)


def _stated(value: str | None, line: int | None) -> str:
    return "not stated" if value is None else f"{value} (line {figure(line)})"


def _metrics(pair: Pair) -> Table:
    heads = ["metric", "parts at", "before", "after", "mean difference", "shared", "why"]
    rows = [
        [
            each.metric if each.split is None else f"{each.metric}, {each.split}",
            _place(each),
            "" if each.before is None else figure(each.before),
            "" if each.after is None else figure(each.after),
            _difference(each),
            figure(each.shared),
            "; ".join(part for part in (each.because, each.not_alike) if part),
        ]
        for each in pair.partings
    ]
    return Table("Metrics, aligned by step", heads, rows)


def _place(parting: Parting) -> str:
    if parting.parts is None:
        return "cannot be told"
    if not parting.parts:
        return "nowhere"
    if parting.step is None:
        return "by order, see why"
    return f"step {figure(parting.step)}" + ("" if parting.epoch is None else f", epoch {figure(parting.epoch)}")


def _difference(parting: Parting) -> str:
    if parting.difference is None:
        return ""
    if parting.difference_low is None or parting.difference_low == parting.difference_high:
        return figure(_rounded(parting.difference))
    low, high = _rounded(parting.difference_low), _rounded(parting.difference_high or 0.0)
    return f"{figure(_rounded(parting.difference))} ({interval(low, high)})"


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _tensors(pair: Pair) -> Table:
    rows = [
        [
            each.tensor,
            scope.scope,
            figure(scope.before),
            figure(scope.after),
            figure(_rounded(scope.before / scope.after)),
            {True: "moved", False: "need not have moved", None: "one alone"}[each.moved],
        ]
        for each in pair.reaches
        for scope in each.scopes
    ]
    heads = ["tensor", "layer or stage", "largest |value| before", "after", "before / after", "all layers"]
    return Table("Tensors that both print", heads, rows)


def _findings(pair: Pair) -> Table:
    rows = [
        [
            each.rule,
            each.change.replace("_", " "),
            each.severity,
            each.because or "; then: ".join(text for text in (each.before, each.after) if text),
        ]
        for each in pair.findings
    ]
    return Table("Findings", ["rule", "change", "severity", "what"], rows)
