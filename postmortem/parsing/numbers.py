"""Numbers as logs spell them: one regular expression to find them, one function to read them."""

from __future__ import annotations

import math
import re
from typing import Final

#: A number, bare or wrapped: 1e-05, .5, 12,345, -inf, NaN, np.float64(0.4), tensor(2.1, ...), tf.Tensor(2.1,
#: shape=(), ...), param(0.5), "15.286", ~87. YAML has .nan, Lightning's bar nan.0, Julia 1.5f-5, Fortran 1.5D-05,
#: Windows' old C library 1.#QNAN0.
_BARE = (
    r"[-+]?(?:(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)"
    r"(?:\.(?:#(?:[QS]NAN|IND|INF)[0-9]*|[0-9]*(?:f-?[0-9]{1,2}(?![A-Za-z0-9_]))?))?|\.[0-9]+)"
    r"(?:[eE][-+]?[0-9]+|[dD][-+][0-9]{2,3}(?![A-Za-z0-9_]))?"
    r"|[-+]?(?:(?<![A-Za-z0-9_])\.)?(?i:infinity|inf|nan)(?:\.0{1,4})?(?![A-Za-z0-9_])"
)
_WRAPPER: Final = r"(?:(?:np|numpy)\.float[0-9]+|(?:torch\.)?tensor|param|tf\.Tensor|(?:Device)?Array)\("
#: What a wrapper says behind its number; one without dimensions says so.
_WRAPPED: Final = r"[^()]*(?:\(\)[^()]*)?\)"
_UNIT: Final = r"(?:[kKMGTB](?![A-Za-z0-9_/]))?"
NUMBER: Final = rf"(?:{_WRAPPER}(?:{_BARE}){_WRAPPED}|[\"'](?:{_BARE})[\"']|~?(?:{_BARE}){_UNIT})"
_FIND: Final = re.compile(_BARE)
_LONGER: Final = r"(?:d(?:ays?)?|h(?:(?:ou)?rs?)?|m(?:in(?:ute)?s?)?)"
#: A time of several units, as `0m 57s`, `1h22m38s` and `1 minute and 42.6 seconds`; one of one unit is a number.
DURATION: Final = (
    rf"(?:[0-9]{{1,4}}\s?{_LONGER}(?:,\s|,?\sand\s|\s)?(?=[0-9])){{1,3}}"
    rf"[0-9]{{1,4}}(?:\.[0-9]{{1,9}})?\s?(?:{_LONGER}|s(?:ec(?:ond)?s?)?)(?![A-Za-z0-9_])"
)
_PART: Final = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s?(?P<unit>[dhms])")
_SECONDS: Final = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
#: Right behind the digits, or a blank behind them at a text's end: `2.98 M`.
_SUFFIXED: Final = re.compile(r"(?:\s(?=.\Z))?(?P<unit>[kKMGTB])")
_SUFFIX: Final = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}


def number(name: str) -> str:
    """NUMBER with its digits written once, which is compiled in half the time. `name` begins two groups of its own."""
    wrapped, quoted = f"{name}_wrapped", f"{name}_quoted"
    opened = rf"(?:(?P<{wrapped}>{_WRAPPER})|(?P<{quoted}>[\"'])|~?)"
    return rf"{opened}(?:{_BARE})(?({wrapped}){_WRAPPED}|(?({quoted})[\"']|{_UNIT}))"


def bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the number itself stands in a number of `text`: without quotes, and of a wrapper what it wraps."""
    if text[start] in "\"'":
        return start + 1, end - 1
    if text[end - 1] != ")":
        return start, end
    # a wrapper's own digits (float64) stand before its bracket
    found = _FIND.search(text, text.index("(", start) + 1, end)
    return found.span() if found else (start, end)


def read(text: str) -> float:
    """The value of a number as NUMBER finds it, or of two whole ones with a slash. ValueError where there is none.

    1e400 reads as inf; a time of several units, as DURATION finds it, in seconds.
    """
    try:
        return float(text)
    except ValueError:
        pass
    if text[-1:].isalpha() and len(parts := _PART.findall(text)) > 1:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    part, slash, whole = text.partition("/")
    if slash:  # a share, as how many of how many
        return int(part) / int(whole) if int(whole) else math.nan
    # a wrapper's own digits (float64) stand before its bracket
    inner = text[text.find("(") + 1 :]
    found = _FIND.search(inner)
    if found is None:
        raise ValueError(f"no number in {text!r}")
    digits = found.group().replace(",", "")
    if "#" in digits:
        return math.copysign(math.inf, float(digits[: digits.find("#")])) if "INF" in digits else math.nan
    word = digits.lstrip("+-.")
    if word[0].isalpha():  # YAML's .nan, and nan.0 of a bar that fills numbers up
        return math.copysign(float(word.partition(".")[0]), -1.0 if digits[0] == "-" else 1.0)
    value = float(digits.lower().replace("f", "e").replace("d", "e"))  # Julia's single precision, Fortran's double
    suffix = _SUFFIXED.match(inner, found.end())
    return value * (_SUFFIX[suffix["unit"]] if suffix else 1.0)
