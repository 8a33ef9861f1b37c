"""A claim as a user writes it: `grad_norm < 10`, `output decreases by 2x`. Read by a grammar, never run.

- `NAME < NUMBER` (or <=, >, >=): after the fix, whatever it was before;
- `NAME isfinite` (or isnan, isinf);
- `NAME decreases` (or increases), `by 30%` or `by 2x`: against the same seed before the fix;
- `NAME stays within 10%` of what it was with the same seed before the fix.
"""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

_NAME: Final = r"(?P<name>[A-Za-z_][\w./-]*)"
_NUMBER: Final = r"(?P<number>[+-]?\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?)"
_FORMS: Final = tuple(
    re.compile(rf"\s*{_NAME}{form}\s*")
    for form in (
        rf"\s*(?P<word><=|>=|<|>)\s*{_NUMBER}",
        r"\s+(?P<word>isfinite|isnan|isinf)",
        rf"\s+(?P<word>decreases|increases)(?:\s+by\s+{_NUMBER}\s*(?P<unit>%|x))?",
        rf"\s+(?P<word>stays)\s+within\s+{_NUMBER}\s*(?P<unit>%)",
    )
)
_COMPARE: Final[Mapping[str, Callable[[Tensor, float], Tensor]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_KIND: Final[Mapping[str, Callable[[Tensor], Tensor]]] = {
    "isfinite": torch.isfinite, "isnan": torch.isnan, "isinf": torch.isinf,
}  # fmt: skip
_HOW: Final = (
    "write NAME < NUMBER (or <=, >, >=), NAME isfinite (or isnan, isinf), NAME decreases by 2x or by 30% "
    "(or increases), or NAME stays within 10%"
)


@dataclass(frozen=True, slots=True)
class Expectation:
    """One claim about one quantity. A nan meets none but isnan."""

    text: str
    quantity: str
    word: str
    number: float = math.nan  # the limit, the factor, or the share of what it was
    unit: str = ""  # x: a factor; %: a share, held as 0.3 for 30%

    @property
    def compares(self) -> bool:
        """Whether it speaks of the same seed before the fix."""
        return self.word in {"decreases", "increases", "stays"}

    def holds(self, before: Tensor, after: Tensor) -> Tensor:
        """In which scenarios it holds: booleans (n,), from the quantity (n,) before and after the fix."""
        if self.word in _COMPARE:
            return _COMPARE[self.word](after, self.number)
        if self.word in _KIND:
            return _KIND[self.word](after)
        if self.word == "stays":
            return (after - before).abs() <= self.number * before.abs()
        # an increase is a decrease seen from the other end
        small, large = (after, before) if self.word == "decreases" else (before, after)
        if not self.unit:
            return small < large
        if self.unit == "x":
            return small.abs() * self.number <= large.abs()
        change = before - after if self.word == "decreases" else after - before
        return (change >= self.number * before.abs()) & (small < large)


def parse(text: str, option: str) -> Expectation:
    """The claim that `text` states. PostmortemError that names the option, with the forms that there are."""
    found = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
    if found is None:
        raise PostmortemError(f"{option} {text!r}: {_HOW}")
    given = found.groupdict()
    number, unit = given.get("number"), given.get("unit") or ""
    value = math.nan if number is None else float(number)
    if math.isinf(value) or (unit and not value > 0):
        raise PostmortemError(f"{option} {text!r}: {number} is no size that it could change by; {_HOW}")
    return Expectation(
        text=" ".join(text.split()),
        quantity=given["name"],
        word=given["word"],
        number=value / 100 if unit == "%" else value,
        unit=unit,
    )
