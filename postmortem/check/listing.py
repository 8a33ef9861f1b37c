"""Files in which a person lists logs and rules: read as YAML, and told by file and line where they do not fit.

Logs in them are relative to their folder, whether they are checked from there or from anywhere else.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from postmortem.archive.places import is_url
from postmortem.errors import PostmortemError, did_you_mean
from postmortem.yamltext import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable

Model = TypeVar("Model", bound=BaseModel)


def load(file: Path, model: type[Model]) -> Model:
    """What a file holds. PostmortemError: file, line and reason."""
    try:
        text = file.read_text(encoding="utf-8")
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PostmortemError(f"{file}:{line}: not YAML: {error.problem}") from None
    except OSError as error:
        raise PostmortemError(f"{file}: cannot be read: {error.strerror}; check the path") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise PostmortemError(f"{file}: not YAML: {error}") from None
    try:
        return model.model_validate({} if data is None else data)
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"])) or "file"
        reason = detail["msg"].removeprefix("Value error, ")
        raise PostmortemError(f"{file}:{line_of(text, detail['loc'])}: {place}: {reason}") from None


def relative(name: str, folder: Path) -> str:
    """The name of a log as a file in `folder` has it: a URL stays as it is."""
    return name if is_url(name) else Path(os.path.relpath(name, folder)).as_posix()


def matches(name: str, pattern: str) -> bool:
    """Whether a relative name is that of a pattern with * ? [a-z]; `*` passes over `/` too."""
    return name == pattern or fnmatchcase(name, pattern)


def refuse_unknown(file: Path, rules: Iterable[str], known: Iterable[str]) -> None:
    """PostmortemError for a rule, no pattern, that does not exist: it would never be found."""
    there = set(known)
    for rule in rules:
        if rule not in there and not set(rule) & set("*?["):
            raise PostmortemError(f"{file}: no rule {rule!r}{did_you_mean(rule, there)}")
