"""Which of a thousand patterns may stand in a line, by their literal texts, without looking for each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from postmortem.parsing.arrays import Ints

#: Characters in a row, as a number; two where a group has no text of four. One without any counts as everywhere.
_LONG: Final = 4
_SHORT: Final = 2
_NUMBER: Final = np.dtype("<u4")
_SHORTENED: Final = np.uint32(256**_SHORT - 1)
#: Spreads numbers over a table of flags (Knuth's multiplicative hashing).
_SPREAD: Final = np.uint32(0x9E3779B1)
_KEPT: Final = np.uint32(16)  # bits


class Needles:
    """Groups of texts by number, found by two runs of characters of each group, as `rarest` chooses them."""

    def __init__(self, rarest: Iterable[Sequence[int]]) -> None:
        self._everywhere: list[int] = []
        self._by_run: dict[int, list[tuple[int, int]]] = {}  # the group, and the second run that it needs
        for number, runs in enumerate(rarest):
            if runs:
                self._by_run.setdefault(runs[0], []).append((number, runs[-1]))
            else:
                self._everywhere.append(number)
        needed = {*self._by_run, *(other for found in self._by_run.values() for _, other in found)}
        self._marked = np.zeros(2 ** int(_KEPT), np.bool_)
        self._marked[_places(np.array([*needed], _NUMBER))] = True

    def maybe_in(self, text: str) -> list[int]:
        """The numbers of all groups of which every text stands in `text`, and of some others, in order."""
        long = _numbers(text)
        short = long & _SHORTENED
        present = {*long[self._marked[_places(long)]].tolist(), *short[self._marked[_places(short)]].tolist()}
        found = [
            number for run in present & self._by_run.keys() for number, other in self._by_run[run] if other in present
        ]
        return sorted([*found, *self._everywhere])


def rarest(groups: Iterable[Collection[str]]) -> list[list[int]]:
    """Of each group of texts the two runs of characters, as numbers, that the fewest others hold; fewer of few."""
    held = [_runs(texts, _LONG) or _runs(texts, _SHORT) for texts in groups]
    shared = Counter(run for runs in held for run in runs)
    return [sorted(runs, key=lambda run: (shared[run], run))[:2] for runs in held]


def _runs(texts: Collection[str], size: int) -> set[int]:
    """Every run of `size` characters of these texts."""
    return {
        int.from_bytes(text[at : at + size].encode("ascii", "replace"), "little")
        for text in texts
        for at in range(len(text) - size + 1)
    }


def _numbers(text: str) -> Ints:
    """Every four characters in a row, zeros behind the last; what is not ASCII is as good as a question mark."""
    code = text.encode("ascii", "replace") + bytes(_LONG)
    return np.ndarray((len(code) - _LONG,), _NUMBER, code, strides=(1,))


def _places(runs: Ints) -> Ints:
    places: Ints = (runs * _SPREAD) >> _KEPT
    return places
