"""An incident that was written is read back as it was; what is none is refused in a line."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from postmortem import incident_file
from postmortem.errors import PostmortemError
from postmortem.incident import Incident
from postmortem.report import json as output
from tests.report import factory

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_written_comes_back_with_its_infinities(tmp_path: Path) -> None:
    given, _ = factory.normaliser()
    values = {"low": -math.inf, "high": math.inf, "none": math.nan, "name": "XV", "value": 139264.0}
    finding = given.findings[0].model_copy(update={"values": values})
    path = tmp_path / "incident.json"
    path.write_text(output.render(given.model_copy(update={"findings": [finding]})))
    assert incident_file.is_one(str(path))
    back = incident_file.read(str(path))
    told = back.findings[0].values
    assert (told["low"], told["high"], told["name"], told["value"]) == (-math.inf, math.inf, "XV", 139264.0)
    assert isinstance(told["none"], float)
    assert math.isnan(told["none"])
    assert back.predictions == given.predictions
    assert back.replays == given.replays


def test_the_model_s_own_json_keeps_its_infinities_too() -> None:
    given, _ = factory.normaliser()
    replay = next(replay for replay in given.replays if replay.effect is not None)
    assert replay.effect is not None
    wide = replay.model_copy(update={"effect": replay.effect.model_copy(update={"high": math.inf, "low": math.nan})})
    back = Incident.model_validate_json(given.model_copy(update={"replays": [wide]}).model_dump_json())
    assert back.replays[0].effect is not None
    assert back.replays[0].effect.high == math.inf
    assert math.isnan(back.replays[0].effect.low)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("loss=1", "no incident; `postmortem analyze LOG -o incident.json` writes one"),
        ("[" * 100_000, "no incident"),
        ("[1, 2]", "no incident"),
        ('{"findings": []}', "no incident"),
        ('{"schema_version": "1.0", "findings": []}', "no incident of this version: .*Field required"),
        ('{"schema_version": "2.0", "findings": []}', r"schema version 2\.0, this program reads 1\.0"),
    ],
)
def test_what_is_no_incident_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "incident.json"
    path.write_text(text)
    with pytest.raises(PostmortemError, match=reason):
        incident_file.read(str(path))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(PostmortemError, match=r"^nowhere\.json: cannot be read: No such file"):
        incident_file.read("nowhere.json")


def test_a_log_of_json_is_no_incident(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": [{"loss": 1.0, "step": 1}]}))
    assert not incident_file.is_one(str(path))
    assert not incident_file.is_one("job.log")
