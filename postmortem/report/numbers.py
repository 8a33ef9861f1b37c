"""Figures as a reader wants them: 139,264; 1.9e10; 0.951; 95.1 %. Every output prints them alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from postmortem.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.replay.protocol import Fact

#: From here on the size is the message: two digits. Below, integers stand in full.
_LARGE: Final = 1e7
#: Under this a figure is a knob or a rate that gets copied: three digits and an exponent.
_SMALL: Final = 1e-2


def figure(value: Fact) -> str:
    """`value` for a person: at most four digits, integers below ten million in full. Text passes through."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "unknown", True: "yes", False: "no"}[value]
    return _number(value)


def percent(share: float | None) -> str:
    """A `share` from 0 to 1 in per cent with one decimal; only an exact 0 or 1 reads as 0 % or 100 %."""
    if share is None:
        return "unknown"
    text = f"{100 * share:.1f}"
    if text == "0.0" and share > 0:
        return "< 0.1 %"
    if text == "100.0" and share < 1:
        return "> 99.9 %"
    return f"{text.removesuffix('.0')} %"


def interval(low: float | None, high: float | None) -> str:
    """A range in words: "33.6 to 68.9", "at most 17", "at least 64"; an unknown end is None."""
    if low is None and high is None:
        return "unknown"
    if low is None:
        return f"at most {figure(high)}"
    if high is None:
        return f"at least {figure(low)}"
    return figure(low) if low == high else f"{figure(low)} to {figure(high)}"


def kinds(counts: Mapping[str, int]) -> str:
    """How many of each kind: `lists 3, pictures 12`."""
    return ", ".join(f"{visible(kind)} {figure(count)}" for kind, count in counts.items())


def _number(value: float) -> str:
    size = abs(value)
    if not math.isfinite(value):
        return str(float(value))
    if size >= _LARGE:
        return _scientific(value, digits=2)
    if value == int(value):
        return f"{int(value):,}"
    if size < _SMALL:
        return _scientific(value, digits=3)
    decimals = max(0, 3 - math.floor(math.log10(size)))
    return _trimmed(f"{value:,.{decimals}f}")


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{_trimmed(mantissa)}e{int(exponent)}"


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
