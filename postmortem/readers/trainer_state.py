"""`trainer_state.json`, which the Hugging Face Trainer saves with each checkpoint: its whole history and its course."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from postmortem.parsing import dialect
from postmortem.parsing.names import FORMATS
from postmortem.parsing.rows import Place
from postmortem.readers import _json
from postmortem.readers._records import Records, as_number

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.parsing.dialect import Dialect
    from postmortem.parsing.rows import Rows
    from postmortem.readers._info import FileInfo

GENERAL: Final = False
_HEAD: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\s*\"")
_HISTORY: Final = re.compile(r'"log_history"\s*:\s*\[')
#: What the state says of the course, not of the configuration.
_COURSE: Final = frozenset({"best_metric", "best_global_step", "total_flos"})
_PLACED: Final = frozenset({"epoch", "global_step", "log_history"})


def reads(path: Path, head: bytes) -> bool:
    """An object with a `log_history`; by its name where that stands behind the head."""
    if not _HEAD.match(head):
        return False
    return re.search(rb'"log_history"\s*:\s*\[', head) is not None or path.name == "trainer_state.json"


def read(path: Path, rows: Rows) -> FileInfo:
    """The history as metrics, what was configured as settings, the best value as a metric at its step."""
    document = _json.Document(path)
    spoken = _dialect()
    records = Records(rows, dialect=spoken)
    unread = 0
    for item in document.items(_HISTORY):
        place = Place(str(path), line=item.line, offset=item.offset, dialect=spoken.name)
        if isinstance(item.value, dict):
            records.put(place, _json.flatten(item.value, records.left_out))
        else:
            unread += 1
    _state(path, document, records)
    info = document.info("trainer_state")
    info.unread_lines, info.left_out, info.dialects = unread, records.left_out, [spoken.name]
    return info


@cache
def _dialect() -> Dialect:
    return dialect.load(FORMATS / "hf_trainer.yaml")


def _state(path: Path, document: _json.Document, records: Records) -> None:
    """What stands around the history. A file that is cut off has lost it."""
    state: dict[str, Any] = document.around(_HISTORY)
    for key, value in state.items():
        if key in _PLACED or value is None:
            continue
        line, offset = document.line_of(f'"{key}"')
        place = Place(str(path), line=line, offset=offset, dialect="hf_trainer")
        number = as_number(value)
        if key in _COURSE:
            if number is not None:
                _course(place, key, number, str(value), state, records)
        elif isinstance(value, dict | list):
            records.left_out["parts of the state that are no value"] += 1
        else:
            records.setting(place, key, value)


def _course(place: Place, key: str, number: float, text: str, state: dict[str, Any], records: Records) -> None:
    """A value of the whole course, at the step where it was reached: that of the best, or the last."""
    at = as_number(state.get("best_global_step") if key == "best_metric" else state.get("global_step"))
    if at is not None and at.is_integer() and abs(at) < 1e12:  # noqa: PLR2004 - a larger counter is none
        place.step, place.step_unit = int(at), "update"
    records.rows.metric(place, key, number, text, dialect=records.dialect)
