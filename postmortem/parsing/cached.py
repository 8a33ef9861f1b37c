"""Dialects that were read and checked before: YAML takes long, and they rarely change (see `cache.py`).

What is kept is data that is validated again, only not proved again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from postmortem import cache
from postmortem.parsing import dialect, pattern
from postmortem.parsing.dialect import PROVED, Dialect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: What decides whether a dialect fits.
_CODE: Final = (("dialect", dialect.__file__), ("pattern", pattern.__file__))
_ALL: Final = TypeAdapter(list[Dialect])


def load(paths: Sequence[Path]) -> list[Dialect]:
    """The dialects in these files. PostmortemError names the file that does not fit."""
    place = cache.place("dialects", [*_CODE, *((path.name, path) for path in paths)])
    if (data := cache.kept(place)) is not None:
        with suppress(ValueError):  # a ValidationError is one
            found = _ALL.validate_python(data, context=PROVED)
            for one, path in zip(found, paths, strict=True):
                one.path = str(path)
            return found
    loaded = [dialect.load(path) for path in paths]
    cache.keep(place, _ALL.dump_python(loaded))
    return loaded
