"""What all figures share: size, fonts, colours that colour-blind readers can tell apart, and safe text."""

from __future__ import annotations

import math
import re
import warnings
from textwrap import fill
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from postmortem.report.escape import visible
from postmortem.report.mask import mask
from postmortem.report.numbers import figure as number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from postmortem.incident import Incident
    from postmortem.rules.finding import Finding

#: The palette of Okabe and Ito (2008), told apart under every common colour blindness.
BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
RED: Final = "#D55E00"
GREY: Final = "#767676"
INK: Final = "#222222"
SHADE: Final = "#d5dbe0"  # bars behind others
GRID: Final = "#dddddd"

VERDICTS: Final = {"confirmed": GREEN, "refuted": RED, "inconclusive": ORANGE, "not_reproduced": GREY}

_WIDTH: Final = 8.0  # inches
_TITLE: Final = 90  # characters on a line of the title
#: Values that span more than this factor are drawn on a log axis.
_DECADES: Final = 30
#: The scripts that the font which matplotlib ships can draw.
_DRAWABLE: Final = ((0x20, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x2010, 0x2044), (0x2190, 0x2265))


def canvas(height: float, title: str, panels: int = 1, *, share_x: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure `height` inches high with `panels` plots below each other, and its message as the title."""
    lines = fill(plain(title, 240), _TITLE)
    sheet = Figure(figsize=(_WIDTH, height), layout="constrained")
    sheet.suptitle(lines, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    axes = list(sheet.subplots(panels, 1, sharex=share_x, squeeze=False)[:, 0])
    for plot in axes:
        plot.spines[["top", "right"]].set_visible(False)
        plot.tick_params(labelsize=9, colors=INK)
        plot.grid(visible=True, axis="y", linewidth=0.4, color=GRID)
        plot.set_axisbelow(True)
        readable(plot.xaxis)
        readable(plot.yaxis)
    return sheet, axes


def save(sheet: Figure, path: Path) -> None:
    """Write `sheet` as a PNG, without the date and version that would make two runs differ."""
    with np.errstate(all="ignore"), warnings.catch_warnings():  # an axis of extreme numbers, as in `draw`
        warnings.simplefilter("ignore", UserWarning)
        sheet.savefig(path, dpi=120, metadata={"Software": None})


def readable(axis: Axis) -> None:
    """Write the ticks of `axis` as all figures of a report are written."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(float(f"{value:.6g}"))))


def plain(text: str, limit: int = 60) -> str:
    """`text` for a figure: no secret, no control, no formula, no letter that the font lacks. Idempotent."""
    drawable = "".join(
        letter if any(low <= ord(letter) <= high for low, high in _DRAWABLE) else f"\\u{ord(letter):04x}"
        for letter in visible(mask(text), limit)
    )
    return re.sub(r"(?<!\\)\$", r"\\$", drawable)


def spans_decades(values: Sequence[float]) -> bool:
    """Whether these values need a log axis: finite, above zero, and far apart."""
    finite = [value for value in values if math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) > _DECADES * min(finite)


def log_axis(plot: Axes, which: Literal["x", "y"]) -> None:
    """Make one axis of `plot` logarithmic, with few and plain labels."""
    (plot.set_xscale if which == "x" else plot.set_yscale)("log")
    axis = plot.xaxis if which == "x" else plot.yaxis
    axis.set_major_locator(LogLocator(numticks=7))
    axis.set_minor_locator(NullLocator())
    readable(axis)


def ticks(axis: Axis, places: Sequence[float], labels: Sequence[str]) -> None:
    """Fixed `places` on `axis` with the names that stand there."""
    axis.set_major_locator(FixedLocator(list(places)))
    axis.set_major_formatter(FuncFormatter(lambda _, place: labels[place or 0]))


def found(incident: Incident, rule: str) -> Finding | None:
    """The finding of `rule` in this incident, if there is one."""
    return next((finding for finding in incident.findings if finding.rule == rule), None)


def value(finding: Finding, name: str) -> float | None:
    """The finite number that a finding carries under `name`, if it carries one."""
    held = finding.values.get(name)
    if isinstance(held, bool | str) or held is None or not math.isfinite(held):
        return None
    return float(held)
