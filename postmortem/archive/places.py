"""Where archived logs lie: files, folders, globs and URLs to runs, told from names, sizes and times.

Which files of a folder are one run: those whose names differ only in the rank or in stdout and stderr (`grouping.py`);
with `per_folder`, all files of each folder that was named, as `analyze FOLDER` reads it. Nothing is opened here.
"""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from postmortem.archive.grouping import runs_of
from postmortem.errors import PostmortemError
from postmortem.sources.folder import SKIPPED, no_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_URL: Final = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]+://")
#: What brings the file system of a scheme.
_EXTRAS: Final = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}
#: What a store may call the version of an object, the surest first.
_STAMPS: Final = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated", "created")


@dataclass(frozen=True, slots=True)
class File:
    """A file and what says, without reading it, that it has not changed."""

    path: str  # or its URL
    size: int  # bytes
    stamp: str  # time of the last change in ns; of a store: the object's version

    @property
    def remote(self) -> bool:
        """Whether it must be fetched to be read."""
        return is_url(self.path)


@dataclass(frozen=True, slots=True)
class Item:
    """A run to judge: its files in the order to read them."""

    name: str
    files: tuple[File, ...]
    named: bool  # the user named it: it is no mistake of the search if it is no log
    folder: bool = False  # all files of the folder `name`, as `analyze` reads it

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(file.size for file in self.files)


@dataclass(slots=True)
class Found:
    """The runs, and how many files were passed over for which reason."""

    items: list[Item] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)


def is_url(path: str) -> bool:
    """Whether a path is a URL of a store."""
    return _URL.match(path) is not None


def find(paths: Sequence[str], *, exclude: Sequence[str] = (), per_folder: bool = False) -> Found:
    """The runs at these paths, each once, by name. PostmortemError for a path or a pattern that leads nowhere."""
    found = Found()
    for path in paths:
        _Search(found, exclude, per_folder=per_folder).at(path)
    unique = {(item.name, item.files): item for item in sorted(found.items, key=lambda item: not item.named)[::-1]}
    found.items = sorted(unique.values(), key=lambda item: item.name)
    return found


class _Search:
    def __init__(self, found: Found, exclude: Sequence[str], *, per_folder: bool) -> None:
        self._found, self._exclude, self._per_folder = found, exclude, per_folder

    def at(self, path: str) -> None:
        if path.startswith("file://"):
            path = path.removeprefix("file://")
        if is_url(path):
            self._remote(path)
        elif os.path.lexists(path):
            self._local(path)
        elif glob.has_magic(path):
            matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - a pattern may be absolute
            if not matches:
                raise PostmortemError(f"{path}: no file matches this pattern; check it")
            for match in matches:
                self._local(match)
        else:
            raise PostmortemError(f"{path}: no such file or folder; check the path")

    def _local(self, path: str) -> None:
        if not Path(path).is_dir():
            self._add([_file(path)], named=True)
        elif self._per_folder:
            files = tuple(self._kept(_walk(path, self._found.passed_over), path))
            self._found.items.append(Item(path, files, named=True, folder=True))
        else:
            self._add(self._kept(_walk(path, self._found.passed_over), path), named=False)

    def _remote(self, url: str) -> None:
        if self._per_folder:
            raise PostmortemError(f"{url}: --per-folder reads folders of this machine; name the logs of a store")
        system, path = filesystem(url)
        try:
            system.invalidate_cache()  # of listings that this process has seen before
            if glob.has_magic(path):
                entries, named = system.glob(path, detail=True), True
            elif system.isfile(path):
                entries, named = {path: system.info(path)}, True
            else:
                entries, named = system.find(path, detail=True), False
        except Exception as error:  # noqa: BLE001 - each store raises errors of its own
            raise _store_error(url, error) from None
        if not entries:
            raise PostmortemError(f"{url}: no such object; check the URL and the credentials")
        files = [
            File(system.unstrip_protocol(name), int(entry.get("size") or 0), _stamp(entry))
            for name, entry in sorted(entries.items())
            if entry.get("type", "file") == "file"
        ]
        self._add(files if named else self._kept(files, url), named=named)

    def _kept(self, files: Iterator[File] | Sequence[File], root: str) -> list[File]:
        """Those files that may be logs by their names."""
        kept = []
        for file in files:
            reason = no_part(Path(file.path)) or self._excluded(file.path, root)
            if reason:
                self._found.passed_over[reason] += 1
            else:
                kept.append(file)
        return kept

    def _excluded(self, path: str, root: str) -> str | None:
        below = path.removeprefix(root).lstrip("/")
        from fnmatch import fnmatch

        names = (below, path, below.rpartition("/")[2])
        return next((f"--exclude {one}" for one in self._exclude if any(fnmatch(name, one) for name in names)), None)

    def _add(self, files: Sequence[File], *, named: bool) -> None:
        by_path = {file.path: file for file in files}
        for name, members in runs_of(by_path).items():
            self._found.items.append(Item(name, tuple(by_path[path] for path in members), named))


def filesystem(url: str) -> tuple[Any, str]:
    """The file system that a URL asks for, and the path in it. PostmortemError says what to install."""
    scheme = url.partition("://")[0].lower()
    try:
        from fsspec.core import url_to_fs

        found: tuple[Any, str] = url_to_fs(url)
    except (ImportError, ValueError) as error:
        extra = _EXTRAS.get(scheme, "s3" if isinstance(error, ImportError) and "fsspec" in str(error) else None)
        hint = f"pip install 'postmortem[{extra}]' brings it" if extra else str(error)
        raise PostmortemError(f"{url}: nothing here reads {scheme}://: {hint}") from None
    return found


def _store_error(url: str, error: Exception) -> PostmortemError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return PostmortemError(f"{url}: the store cannot be read: {reason}; check the URL and the credentials")


def fetch(file: File, folder: Path) -> Path:
    """A copy of a remote file in a folder, under its own name. PostmortemError where it cannot be read."""
    target = folder / file.path.rpartition("/")[2]
    system, path = filesystem(file.path)
    try:
        system.get_file(path, str(target))
    except Exception as error:  # noqa: BLE001 - each store raises errors of its own
        raise _store_error(file.path, error) from None
    return target


def _file(path: str) -> File:
    try:
        known = Path(path).stat()
    except OSError:  # a link that leads nowhere, or a folder that may not be looked into: reading it says so
        return File(path, 0, "")
    return File(path, known.st_size, str(known.st_mtime_ns))


def _walk(root: str, passed_over: Counter[str]) -> Iterator[File]:
    """The files below a folder. Links are not followed: they may lead round in a circle."""
    todo = [root]
    while todo:
        here = todo.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            # not an omission: what lies there is not judged, and that is said as of any log
            yield File(here, 0, f"unreadable: {error.strerror}")
            continue
        for entry in entries:
            if entry.is_symlink():
                passed_over["a link"] += 1
            elif entry.is_dir():
                if entry.name.startswith(".") or entry.name in SKIPPED:
                    passed_over["a hidden folder or one of code"] += 1
                else:
                    todo.append(entry.path)
            elif entry.is_file():
                known = entry.stat()
                yield File(entry.path, known.st_size, str(known.st_mtime_ns))
            else:
                passed_over["no file"] += 1


def _stamp(entry: dict[str, Any]) -> str:
    return next((str(entry[name]) for name in _STAMPS if entry.get(name)), "")
