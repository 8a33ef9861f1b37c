"""All options of a program on one line: `Namespace(lr=0.1, epoch=1)`, `{'epochs': 9, 'amp': True, ...}`, a command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.parsing.names import Names

#: What holds options and nothing else; a layer does, in the print of a model: `(dropout): Dropout(p=0.1`.
_HOLDER: Final = re.compile(
    r"\b(?:Namespace|[A-Z]\w*(?:Args|Arguments|Config|Params|Options))\((?=\w+=)|^\s*\(\w+\): [A-Z]\w*\(.*=.*\)$"
)
_NUMBER: Final = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
#: Of an assignment to a list or to another object nothing is taken.
_OPTION: Final = re.compile(
    r"(?<![\w.'\"])(?P<quote>['\"]?)(?P<key>[A-Za-z_]\w{0,60})(?P=quote)\s{0,2}(?:=|(?<=['\"]):|(?<=['\"]\s):)\s{0,2}"
    rf"(?P<value>None|True|False|null|true|false|'[^']{{0,200}}'|\"[^\"]{{0,200}}\"|{_NUMBER})(?=\s{{0,2}}(?:[,;)}}\]]|$))"
)
#: What is no number: a line that measures something rarely has one of these, and never many.
_WORD: Final = re.compile(r"[A-Za-z'\"]")
_MANY: Final = 3
#: With so many a line is options, whatever its numbers are called: `iou=0.7` may be a threshold.
_SURELY: Final = 10
#: Options of a command line. Two of them make a line a command.
_COMMAND: Final = re.compile(r"(?<!\S)--(?P<key>[A-Za-z][\w-]{0,60})(?:=|\s+)(?P<value>(?!--)[^\s=]+)")
_COMMANDED: Final = 2
#: Options with one dash, in the call of a script: `python train.py -layers 2 -dropout 0.2`.
_SCRIPT: Final = re.compile(r"\.(?:py|lua|sh)\s(?=.{0,300}?\s-[A-Za-z])")
_SHORT: Final = re.compile(r"(?<!\S)-(?P<key>[A-Za-z][\w-]{1,60})\s+(?P<value>(?!-[A-Za-z])[^\s=]+)")


def options_in(text: str, names: Names) -> list[re.Match[str]]:
    """The options of a dump as matches with `key` and `value`; none where a text may be anything else."""
    if "=" in text and "(" in text and _HOLDER.search(text):
        return list(_OPTION.finditer(text))
    if text.count("--") >= _COMMANDED and len(found := list(_COMMAND.finditer(text))) >= _COMMANDED:
        return found
    if " -" in text and (script := _SCRIPT.search(text)):
        found = list(_SHORT.finditer(text, script.end() - 1))
        if len(found) >= _COMMANDED and any(names.setting(option["key"]) for option in found):
            return found
    if not ("True" in text or "False" in text or "None" in text):
        return []
    found = list(_OPTION.finditer(text))
    words = sum(_WORD.match(option["value"]) is not None for option in found)
    measured = words < _SURELY and any(_measured(option, names) for option in found)
    return [] if words < _MANY or measured else found


def _measured(option: re.Match[str], names: Names) -> bool:
    """True where only a metric has the name of a number."""
    key = option["key"]
    return not _WORD.match(option["value"]) and names.metric(key).known and names.setting(key) is None
