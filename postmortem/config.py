"""The user's configuration: `[tool.postmortem]` in pyproject.toml, or postmortem.toml, where it stands at the top.

The nearest one counts, from the current folder upwards, and it alone; in one folder postmortem.toml comes first. A
pyproject.toml without that table is passed over. Paths in it are relative to its folder. Options win over it.
"""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from postmortem.errors import PostmortemError, did_you_mean
from postmortem.rules.finding import Severity

if TYPE_CHECKING:
    from pydantic import ValidationInfo
    from pydantic_core import ErrorDetails

_OWN: Final = "postmortem.toml"
_SHARED: Final = "pyproject.toml"


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class _Table(BaseModel):
    """A table of the file. A new field is a new key, with dashes for its underscores."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, alias_generator=_kebab)


class Ignore(_Table):
    """Why findings are ignored, and up to which day. A text alone is the reason."""

    reason: str
    until: date | None = None

    @model_validator(mode="before")
    @classmethod
    def _reason_alone(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return {"reason": value} if isinstance(value, str) else value

    @field_validator("reason")
    @classmethod
    def _given(cls, reason: str) -> str:
        if not reason.strip():
            raise ValueError("a reason is needed: say why its findings do not count")
        return reason


class Overrides(_Table):
    """What holds for all logs, or for those of a path: names of rules, of families, or patterns."""

    ignore: dict[str, Ignore] = {}  # findings that do not count
    params: dict[str, dict[str, float | str]] = {}  # parameters of a rule: a number, or one with its unit


class RuleLimits(_Table):
    """What one query of a rule may take."""

    seconds: float = Field(default=30.0, gt=0, le=86_400)
    memory: float = Field(default=2.0, ge=0.25, le=1024)  # GiB beyond what its process has when it starts


class Config(Overrides):
    """What a configuration file says."""

    formats: tuple[Path, ...] = ()  # dialects, or folders of them
    rules: tuple[Path, ...] = ()  # folders of rules
    fail_on: Severity = "medium"  # exit with 1 for findings of this severity or above
    select: tuple[str, ...] = ()  # the rules to run; all where none is named
    rule_limits: RuleLimits = RuleLimits()  # a rule that takes more is stopped, and named
    per_path: dict[str, Overrides] = {}  # for logs below the file's folder whose path a pattern matches
    _file: Path | None = PrivateAttr(default=None)

    @property
    def folder(self) -> Path:
        """Where paths begin: at the file, without one at the current folder."""
        return self._file.parent if self._file else Path()

    @property
    def where(self) -> str:
        """How an error about what the file says begins."""
        return f"{self._file}: " if self._file else ""

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
        found = Config.model_validate(table, context=file.parent)
    except ValidationError as error:
        # a key that is misspelt is missing as well
        first = min(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
        raise PostmortemError(f"{file}: {_reason(first)}") from None
    found._file = file  # noqa: SLF001 - of this very module
    return found


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
        known = [_kebab(name) for name in _table_of(detail["loc"]).model_fields]
        unknown = str(detail["loc"][-1])
        return f"{key}: no such key{did_you_mean(unknown, known) or '; there are ' + ', '.join(known)}"
    given = detail["input"]
    if detail["type"] == "literal_error":
        words = str(detail.get("ctx", {}).get("expected", "")).replace("'", "")
        return f"{key}: {given!r} is none of {words}{did_you_mean(str(given), words.replace(' or ', ', ').split(', '))}"
    if detail["type"] == "missing" and key.endswith(".reason"):
        return f"{key}: a reason is needed: say why its findings do not count"
    if detail["type"] == "tuple_type":
        return f"{key}: a list is expected, this is {type(given).__name__}"
    return f"{key}: {detail['msg'].removeprefix('Value error, ')}"


def _table_of(place: tuple[int | str, ...]) -> type[BaseModel]:
    """The kind of table in which a key stands."""
    if place[0] == "per-path" and len(place) > 1:
        return Ignore if "ignore" in place[2:-1] else Overrides
    if len(place) == 1:
        return Config
    return {"ignore": Ignore, "rule-limits": RuleLimits}.get(str(place[0]), Config)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder above that may not be looked into
        return False
