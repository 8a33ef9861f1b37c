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

_ROWS: Final = 12  # of one quantity; the table beside the figure has all
_SPELLED: Final = 2  # fixes that a title names with their old values
_BEYOND: Final = 3.0  # where an infinite value stands: so many times the largest finite one


def draw(incident: Incident) -> dict[str, Figure]:
    """A figure per experiment and quantity, by name: a dumbbell per fix, claim and mechanism that was judged."""
    panels: dict[tuple[str, str, str], list[Replay]] = {}
    for replay in incident.replays:
        if replay.effect:
            panels.setdefault((replay.experiment, replay.effect.quantity, replay.claim), []).append(replay)
    figures = {}
    for number_, ((experiment, quantity, claim), replays) in enumerate(panels.items(), start=1):
        fixes = list(dict.fromkeys(replay.fix for replay in replays))
        rows = sorted(replays, key=lambda replay: fixes.index(replay.fix))[:_ROWS]
        sheet, (plot,) = style.canvas(1.5 + 0.36 * len(rows), _title(incident, claim, fixes), 1)
        _panel(plot, quantity, rows)
        more = f"; {len(replays) - len(rows)} more in the table" if len(replays) > len(rows) else ""
        sheet.supxlabel(
            f"ring: before, dot: after the fix; medians with central 95 % intervals{more}",
            fontsize=9,
            color=style.GREY,
        )
        figures[f"effect-{number_}-{experiment}"] = sheet
    return figures


def _title(incident: Incident, claim: str, fixes: list[Fix]) -> str:
    """The claim, and the pooled verdict on it for each fix."""
    words = {
        verdict.fix: verdict.verdict.replace("_", " ")
        for verdict in incident.verdicts
        if verdict.claim == claim and verdict.basis == "replay" and verdict.fix in fixes
    }
    question = f"{claim[:1].upper()}{claim[1:]}? "
    if len(words) <= _SPELLED:
        return question + "; ".join(f"{_turn(fix)}: {word}" for fix, word in words.items())
    by_word: dict[str, list[str]] = {}
    for fix, word in words.items():
        by_word.setdefault(word, []).append(f"{fix.knob} {number(fix.new)}")
    return question + "; ".join(f"{word}: {', '.join(fixes)}" for word, fixes in by_word.items())


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
    plot.grid(visible=True, axis="x", linewidth=0.4, color=style.GRID)
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
        parts = [replay.mechanism.replace("_", " ") if len(mechanisms) > 1 else "", replay.family or ""]
        who = style.plain(", ".join(part for part in parts if part), 40)
        turn = style.plain(_turn(replay.fix), 40) if replay.fix != last else ""
        labels.append("\n".join(part for part in (turn, who) if part))
        last = replay.fix
    return labels


def _turn(fix: Fix) -> str:
    start = "" if fix.old is None else f"{number(fix.old)} "
    return f"{fix.knob} {start}→ {number(fix.new)}"
