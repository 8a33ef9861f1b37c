"""What each fix does in the replay: before and after, with intervals, and the verdict as a word."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from postmortem.report.figures import style
from postmortem.report.numbers import figure as number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from postmortem.incident import Incident
    from postmortem.replay.protocol import Effect, Fix, Replay

_PANELS: Final = 3  # quantities
_ROWS: Final = 9  # of one quantity; the table beside the figure has all
_NAMED: Final = 3  # verdicts that a title can hold
_BEYOND: Final = 3.0  # where an infinite value stands: so many times the largest finite one


def draw(incident: Incident) -> Figure | None:
    """A dumbbell per fix, claim and mechanism; a panel per quantity. None where no replay moved anything."""
    panels: dict[str, list[Replay]] = {}
    for replay in incident.replays:
        if replay.effect:
            panels.setdefault(replay.effect.quantity, []).append(replay)
    if not panels:
        return None
    shown = dict(list(panels.items())[:_PANELS])
    for quantity, replays in shown.items():
        shown[quantity] = _with_unreproduced(replays, incident.replays)[:_ROWS]
    rows = sum(len(replays) for replays in shown.values())
    sheet, plots = style.canvas(1.0 + 0.75 * len(shown) + 0.42 * rows, _title(incident), len(shown))
    for plot, (quantity, replays) in zip(plots, shown.items(), strict=True):
        _panel(plot, quantity, replays)
    sheet.supxlabel(
        "ring: before, dot: after the fix; medians with central 95 % intervals",
        fontsize=9,
        color=style.GREY,
    )
    return sheet


def _title(incident: Incident) -> str:
    """The verdicts on the fixes; where they are too many for a title, how many came out which way."""
    verdicts = [verdict for verdict in incident.verdicts if verdict.basis == "replay"] or incident.replays
    judged = list(dict.fromkeys((_turn(verdict.fix), verdict.verdict) for verdict in verdicts))
    if len({turn for turn, _ in judged}) == len(judged) <= _NAMED:
        return "; ".join(f"{turn}: {word.replace('_', ' ')}" for turn, word in judged)
    words = [verdict.verdict for verdict in verdicts]
    counts = ", ".join(
        f"{number(words.count(word))} {word.replace('_', ' ')}" for word in style.VERDICTS if word in words
    )
    return f"{number(len(words))} claims about fixes, replayed: {counts}"


def _with_unreproduced(replays: list[Replay], everything: list[Replay]) -> list[Replay]:
    """The replays of one quantity with those of its claims that never showed the log's numbers, by fix."""
    asked = {(replay.fix, replay.claim) for replay in replays}
    shown = [
        replay
        for replay in everything
        if (replay.fix, replay.claim) in asked and (replay in replays or not replay.effect)
    ]
    fixes = list(dict.fromkeys(replay.fix for replay in shown))
    return sorted(shown, key=lambda replay: fixes.index(replay.fix))


def _panel(plot: Axes, quantity: str, replays: list[Replay]) -> None:
    values = [value for replay in replays if replay.effect for value in _six(replay.effect)]
    finite = [value for value in values if math.isfinite(value)]
    edge = _BEYOND * max(finite, default=0.0) or 1.0
    if style.spans_decades(values):
        style.log_axis(plot, "x")
    if math.inf in values:
        plot.axvline(edge, color=style.GREY, linewidth=0.8, linestyle=":")
        plot.annotate("inf", (edge, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom")
    for place, replay in enumerate(reversed(replays)):
        colour = style.VERDICTS[replay.verdict]
        if replay.effect:
            _dumbbell(plot, place, [min(value, edge) for value in _six(replay.effect)], colour)
        plot.annotate(
            replay.verdict.replace("_", " "),
            (1.02, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=10,
            fontweight="bold",
            color=colour,
            annotation_clip=False,
        )
    for place, (upper, lower) in enumerate(pairwise(replays), start=1):
        if upper.fix != lower.fix:
            plot.axhline(len(replays) - place - 0.5, color=style.GREY, linewidth=0.6)
    style.ticks(plot.yaxis, list(range(len(replays))), _labels(replays)[::-1])
    plot.set_ylim(-0.6, len(replays) - 0.4)
    plot.grid(visible=False, axis="y")
    plot.grid(visible=True, axis="x", linewidth=0.4, color="#dddddd")
    plot.set_xlabel(style.plain(quantity, 90), color=style.INK)


def _six(effect: Effect) -> tuple[float, ...]:
    return (
        effect.before_low,
        effect.before_median,
        effect.before_high,
        effect.low,
        effect.median,
        effect.high,
    )


def _dumbbell(plot: Axes, place: int, six: list[float], colour: str) -> None:
    before_low, before, before_high, low, after, high = six
    plot.plot([before_low, before_high], [place, place], color=style.GREY, linewidth=1.2)
    plot.plot([low, high], [place, place], color=colour, linewidth=5, alpha=0.35, solid_capstyle="butt")
    plot.annotate(
        "",
        (after, place),
        (before, place),
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.2, "shrinkA": 6, "shrinkB": 5},
    )
    plot.plot([before], [place], "o", color="white", markeredgecolor=style.GREY, markersize=12)
    plot.plot([after], [place], "o", color=colour, markersize=9)


def _labels(replays: list[Replay]) -> list[str]:
    """Each fix where it first stands, and of mechanism and family what tells its rows apart."""
    mechanisms = {replay.mechanism for replay in replays}
    labels, last = [], None
    for replay in replays:
        parts = [replay.mechanism if len(mechanisms) > 1 else "", replay.family or ""]
        who = style.plain(", ".join(part for part in parts if part), 40)
        turn = style.plain(_turn(replay.fix), 40) if replay.fix != last else ""
        labels.append("\n".join(part for part in (turn, who) if part))
        last = replay.fix
    return labels


def _turn(fix: Fix) -> str:
    start = "" if fix.old is None else f"{number(fix.old)} "
    return f"{fix.knob} {start}→ {number(fix.new)}"
