"""Facts and knobs as numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch

from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.replay.protocol import Fact, Value

#: The largest number that float32 holds: what is finite lies within.
FLOAT32_MAX: Final = torch.finfo(torch.float32).max
#: torch's names and the short ones in use.
DTYPES: Final = {
    "bf16": torch.bfloat16,
    "bfloat16": torch.bfloat16,
    "fp16": torch.float16,
    "float16": torch.float16,
    "fp32": torch.float32,
    "float32": torch.float32,
    "fp64": torch.float64,
    "float64": torch.float64,
}


def number(facts: Mapping[str, Fact], key: str, *, least: float = 0.0) -> float | None:
    """The magnitude of a fact; None where the log gives none, or none that is finite and at least `least`."""
    fact = facts.get(key)
    if not isinstance(fact, int | float) or not math.isfinite(fact) or abs(fact) < least:
        return None
    return abs(float(fact))


def amount(knob: str, value: Value) -> float:
    """The number that a knob is turned to. PostmortemError where it is none, negative or nan."""
    try:
        turned = float(value)  # type: ignore[arg-type]  # None fails as text does
    except (TypeError, ValueError):
        turned = -1.0
    if not turned >= 0:
        raise PostmortemError(f"{knob} takes a number from 0 on, not {value!r}")
    return turned


def dtype_named(name: Value) -> torch.dtype:
    """The dtype of that name. PostmortemError names those there are if it is none of them."""
    if str(name) not in DTYPES:
        raise PostmortemError(f"dtype takes one of {', '.join(DTYPES)}, not {name!r}")
    return DTYPES[str(name)]


def dtype_of(facts: Mapping[str, Fact], key: str = "dtype") -> torch.dtype | None:
    """The dtype that a fact names, by torch's names or the short ones; None where it names none."""
    return DTYPES.get(str(facts.get(key)).lower().removeprefix("torch."))


def switched(knob: str, value: Value) -> bool:
    """Whether a knob is switched on. PostmortemError for what is neither a yes nor a no."""
    for state, words in ((True, ("true", "yes", "on", "1", "1.0")), (False, ("false", "no", "off", "0", "0.0"))):
        if str(value).lower() in words:
            return state
    raise PostmortemError(f"{knob} takes true or false, not {value!r}")


def shown(value: float) -> str:
    """A number as a reader takes it in: 139,264 or 7.77e+17 or 11.3."""
    return f"{value:,.0f}" if 1e3 <= value < 1e12 else f"{value:.3g}"  # noqa: PLR2004 - 12 digits can be read
