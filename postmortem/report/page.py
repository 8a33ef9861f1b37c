"""HTML pages: one template environment, in which every text is made visible and then escaped."""

from __future__ import annotations

from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from postmortem.report import escape, phrases
from postmortem.report.numbers import figure, interval, kinds
from postmortem.report.paired import cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.figure import Figure

    from postmortem.rules.finding import Evidence

_EXCERPT: Final = 400  # characters of a line of the log
_TEXT: Final = 2_000  # characters of any other text


def fill(template: str, **values: object) -> str:
    """The page that a template of this package makes of these values."""
    return _environment().get_template(template).render(values)


def pictures(figures: Mapping[str, Figure]) -> list[tuple[str, Markup]]:
    """Figures as titles and `svg` elements."""
    from postmortem.report.figures.svg import inline

    # matplotlib wrote these, and escaped what stands in them
    return [
        (" ".join(sheet.get_suptitle().split()), Markup(inline(sheet, f"figure-{place}")))  # noqa: S704
        for place, sheet in enumerate(figures.values())
    ]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("postmortem.report"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "around": _around,
        "excerpt": lambda text: escape.visible(text, _EXCERPT),
        "cells": cells,
        "distinct": phrases.distinct,
        "facts": phrases.facts,
        "figure": figure,
        "kinds": kinds,
        "name": lambda path: PurePath(path).name,
        "names": phrases.names,
        "share": phrases.share,
        "turn": phrases.turn,
    }
    environment.globals |= {"interval": interval, "newline": Markup("\n"), "spread": phrases.spread}
    return environment


def _visible(value: object) -> object:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return escape.visible(value, _TEXT)


def _around(piece: Evidence) -> Iterator[tuple[int, str, bool]]:
    """A line of evidence among those around it: number, text, and whether it is the line itself."""
    texts = [*piece.before, piece.text, *piece.after]
    for number, text in enumerate(texts, start=piece.line - len(piece.before)):
        yield number, text, number == piece.line
