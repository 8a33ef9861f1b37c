"""What was judged before, so that a run whose files have not changed is not read again: one SQLite file.

A run is known by its name, and by the sizes and times (or a store's versions) of its files; with `rehash`, by their
contents. What was judged by another version, rule, dialect or option is judged again.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from postmortem.archive.places import is_url
from postmortem.archive.work import Outcome, digest_of
from postmortem.errors import PostmortemError
from postmortem.incident import Incident

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.archive.places import Item

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS judged (
  place TEXT PRIMARY KEY,  -- absolute, or a URL
  name TEXT NOT NULL,      -- as it stands in the incident
  files TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  incident TEXT, problem TEXT, passed_over TEXT
) WITHOUT ROWID
"""
#: What a check does not show; it would be most of the file.
_LEFT_OUT: Final[dict[str, object]] = {"settings": [], "not_checked": [], "replays": [], "priors": {}}


class Index:
    """The outcomes of earlier checks, by `key`: what they were judged by."""

    def __init__(self, database: sqlite3.Connection, key: str, *, rehash: bool) -> None:
        self._database, self._key, self._rehash = database, key, rehash

    def known(self, item: Item) -> Outcome | None:
        """What became of an item that has not changed."""
        row = self._database.execute(
            "SELECT digest, incident, problem, passed_over FROM judged"
            " WHERE place = ? AND name = ? AND files = ? AND key = ?",
            (place(item), item.name, _files(item), self._key),
        ).fetchone()
        if row is None or (self._rehash and not self._same(item, row[0])):
            return None
        incident = Incident.model_validate_json(row[1]) if row[1] else None
        return Outcome(incident, problem=row[2], passed_over=row[3], digest=row[0])

    def _same(self, item: Item, digest: str) -> bool:
        if any(file.remote for file in item.files):
            return False  # to hash it is to fetch it
        return digest_of({file.path: Path(file.path) for file in item.files}) == digest

    def keep(self, item: Item, outcome: Outcome) -> None:
        """Remember an outcome. It is safe at once: a check that is cut off begins where it was."""
        if not outcome.digest or any(not file.stamp for file in item.files):
            return  # it could not be opened, or nothing says whether it has changed
        incident = outcome.incident.model_copy(update=_LEFT_OUT).model_dump_json() if outcome.incident else None
        row = (place(item), item.name, _files(item), self._key, outcome.digest, incident)
        self._database.execute(
            "INSERT OR REPLACE INTO judged VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, outcome.problem, outcome.passed_over),
        )


@contextmanager
def opened(path: Path | None, key: str, *, rehash: bool = False) -> Iterator[Index]:
    """The index in a file, made where there is none; None: one that is forgotten. PostmortemError if it is no index."""
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path or ":memory:", timeout=60, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise PostmortemError(f"--index {path}: cannot be used: {error}") from None
    try:
        try:
            # what a power cut takes from it is judged again
            database.execute("PRAGMA journal_mode = WAL").fetchone()
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(_TABLE)
            index = Index(database, key, rehash=rehash)
        except sqlite3.Error as error:
            raise PostmortemError(f"--index {path}: no index of this program: {error}; name another file") from None
        yield index
    finally:
        database.close()


def place(item: Item) -> str:
    """Where an item lies, wherever one looks from."""
    return item.name if is_url(item.name) else os.path.abspath(item.name)  # noqa: PTH100 - a Path would not end in ..


def _files(item: Item) -> str:
    return json.dumps([asdict(file) for file in item.files])
