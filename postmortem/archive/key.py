"""What a judgement depends on besides the log: the program, rules, dialects and options, as one digest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from postmortem import __version__, plugins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.archive.work import Options


def key(options: Options) -> str:
    """The digest. It changes with any file of the program, any rule and any dialect that is in force."""
    digest = hashlib.sha256(__version__.encode())
    if options.configuration is not None:
        digest.update(options.configuration.model_dump_json().encode())
    for path in _files(options):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _files(options: Options) -> Iterator[Path]:
    from postmortem.rules.rule import SHIPPED

    package = Path(__file__).parent.parent
    theirs = [*plugins.folders("postmortem.formats"), *plugins.folders("postmortem.rules")]
    for place in (package, SHIPPED, *theirs, *options.rules, *options.formats):
        if place.is_file():
            yield place
        else:
            yield from sorted(path for path in place.rglob("*") if path.suffix in {".py", ".yaml", ".yml", ".so"})
