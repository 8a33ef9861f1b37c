"""What is spelled in a way of its own, written as everything else is, so that one reader does for all."""

from __future__ import annotations

import re
from typing import Final

#: Punctuation as wide as a Chinese character, the sides of drawn boxes and the sign of a note, which counts as a
#: letter, are as good as any, one for one.
_NARROW: Final = str.maketrans("\uff1a\uff1d\uff0c\uff1b\uff08\uff09\u3000\u2502\u2503\u2551\u2139", ":=,;() ||| ")
#: What Markdown prints in bold: `dev MAE: **2.5**`.
_BOLD: Final = re.compile(r"\*\*([^*\s][^*]{0,60}?)\*\*")
#: Thresholds that a measure is a mean over, which are no pair: `mAP@0.50:0.95: 0.25`.
_THRESHOLDS: Final = re.compile(r"(@\[?0?\.[0-9]{1,2}):(0?\.[0-9]{1,2})(?=\]?\s*[:=|]|\s)")
#: A measure of the first k, `Recall(k=20): 0.25`, and a list of one number behind a name, `loss [ 0.75]`.
_OF_FIRST: Final = re.compile(r"(?<=\w)\(k=([0-9]{1,4})\)")
_LIST_OF_ONE: Final = re.compile(
    r"(?<=[A-Za-z]\s)\[(\s{0,3}[-+]?[0-9]{0,12}\.[0-9]{1,17}(?:[eE][-+]?[0-9]{1,3})?\s{0,3})\](?!\s*[=:])"
)
#: A name and its value, with nothing else behind it: `valid_en-fr_mt_ppl -> 12.5`, `loss->0.5, acc->0.75`.
_ARROW: Final = re.compile(
    r"(?<![\w.>])([A-Za-z_](?:[\w@./]|-(?!>)){0,60})( ?)->"
    r"(?=\s?[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,3})?\s*(?:[;|]|,\s*[A-Za-z]|\Z))"
)
#: The sign of a number behind a counter's word, with a name behind that number: `Epoch #1 Error:0.5`.
_NUMBER_SIGN: Final = re.compile(
    r"(?i)(?<![\w.])(epoch|iteration|iter|step|batch|episode|round) #(?=[0-9]{1,9} [A-Za-z])"
)
#: A tuple that Python 2 printed where Python 3 prints its parts: `('Epoch: ', 116)`.
_TUPLE: Final = re.compile(r"\s*\((?=['\"]).*['\"]\s?,\s.*\)\s*\Z")
_OF_TUPLE: Final = re.compile(r"\A\s*\(['\"]|['\"]\s?,\s?(?:['\"])?|(?<=[0-9])\s?,\s['\"]|['\"]?\)\s*\Z")
#: A sign as good as one colon, before a number: `epoch::0 loss::2.5`.
_TWO_COLONS: Final = re.compile(r"(?<=[\w ])::(?= ?(?:[-+.]?[0-9]|nan|inf))")
#: A number in the brackets of a placeholder, and a text as R prints it: `Loss: <1.5>`, `[1] "auc: 0.75"`.
_PLACEHOLDER: Final = re.compile(r"<([-+]?[0-9.]{1,30}(?:[eE][-+]?[0-9]{1,4})?)>")
_R_TEXT: Final = re.compile(r'\A\[1\] "(?=.*"\s*\Z)')
#: A name between dashes before its number: `--LOSS-- tensor(2.5)`.
_BETWEEN_DASHES: Final = re.compile(r"(?<=\s)--([A-Za-z]\w{1,30})--(?=\s(?:tensor\()?[-+]?(?:[0-9.]|nan|inf))")
#: A number, or how far a counter is, in the braces of a format string: `epoch: {1/300}, loss : {2.5}`.
_IN_BRACES: Final = re.compile(r"(?<=[:=])(\s?)\{(\s?[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,3}|/[0-9]+)?\s?)\}")
#: What each of these is written as, in as many characters, and a sign without which it is not looked for.
_SPELLED: Final = (
    ("**", _BOLD, r"  \1  "),
    ("::", _TWO_COLONS, ": "),
    ("<", _PLACEHOLDER, r" \1 "),
    ("->", _ARROW, r"\1\2= "),
    (" #", _NUMBER_SIGN, r"\1  "),
    ("{", _IN_BRACES, r"\1 \2 "),
    ("(k=", _OF_FIRST, r"@\1   "),
    (" [", _LIST_OF_ONE, r" \1 "),
    ("@", _THRESHOLDS, r"\1-\2"),
    (" --", _BETWEEN_DASHES, r"  \1: "),
)


def plain(text: str) -> str:
    """`text` with ASCII's punctuation, one colon or sign before a number, and no marks around it.

    All stays in its place.
    """
    if text.endswith(")") and _TUPLE.match(text):
        text = _OF_TUPLE.sub(lambda found: " " * len(found[0]), text)
    if text.startswith("[1] ") and _R_TEXT.match(text):
        text = f"     {text[5:].rstrip()[:-1]}"
    for sign, pattern, usual in _SPELLED:
        if sign in text:
            text = pattern.sub(usual, text)
    return text if text.isascii() else text.translate(_NARROW)
