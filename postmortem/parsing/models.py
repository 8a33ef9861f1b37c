"""What one of several models prints that a program trains in turn: their values are no one course."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.loggers import LEVELS

if TYPE_CHECKING:
    from postmortem.parsing.reading import Pair, Where

#: Before all else in a record, and before the split: `ResNet50 - Val Loss: 0.5`. A model has capitals within its name;
#: a logger, which may stand there as well, has none but the first.
_MODEL: Final = re.compile(
    r"\s*(?P<model>(?=\w*[A-Z0-9]\w*[A-Z0-9])[A-Z][\w.+]{1,30}) - (?=(?i:train|val|valid|test|dev|eval)\w{0,7} )"
)
#: What stands there as well.
_SPLITS: Final = frozenset({"TRAIN", "VAL", "TEST"})


def of_model(text: str, pairs: list[Pair], looked_at: list[Where]) -> list[Pair]:
    """`pairs`, those of a record that begins with a model as of that model."""
    found = _MODEL.match(text)
    if found is None or found["model"] in LEVELS | _SPLITS:
        return pairs
    looked_at.append(found.span("model"))
    return [pair._replace(model=found["model"]) for pair in pairs]
