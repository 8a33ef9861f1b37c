"""Secrets in text from a log, masked: jobs echo their environment, and reports get shared."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound="BaseModel")

MASK: Final = "***"

#: Of a setting: what holds its value, the secret that its key may tell of.
_HELD: Final = ("value", "first", "last")
#: Names whose value is a secret whatever it looks like.
_NAME: Final = r"(?:api[_-]?key|passw(?:or)?d|passphrase|secret|credentials?|private[_-]?key|access[_-]?key)"
#: Often harmless (`pad_token=<pad>`): masked only before twelve characters that could be a key.
_TOKEN: Final = r"(?<![a-z])(?:access|api|auth|bot|refresh)?[_-]?token"  # noqa: S105 - a name, not a secret
_GIVES: Final = r"""[\\"']{0,2}\s{0,4}[=:]\s{0,4}"""
_VALUE: Final = r"""(?!\*{3})(?:\\?"[^"]*"?|\\?'[^']*'?|[^\s"']+)"""
_NOT_EMPTY: Final = r"""(?!["']?(?:none|null|true|false)\b)"""

_ANY_CASE: Final = (
    rf"(?P<keep>{_NAME}[\w-]{{0,40}}{_GIVES}){_NOT_EMPTY}{_VALUE}",
    rf"(?P<keep>{_TOKEN}{_GIVES})(?=[\"']?[\w.+/=~-]{{12}}){_VALUE}",
    rf"(?P<keep>(?<![\w-])--?[\w-]{{0,40}}(?:{_NAME}|token)\s{{1,4}})(?!-){_NOT_EMPTY}{_VALUE}",
    r"(?P<keep>\bauthorization\W{1,4}(?:basic|bearer|token)\s{1,4})[\w.+/=~-]+",
    r"(?P<keep>\bbearer\s{1,4})(?=[\w.+/=~-]{0,60}\d)[\w.+/=~-]{8,}",
    r"(?P<keep>\bwandb\s{1,4}login\s{1,4})[0-9a-f]{40}\b",
    r"(?P<keep>(?<![\w+.-])[a-z][\w+.-]{1,15}://[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)",
)
#: Keys that are known by how they begin, whatever name they stand under.
_PREFIXED: Final = (
    r"(?P<keep>(?<![\w-])hf_)[A-Za-z0-9]{16,}",
    r"(?P<keep>(?<![\w-])sk-)(?=[\w-]{0,60}\d)[\w-]{20,}",
    r"(?P<keep>(?<![\w-])(?:AKIA|ASIA))[0-9A-Z]{16}\b",
    r"(?P<keep>(?<![\w-])(?:gh[opsru]_|github_pat_|glpat-|npm_|nvapi-|pypi-|xox[abeoprs]-|AIza))[\w-]{16,}",
    r"(?P<keep>(?<![\w-])eyJ)[\w-]{10,}\.[\w-]{10,}\.[\w-]+",
)
#: A value that each name of a secret masks.
_SECRET_LIKE: Final = "0123456789abcdef"  # noqa: S105 - as long as one, and none
_SECRETS: Final = (
    *(re.compile(pattern, re.IGNORECASE) for pattern in _ANY_CASE),
    *(re.compile(pattern) for pattern in _PREFIXED),
)
#: A part of each expression above: text without any of them holds no secret, and most text is without.
_HINT: Final = re.compile(
    r"key|passw|passphrase|secret|credential|token|authorization|bearer|login|://"
    r"|hf_|sk-|akia|asia|gh[opsru]_|github_pat_|glpat-|npm_|nvapi-|pypi-|xox|aiza|eyj",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """`text` with each secret as `***` behind its name or prefix. Masked text passes unchanged."""
    if not _HINT.search(text):
        return text
    for secret in _SECRETS:
        text = secret.sub(rf"\g<keep>{MASK}", text)
    return text


def scrub(model: Model) -> Model:
    """A copy of a pydantic `model` in which every text is masked, settings by the name of their key too."""
    return type(model).model_validate(_scrubbed(model.model_dump(by_alias=True)))


def _masked(name: str, value: str) -> bool:
    return mask(f'{name}="{value}"').startswith(f"{name}={MASK}")


@lru_cache(maxsize=4096)
def _tells(name: str) -> bool:
    """Whether a name can tell of a secret at all: few do, and they come again and again."""
    return _masked(name, _SECRET_LIKE)


def _scrubbed(value: object, name: str = "") -> object:
    if isinstance(value, str):
        return MASK if name and _tells(name) and _masked(name, value) else mask(value)
    if isinstance(value, dict):
        owners = dict.fromkeys(_HELD, value["key"]) if "key" in value else {}
        return {key: _scrubbed(item, str(owners.get(key, key))) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    return value
