"""Shares that are printed as how many of how many: `Accuracy: 7500/10000 (75%)`, `acc: 75/100`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.numbers import read

if TYPE_CHECKING:
    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Pair

#: Of all answers; what has one of these names is no count.
_SHARES: Final = frozenset({"accuracy", "f1", "precision", "recall", "top5"})
_OF: Final = re.compile(r"\s?/\s?[0-9]{1,12}(?![\w.%/])")


def as_share(pair: Pair, text: str, names: Names) -> Pair:
    """The pair, its value the ratio where it is such a share: finer than the percentage that may stand behind it."""
    of = _OF.match(text, pair.at[1]) if pair.text.isdigit() else None
    if of is None or names.metric(pair.key).name not in _SHARES:
        return pair
    printed = text[pair.at[0] : of.end()]
    return pair._replace(value=read(printed), text=printed, at=(pair.at[0], of.end()))
