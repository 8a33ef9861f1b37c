"""`postmortem replay` as a user calls it: what it prints, what it writes, and with which code it ends."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from postmortem import analysis
from postmortem.cli import main
from postmortem.lab.replayed import Replayed
from postmortem.replay import experiments
from postmortem.report.json import schema

ROOT = Path(__file__).parent.parent.parent
LOG = str(ROOT / "sample_logs" / "job-7204342.log")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["replay", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_a_log_is_replayed_and_written_by_its_schema(tmp_path: Path) -> None:
    file = tmp_path / "replayed.json"
    code, shown, said = run(LOG, "--draws", "128", "--seeds", "2", "-o", str(file))
    assert (code, said) == (0, "")
    # the verdict, the interval of its share, and the effect with its own
    assert "eps 1e-5 -> 1e-3      refuted" in shown
    assert "0 % (0 % to 3" in shown
    assert "largest |output| 139,264" in shown
    assert "seeds 0 to 1" in shown
    assert "ruled out: " in shown
    assert "sqrt(4095)" in shown
    data = json.loads(file.read_text())
    jsonschema.validate(data, json.loads((ROOT / "docs" / "replayed.schema.json").read_text()))
    assert data["seeds"] == [0, 1]
    assert {replay["seed"] for replay in data["replays"]} == {0, 1}


def test_the_published_schema_is_current() -> None:
    assert json.loads((ROOT / "docs" / "replayed.schema.json").read_text()) == schema(Replayed)


def test_verbose_shows_the_priors_and_every_seed() -> None:
    _, short, _ = run(LOG, "--draws", "64", "--seeds", "2")
    _, long, _ = run(LOG, "--draws", "64", "--seeds", "2", "--verbose")
    assert "seed 1" not in short.replace("seeds 0 to 1", "")
    assert "seed 1" in long.replace("seeds 0 to 1", "")
    assert "drawn: width: " in long


def test_the_experiments_are_listed_with_their_knobs() -> None:
    code, shown, _ = run("--list")
    assert code == 0
    assert [line for line in shown.splitlines() if not line.startswith(" ")] == experiments.names()
    assert "knobs: dtype, eps" in shown


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "name one thing to replay"),
        ([LOG, "--target", "a:b"], "name one thing to replay"),
        ([LOG, "--experiment", "nonsense"], "no experiment 'nonsense'"),
        ([LOG, "--fix", "eps"], "write KNOB=OLD:NEW"),
        ([LOG, "--draws", "8"], "a verdict takes 64 scenarios"),
        ([LOG, "--knob", "a=1,2"], "--knob goes with --target"),
        ([LOG, "--gpus", "1"], "--gpus goes with --executor slurm"),
        (["--target", "a:b", "--seeds", "3"], "--seeds goes with a log or an incident"),
        ([LOG, "--device", "cuda"], "--device cuda: torch sees no GPU here"),
        ([LOG, "-o", "x.doc"], "no format has this suffix"),
        (["nowhere.log"], "nowhere.log"),
        (["--target", "nowhere:step", "--knob", "a=1,2", "--expect", "m < 1"], "No module named 'nowhere'"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: list[str], reason: str) -> None:
    code, _, said = run(*arguments)
    assert code == 2
    assert said.startswith("postmortem: ")
    assert said.count("\n") == 1
    assert reason in said


def test_without_torch_the_report_stands_and_the_code_is_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postmortem.replay.device.has_torch", lambda: False)
    monkeypatch.setattr("postmortem.lab.alone.has_torch", lambda: False)
    code, shown, said = run(LOG)
    assert code == 2
    assert "inconclusive" in shown
    assert said.endswith("unavailable: torch is not installed; pip install 'postmortem[replay]' brings it\n")


def test_a_step_that_fails_with_a_knob_turned_is_named_and_the_code_is_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing.py").write_text(
        "def step(knobs, seed):\n    return {'m': seed + 1 / (knobs['a'] - 2)}\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    code, shown, said = run("--target", "failing:step", "--knob", "a=1,2,3", "--expect", "m increases")
    assert code == 2
    assert "a 1 -> 3              confirmed" in shown
    assert "a 1 -> 2              inconclusive" in shown
    assert said == "postmortem: failing:step with a=2.0, seed 0: raised ZeroDivisionError: float division by zero\n"


def test_text_of_an_incident_acts_on_no_terminal(tmp_path: Path) -> None:
    from postmortem.report import json as output

    incident, _ = analysis.analyze(LOG, replay=False)
    values = incident.findings[0].values | {"name": "X\x1b[31mV", "places": "layer\r\u202e 1"}
    findings = [incident.findings[0].model_copy(update={"values": values}), *incident.findings[1:]]
    path = tmp_path / "incident.json"
    path.write_text(output.render(incident.model_copy(update={"findings": findings})))
    _, shown, _ = run(str(path), "--draws", "64")
    assert "X\\x1b[31mV" in shown
    assert not {"\x1b", "\r", "\u202e"} & set(shown)
