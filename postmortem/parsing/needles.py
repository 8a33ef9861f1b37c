"""Which of a thousand short texts may stand in a line, without looking for each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Characters by which a text is found; one that is shorter counts as everywhere.
_SIZE: Final = 4


class Needles:
    """Texts by number, found by four characters of each that the fewest others hold."""

    def __init__(self, needles: Iterable[str]) -> None:
        grams = [_grams(needle) for needle in needles]
        shared = Counter(gram for held in grams for gram in held)
        self._everywhere = [number for number, held in enumerate(grams) if not held]
        self._by_gram: dict[str, list[int]] = {}
        for number, held in enumerate(grams):
            if held:
                self._by_gram.setdefault(min(held, key=lambda gram: (shared[gram], gram)), []).append(number)

    def maybe_in(self, text: str) -> list[int]:
        """The numbers of all texts that stand in `text`, and of some that do not, in order."""
        found = [number for gram in _grams(text) & self._by_gram.keys() for number in self._by_gram[gram]]
        return sorted([*found, *self._everywhere])


def _grams(text: str) -> set[str]:
    return {text[at : at + _SIZE] for at in range(len(text) - _SIZE + 1)}
