"""The range of a named tensor, `Layer 3: attn: min=-4.2, max=5.5, mean=0.1`, and by its name what it is of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.names import normalise
from postmortem.parsing.numbers import NUMBER, read
from postmortem.parsing.pairs import AFTER
from postmortem.parsing.reading import Pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Reading

_SCOPE: Final = re.compile(r"(?i)\b(?:layers?|blocks?|stage|h)[\s._]?\[?([0-9]+)")
#: Around a tensor's name: the layer before it, and words such as `range` behind it.
_NOT_A_NAME: Final = re.compile(
    r"(?i)^.*?\b(?:layers?|blocks?|stage)\s?\[?[0-9]+\]?\s*[:,-]\s*|(?<!\s)\s*\b(?:output|range|stats?|values?)$"
)
#: Both ends of a range without a sign: `images min 0 max 255`.
_ENDS: Final = re.compile(rf"(?<![\w.])min\s+(?P<min>{NUMBER}),?\s+max\s+(?P<max>{NUMBER}){AFTER}")
_STATISTICS: Final = ("min", "max", "mean", "std", "rms", "norm")
#: Words in a name that make it something else than what an operation gives: what goes into it, its logarithm.
_NOT_ITS_OUTPUT: Final = frozenset({"in", "input", "inputs", "into", "pre", "before", "log", "logits", "mask", "inv"})
_OUTPUT: Final = frozenset({"out", "output", "outputs"})
_NUMBER: Final = re.compile(r"[0-9]+$")
#: A name and what sums up several of its values.
_OF_A_METRIC: Final = re.compile(r"\s*(?P<label>[A-Za-z][\w ]{0,30}):\s+(?=(?:mean|min|max|std)\s?[=:])")
_SUMMARY: Final = frozenset({"min", "max", "mean", "std", "median", "avg"})


def read_tensor(text: str, pairs: Sequence[Pair], names: Names, reading: Reading) -> bool:
    """Note the tensor whose least and greatest value a record gives; False where it gives none."""
    by_key = {pair.key.lower().rpartition(" ")[2]: pair for pair in pairs}
    if not pairs and (ends := _ENDS.search(text)):
        by_key = {end: Pair(end, read(ends[end]), ends[end], ends.span(end)) for end in ("min", "max")}
    if not {"min", "max"} <= set(by_key):
        return False
    before = re.split(r"(?i)\bmin\b", text, maxsplit=1)[0].rstrip(" =:([{'\"")
    noise = _NOT_A_NAME.sub(lambda found: " " * len(found[0]), before)
    words = list(re.finditer(r"[A-Za-z_][\w.]*", noise))
    if not words:
        return False
    label = words[-1]
    if label[0].lower() in by_key:  # it has a value of its own: `score: 0.07 min: -0.1 max: 0.3`, of the last episodes
        return False
    scope = _SCOPE.search(before)
    operation = _operation(label[0], names)
    reading.tensor = {
        "name": label[0],
        "scope": scope[1] if scope else None,
        "kind": _kind(label[0], operation),
        "op": operation,
        **{key: by_key[key].value for key in _STATISTICS if key in by_key},
    }
    reading.tensor_at = {
        "name": label.span(),
        **({"scope": scope.span(1)} if scope else {}),
        **{key: by_key[key].at for key in _STATISTICS if key in by_key},
    }
    return True


def statistics_of_a_metric(text: str, pairs: Sequence[Pair], names: Names) -> list[Pair]:
    """What sums up a metric or a counter, under its name: `Reward: mean=3.06, min=1.92, max=10.06`. Else nothing."""
    found = _OF_A_METRIC.match(text)
    if found is None or not {pair.key.lower() for pair in pairs} <= _SUMMARY:
        return []
    label, known = found["label"], names.metric(found["label"]).known
    if not known and names.counter(label) is None:
        return []
    return [pair._replace(key=label if known and pair.key == "mean" else f"{label} {pair.key}") for pair in pairs]


def _kind(label: str, operation: str | None) -> str:
    lowered = label.lower()
    if "grad" in lowered:
        return "gradient"
    if operation is None and re.search(r"weight|bias|gamma|beta|param", lowered):
        return "parameter"
    return "activation"


def _operation(label: str, names: Names) -> str | None:
    """What gave a tensor, by the end of its name: `ln_2_out` is of a normaliser, `pre_ln` and `ln.weight` are not."""
    words = [word for part in normalise(label).split("_") if (word := _NUMBER.sub("", part))]
    if words and words[-1] in _OUTPUT:
        words.pop()
    if any(word in _NOT_ITS_OUTPUT or "grad" in word for word in words):
        return None
    ends = ("_".join(words[first:]) for first in range(len(words)))
    return next((names.operations[end] for end in ends if end in names.operations), None)
