"""The causal chain as a drawing: boxes in columns from cause to effect, and the curves between them.

It is geometry alone: a template writes it as SVG, where what stands in the boxes is escaped as all text is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from postmortem.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.report.chain import Chain, Link

_LETTER: Final = 7.3  # pixels of a letter of the boxes' font
_LONGEST: Final = 44  # letters in a box
_PADDING: Final = 12
_HEIGHT: Final = 32
_BETWEEN: Final = 18  # boxes of a column
_GAP: Final = 90  # between columns


class Box(NamedTuple):
    """A finding, its upper left corner and its size in pixels."""

    rule: str
    label: str
    role: str
    x: float
    y: float
    width: float
    height: float


class Curve(NamedTuple):
    """A link, and the path between its boxes."""

    link: Link
    path: str


class Drawing(NamedTuple):
    """All there is to draw, and its size in pixels."""

    boxes: list[Box]
    curves: list[Curve]
    width: float
    height: float


def draw(chain: Chain) -> Drawing:
    """Each finding stands one column right of what it follows from; a circle of causes is opened where it closes."""
    columns = _columns(list(chain.roles), chain.links)
    boxes: dict[str, Box] = {}
    x = 1.0
    for column in columns:
        labels = {rule: visible(rule, _LONGEST) for rule in column}
        width = max(map(len, labels.values())) * _LETTER + 2 * _PADDING
        for place, rule in enumerate(column):
            y = 1.0 + place * (_HEIGHT + _BETWEEN)
            boxes[rule] = Box(rule, labels[rule], chain.roles[rule], x, y, width, _HEIGHT)
        x += width + _GAP
    height = max((box.y + box.height for box in boxes.values()), default=0.0) + 1
    curves = [Curve(link, _path(boxes[link.cause], boxes[link.effect])) for link in chain.links]
    return Drawing(list(boxes.values()), curves, max(0.0, x - _GAP) + 1, height)


def _columns(rules: Sequence[str], links: Sequence[Link]) -> list[list[str]]:
    """The rules in columns, each within its column where what it follows from stands."""
    causes: dict[str, set[str]] = {rule: set() for rule in rules}
    for link in links:
        if link.cause != link.effect:
            causes[link.effect].add(link.cause)
    placed: dict[str, int] = {}
    columns: list[list[str]] = []
    while len(placed) < len(rules):
        open_ = [rule for rule in rules if rule not in placed]
        # where nothing is free of causes there is a circle: it is opened at its first rule
        free = [rule for rule in open_ if causes[rule] <= placed.keys()] or open_[:1]
        free.sort(key=lambda rule: _middle([placed[cause] for cause in causes[rule] if cause in placed]))
        columns.append(free)
        placed |= {rule: place for place, rule in enumerate(free)}
    return columns


def _middle(places: Sequence[int]) -> float:
    return sum(places) / len(places) if places else 0.0


def _path(cause: Box, effect: Box) -> str:
    begin, end = (cause.x + cause.width, cause.y + cause.height / 2), (effect.x - 2, effect.y + effect.height / 2)
    bend = max(40.0, abs(end[0] - begin[0]) / 2)
    return (
        f"M{begin[0]:.1f} {begin[1]:.1f} C{begin[0] + bend:.1f} {begin[1]:.1f} "
        f"{end[0] - bend:.1f} {end[1]:.1f} {end[0]:.1f} {end[1]:.1f}"
    )
