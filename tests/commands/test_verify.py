"""`postmortem verify` as a user calls it: a screen, JSON by its schema, markdown that does nothing, and the code."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from postmortem.cli import main
from postmortem.replay.protocol import Fix, Prediction, Rows, Verdict
from postmortem.report import json as output
from postmortem.report.json import schema
from postmortem.verify.verification import Verification
from tests.report import factory

SCHEMA = Path(__file__).parent.parent.parent / "docs" / "verification.schema.json"
LR = Fix(knob="lr", old=1e-3, new=1e-4)


@pytest.fixture
def incident(tmp_path: Path) -> str:
    """A loss below 3 was predicted; one of 500 was seen; the learning rate was to change that."""
    promise = Prediction(
        id="p",
        metric="loss",
        where="every update",
        low=None,
        high=3.0,
        assumptions=[],
        statement="loss stays below 3 | <b>bold</b>",
        basis="law",
        rows=Rows(),
        rule="a/b",
        was=500.0,
    )
    verdict = Verdict(rule="a/b", fix=LR, claim="c", verdict="confirmed", basis="replay", because="")
    path = tmp_path / "incident.json"
    path.write_text(
        output.render(factory.incident(factory.log("old.log", 3), [], predictions=[promise], verdicts=[verdict]))
    )
    return str(path)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["verify", *arguments])
    return result.exit_code, result.stdout, result.stderr


def log(folder: Path, text: str) -> str:
    path = folder / "next.log"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("lr: 1e-4\nstep 1: loss=2.0\n", 0, "held      loss stays below 3"),
        ("lr: 1e-4\nstep 1: loss=500.0\n", 1, "broken    loss stays below 3"),
        ("step 1: grad_norm=2.0\n", 2, "not seen  loss stays below 3"),
    ],
)
def test_each_outcome_has_its_code(text: str, code: int, word: str, incident: str, tmp_path: Path) -> None:
    ended, shown, said = run(log(tmp_path, text), "--against", incident)
    assert ended == code
    assert word in shown
    assert said == ("postmortem: nothing could be checked: each prediction says what is missing\n" if code == 2 else "")


def test_a_knob_that_is_not_connected_is_called_so(incident: str, tmp_path: Path) -> None:
    _, shown, _ = run(log(tmp_path, "lr: 1e-4\nstep 1: loss=500.0\n"), "--against", incident)
    assert "lr 1e-3 -> 1e-4       not connected" in shown
    assert "line 2   step 1: loss=500.0" in shown


def test_json_is_by_its_schema_which_is_current(incident: str, tmp_path: Path) -> None:
    published = json.loads(SCHEMA.read_text())
    assert published == schema(Verification)
    _, shown, _ = run(log(tmp_path, "lr: 1e-4\nstep 1: loss=nan\n"), "--against", incident, "--format", "json")
    data = json.loads(shown)
    jsonschema.validate(data, published)
    assert data["logs"][0]["predictions"][0]["seen"] == "nan"


def test_markdown_escapes_what_the_log_and_the_incident_say(incident: str, tmp_path: Path) -> None:
    file = tmp_path / "out" / "verified.md"
    run(
        log(tmp_path, "lr: 1e-4\nstep 1: loss=500.0 |<script>alert(1)</script>`\n"),
        "--against",
        incident,
        "-o",
        str(file),
    )
    text = file.read_text()
    row = next(line for line in text.splitlines() if "**broken**" in line)
    assert "<b>" not in row.replace("\\<b>", "")
    assert "<script>" not in row.replace("\\<script>", "")
    assert row.replace("\\|", "").count("|") == 5
    assert "| `lr 1e-3 -> 1e-4` | yes | **not connected** |" in text


def test_what_else_is_given_is_refused_in_a_line(incident: str, tmp_path: Path) -> None:
    assert run(log(tmp_path, "nothing\n"), "--against", incident)[0] == 2
    code, _, said = run("nowhere.log", "--against", incident)
    assert (code, said.count("\n")) == (2, 1)
    code, _, said = run(log(tmp_path, "step 1: loss=2.0\n"), "--against", str(tmp_path / "next.log"))
    assert (code, "no incident" in said) == (2, True)
