"""The user's configuration: `[tool.postmortem]` in pyproject.toml, or postmortem.toml, where it stands at the top.

The nearest one counts, from the current folder upwards, and it alone; in one folder postmortem.toml comes first. A
pyproject.toml without that table is passed over. Paths in it are relative to its folder. Options win over it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from postmortem.errors import PostmortemError, did_you_mean
from postmortem.rules.finding import Severity

if TYPE_CHECKING:
    from pydantic import ValidationInfo
    from pydantic_core import ErrorDetails

_OWN: Final = "postmortem.toml"
_SHARED: Final = "pyproject.toml"


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class Config(BaseModel):
    """What a configuration file says. A new field is a new key, with dashes for its underscores."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, alias_generator=_kebab)

    formats: tuple[Path, ...] = ()  # dialects, or folders of them
    rules: tuple[Path, ...] = ()  # folders of rules
    fail_on: Severity = "medium"  # exit with 1 for findings of this severity or above

    @field_validator("formats", "rules")
    @classmethod
    def _exist(cls, paths: tuple[Path, ...], info: ValidationInfo) -> tuple[Path, ...]:
        """Relative paths start at the file's folder."""
        found = tuple((info.context or Path()) / path for path in paths)
        for path in found:
            if not (path.is_dir() or (path.is_file() and info.field_name == "formats")):
                raise ValueError(f"{path}: no such {'folder' if info.field_name == 'rules' else 'file or folder'}")
        return found


def nearest(folder: Path) -> Config:
    """The configuration of a folder or of the nearest one above it; the defaults where there is none."""
    for place in (folder, *folder.parents):
        if _is_file(place / _OWN):
            return load(place / _OWN)
        if _is_file(place / _SHARED) and _table(place / _SHARED) is not None:
            return load(place / _SHARED)
    return Config()


def load(file: Path) -> Config:
    """The configuration in a file. PostmortemError: file, key, and what is wrong with it."""
    table = _table(file)
    if table is None:
        raise PostmortemError(f"{file}: no table [tool.postmortem]; add it, or name another file")
    try:
        return Config.model_validate(table, context=file.parent)
    except ValidationError as error:
        raise PostmortemError(f"{file}: {_reason(error.errors()[0])}") from None


def _table(file: Path) -> dict[str, Any] | None:
    """The keys that a file holds for this program; None for a pyproject.toml that has nothing to say to it."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PostmortemError(f"{file}: no such configuration file; check the path") from None
    except OSError as error:
        raise PostmortemError(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PostmortemError(f"{file}: not TOML: {error}; repair it, or pass --no-config") from None
    if file.name != _SHARED:
        return data
    tools = data.get("tool")
    table = tools.get("postmortem") if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise PostmortemError(f"{file}: tool.postmortem: a table is expected")
    return table


def _reason(detail: ErrorDetails) -> str:
    """One line for what pydantic found: the key, what is wrong, and what was probably meant."""
    key = ".".join(map(str, detail["loc"]))
    if detail["type"] == "extra_forbidden":
        known = [_kebab(name) for name in Config.model_fields]
        return f"{key}: no such key{did_you_mean(key, known) or '; there are ' + ', '.join(known)}"
    given = detail["input"]
    if detail["type"] == "literal_error":
        words = str(detail.get("ctx", {}).get("expected", "")).replace("'", "")
        return f"{key}: {given!r} is none of {words}{did_you_mean(str(given), words.replace(' or ', ', ').split(', '))}"
    if detail["type"] == "tuple_type":
        return f"{key}: a list is expected, this is {type(given).__name__}"
    return f"{key}: {detail['msg'].removeprefix('Value error, ')}"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder above that may not be looked into
        return False
