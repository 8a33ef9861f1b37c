"""What a training says of itself before it begins: `SGD lr 0.1 mom 0.9 | batch 64 | weight decay 1e-4`.

Such a line counts nothing and measures nothing. `batch` is how large one is there, and not which.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.numbers import read
from postmortem.parsing.reading import LONGEST, Assignment

if TYPE_CHECKING:
    from postmortem.parsing.names import Names

#: What makes a look at the rest worth it.
_TOLD: Final = re.compile(
    r"(?i)(?<![\w.])(?:lr|learning[ _-]rate|weight[ _-]decay|momentum|mom|dropout|(?:mini)?batch|bs)"
    r"(?=[ =:]{1,3}[0-9.])"
)
#: A name, which may end with one of these words, and its number; `batch 3/100` is counted.
_STATED: Final = re.compile(
    r"(?<![\w.'\"])(?P<key>[A-Za-z_][\w-]{0,40}(?: (?:rate|size|decay|norm|steps|dim|smoothing))?)"
    r"(?P<sep>\s?[=:]\s?|\s)"
    r"(?P<value>[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(?=[\s,;|)\]]|$)(?!\s+(?:of|from)\s)"
)
#: What counts the place of a measurement, in a line that is no preface.
_COUNTED: Final = re.compile(
    r"(?i)(?<![\w-])(?:epoch|ep|e|epoca|\u00e9poca|epoche|step|global_step|iter|iteration|it|episode|update|round|fold)"
    r"[\s:=#\[(]{0,3}[0-9]|^\W{0,5}(?:batch\W|[0-9]{1,9}\s?/\s?[0-9])|[\[(]\s*[0-9]{1,9}\s?/\s?[0-9]|[0-9]%"
)
_OPTIMIZER: Final = re.compile(
    r"(?<![\w.=])(?P<value>SGD|Adam[WX]?|NAdam|RAdam|RMSprop|Adagrad|Adadelta|LBFGS|Lion|sgd|adamw?|rmsprop)(?![\w=(])"
)
_BATCH: Final = frozenset({"batch", "minibatch", "bs"})
#: Known settings, of which one is no batch.
_FEWEST: Final = 2


def stated_in(text: str, names: Names) -> list[Assignment]:
    """The settings of a preface; none where a text may be anything else."""
    if not _TOLD.search(text, 0, LONGEST) or _COUNTED.search(text, 0, LONGEST):
        return []
    found = list(_STATED.finditer(text, 0, LONGEST))
    if any(names.metric(each["key"]).known and names.setting(each["key"]) is None for each in found):
        return []
    known = {names.setting(_name(each)) for each in found} - {None}
    if len(known) < _FEWEST:
        return []
    settings = [
        Assignment(_name(each), each["value"], read(each["value"]), each.span("value"))
        for each in found
        if "=" in each["sep"] or ":" in each["sep"] or names.setting(_name(each))
    ]
    if optimizer := _OPTIMIZER.search(text, 0, LONGEST):
        settings.append(Assignment("optimizer", optimizer["value"], None, optimizer.span("value")))
    return settings


def _name(found: re.Match[str]) -> str:
    """The key, which of a batch is its size."""
    return "batch_size" if found["key"].lower() in _BATCH else found["key"]
