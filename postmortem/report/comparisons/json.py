"""A comparison as JSON: strict, plain ASCII, as an incident is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.compare.runs import Compared
    from postmortem.report.comparisons import Target

SUFFIXES: Final = (".json",)


def render(compared: Compared, target: Target) -> str:
    """The whole comparison."""
    from postmortem.report.json import text
    from postmortem.report.mask import scrub

    del target
    return text(scrub(compared.comparison).model_dump(by_alias=True))
