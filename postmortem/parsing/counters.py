"""The steps, batches and epochs that a record counts, in whatever words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.reading import LONGEST, WINDOW, Reading

if TYPE_CHECKING:
    from postmortem.parsing.names import Names

_COUNTER: Final = re.compile(
    r"(?<![A-Za-z0-9_./-])(?P<word>[A-Za-z][A-Za-z_]{0,20})"
    r"(?:\s?[:=#]\s?|\s|(?=\[))\[?\s*(?P<at>[0-9]{1,12})(?:\s*(?:/|of)\s*[0-9]+)?"
    r"(?![0-9A-Za-z_.%,]\w|[0-9A-Za-z_%]|/[A-Za-z]|-[0-9])"
)
#: A counter alone in brackets, with a tab behind it, as boosters print it.
_BRACKET: Final = re.compile(r"\[(?P<at>[0-9]{1,12})\]\t")
#: Before a counter's word these make it an amount: `total step: 500`, `every step 10`.
_AMOUNT: Final = re.compile(r"(?i)\b(?:total|max|num|number of|warmup|every|per|save|log)[\s_-]*$")
#: What is done with files at a step says nothing of the lines after it.
_NO_HEADING: Final = re.compile(
    r"(?i)\b(?:sav(?:e|ed|ing)|load(?:ed|ing)?|checkpoints?|restor(?:e|ed|ing)|resum(?:e|ed|ing))\b"
)


def heads(text: str) -> bool:
    """True where a record that counts may be a heading, whose step holds for the lines after it."""
    return _NO_HEADING.search(text) is None


def read_counters(text: str, names: Names) -> Reading:
    """The steps, batches and epochs that a record counts. They place whatever else it holds."""
    reading = Reading()
    for found in _COUNTER.finditer(text, 0, LONGEST):
        word = found["word"].lower()
        kind = names.counters.get(word)
        if kind is None or (len(word) == 1 and f"{found['word']}:" not in text):
            continue
        if _AMOUNT.search(text, max(0, found.start() - WINDOW), found.start()):
            continue
        if kind == "epoch":
            if reading.epoch is None:
                reading.epoch, reading.epoch_at = float(found["at"]), found.span("at")
        elif reading.step is None or (kind == "step" and reading.step_unit == "batch_of_epoch"):
            reading.step, reading.step_at = int(found["at"]), found.span("at")
            reading.step_unit = "batch_of_epoch" if kind == "batch" else "unknown"
    if reading.step is None and (alone := _BRACKET.match(text)):
        reading.step, reading.step_at, reading.step_unit = int(alone["at"]), alone.span("at"), "unknown"
    return reading
