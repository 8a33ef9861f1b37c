"""Which of a thousand patterns may stand in a line, by their literal texts, without looking for each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from postmortem.parsing.arrays import Ints

#: Characters in a row, as one number.
_LONG: Final = 4
_NUMBER: Final = np.dtype("<u4")
#: Spreads numbers over a table of flags (Knuth's multiplicative hashing).
_SPREAD: Final = np.uint32(0x9E3779B1)
_KEPT: Final = np.uint32(16)  # bits
_MASK: Final = bytes.maketrans(b"123456789", b"0" * 9)


class Needles:
    """Groups of texts by number, found by two pieces of each group, as `rarest` chooses them. Any digit is as good."""

    def __init__(self, rarest: Iterable[Sequence[str]]) -> None:
        self._short: list[tuple[int, str, str]] = []  # the group, and two texts that it needs
        self._by_run: dict[int, list[tuple[int, int]]] = {}  # the group, and the second run that it needs
        for number, pieces in enumerate(rarest):
            one, other = pieces[0], pieces[-1]
            if len(one) == len(other) == _LONG:
                self._by_run.setdefault(_as_number(one), []).append((number, _as_number(other)))
            else:
                self._short.append((number, one, other))
        needed = {*self._by_run, *(other for found in self._by_run.values() for _, other in found)}
        self._marked = np.zeros(2 ** int(_KEPT), np.bool_)
        self._marked[_places(np.array([*needed], _NUMBER))] = True

    def maybe_in(self, text: str) -> list[int]:
        """The numbers of all groups of which every text stands in `text`, and of some others, in order."""
        code = _encoded(text)
        shown = code.decode()
        runs = np.ndarray((max(0, len(code) - _LONG + 1),), _NUMBER, code, strides=(1,))
        present = set(runs[self._marked.take(_places(runs))].tolist())
        found = [number for number, one, other in self._short if one in shown and other in shown]
        found += [
            number for run in present & self._by_run.keys() for number, other in self._by_run[run] if other in present
        ]
        return sorted(found)


def rarest(groups: Iterable[Collection[str]]) -> list[list[str]]:
    """Of each group of texts the two runs of four characters that the fewest others hold; its texts where none is."""
    held = [_runs(texts) for texts in groups]
    shared = Counter(run for runs in held for run in runs)
    return [sorted(runs, key=lambda run: (shared[run], run))[:2] for runs in held]


def _runs(texts: Collection[str]) -> set[str]:
    """Every run of four characters of these texts; where none is so long, the texts, or one that stands everywhere."""
    coded = [_encoded(text).decode() for text in texts]
    runs = {text[at : at + _LONG] for text in coded for at in range(len(text) - _LONG + 1)}
    return runs or {*coded} or {""}


def _encoded(text: str) -> bytes:
    """A text with every digit as 0; what is not ASCII is as good as a question mark."""
    return text.encode("ascii", "replace").translate(_MASK)


def _as_number(run: str) -> int:
    return int.from_bytes(run.encode(), "little")


def _places(runs: Ints) -> Ints:
    places: Ints = (runs * _SPREAD) >> _KEPT
    return places
