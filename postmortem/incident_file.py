"""An incident that was written as JSON, read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from postmortem.errors import PostmortemError
from postmortem.incident import SCHEMA_VERSION, Incident

if TYPE_CHECKING:
    from postmortem.rules.finding import Finding

#: How the JSON output spells numbers that JSON does not have.
_NOT_FINITE: Final = {"inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}
_SUFFIX: Final = ".json"


def is_one(path: str) -> bool:
    """Whether a file is an incident, and no log: an object that holds a `schema_version` and `findings`."""
    if not path.endswith(_SUFFIX):
        return False
    data = _loaded(Path(path))
    return isinstance(data, dict) and {"schema_version", "findings"} <= data.keys()


def read(path: str) -> Incident:
    """The incident of a file. PostmortemError for a file that is none, or one of another major version."""
    data = _loaded(Path(path))
    if not isinstance(data, dict) or not {"schema_version", "findings"} <= data.keys():
        raise PostmortemError(f"{path}: no incident; `postmortem analyze LOG -o incident.json` writes one")
    version = str(data["schema_version"])
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise PostmortemError(f"{path}: schema version {version}, this program reads {SCHEMA_VERSION}; write it anew")
    try:
        incident = Incident.model_validate(data)
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"]))
        raise PostmortemError(f"{path}: no incident of this version: {place}: {detail['msg']}; write it anew") from None
    return incident.model_copy(update={"findings": [_with_numbers(finding) for finding in incident.findings]})


def _loaded(path: Path) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise PostmortemError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        return None


def _with_numbers(finding: Finding) -> Finding:
    values = {
        key: _NOT_FINITE.get(value, value) if isinstance(value, str) else value for key, value in finding.values.items()
    }
    return finding.model_copy(update={"values": values})
