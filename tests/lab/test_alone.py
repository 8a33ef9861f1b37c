"""The lab alone: from a log and from its incident alike, with no log at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from postmortem import analysis, incident_file
from postmortem.errors import PostmortemError
from postmortem.lab.alone import replay
from postmortem.lab.laboratory import Bench
from postmortem.replay import device
from postmortem.report import json
from tests.replay.verdicts import lab_of

LOG = Path(__file__).parents[2] / "sample_logs" / "job-7204342.log"
BENCH = Bench(lab_of(draws=128))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The incident of LOG, judged without the lab, in a folder without the log."""
    path = tmp_path_factory.mktemp("incident") / "incident.json"
    incident, _ = analysis.analyze(str(LOG), replay=False)
    gone = [log.model_copy(update={"path": "gone/job-7204342.log"}) for log in incident.logs]
    path.write_text(json.render(incident.model_copy(update={"logs": gone})))
    return str(path)


def test_a_log_and_its_incident_are_replayed_alike(written: str) -> None:
    log, file = replay(str(LOG), BENCH), replay(written, BENCH)
    assert [v.model_dump() for v in log.verdicts] == [v.model_dump() for v in file.verdicts]
    assert [r.effect for r in log.replays] == [r.effect for r in file.replays]
    assert log.predictions == file.predictions
    # the fixes that the log itself proposes are asked of the incident too
    assert {v.fix.new for v in file.verdicts if v.fix.origin == "log"} == {1e-4, 1e-3, "fp32"}


def test_the_verdicts_are_those_of_analyze(written: str) -> None:
    whole, _ = analysis.analyze(str(LOG), draws=128)
    alone = {(v.rule, v.fix.knob, v.fix.new): v.verdict for v in replay(written, BENCH).verdicts}
    assert alone == {(v.rule, v.fix.knob, v.fix.new): v.verdict for v in whole.verdicts if v.basis == "replay"}


def test_a_fix_of_the_users_is_judged_and_one_without_a_knob_is_not(written: str) -> None:
    told = replay(written, BENCH, extra_fixes=["eps=1e-5:5e-4", "beta2=0.95"]).verdicts
    judged = {(v.fix.knob, v.fix.new): v.verdict for v in told if v.fix.origin == "user"}
    assert judged == {("eps", 5e-4): "refuted", ("beta2", 0.95): "inconclusive"}


def test_one_experiment_alone(written: str) -> None:
    assert set(replay(written, BENCH, experiment="normaliser").questions) == {"normaliser"}
    with pytest.raises(PostmortemError, match=r"no finding asks for the experiment mlm-labels; .* ask for normaliser"):
        replay(written, BENCH, experiment="mlm-labels")
    with pytest.raises(PostmortemError, match=r"no experiment 'nonsense'; there are"):
        replay(written, BENCH, experiment="nonsense")


def test_a_log_without_anything_to_replay_is_told(tmp_path: Path) -> None:
    (tmp_path / "fine.log").write_text("step 1: loss=2.0\nstep 2: loss=1.9\n")
    with pytest.raises(PostmortemError, match=r"no finding of this log has an experiment; `postmortem replay --list`"):
        replay(str(tmp_path / "fine.log"), BENCH)


def test_a_rule_that_is_not_here_is_named(written: str, tmp_path: Path) -> None:
    incident = incident_file.read(written)
    strange = incident.findings[0].model_copy(update={"rule": "ours/strange"})
    path = tmp_path / "incident.json"
    path.write_text(json.render(incident.model_copy(update={"findings": [*incident.findings, strange]})))
    (lost,) = replay(str(path), BENCH).lost
    assert lost.what == "ours/strange"
    assert "--rules" in lost.because


def test_without_torch_nothing_is_replayed_and_the_way_to_it_stands(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postmortem.lab.alone.has_torch", lambda: False)
    told = replay(written, BENCH)
    assert told.replays == []
    assert told.environment.replay == "unavailable: torch is not installed; pip install 'postmortem[replay]' brings it"
    assert {verdict.verdict for verdict in told.verdicts} == {"inconclusive"}
    assert all("pip install 'postmortem[replay]'" in verdict.because for verdict in told.verdicts)


def test_a_device_that_is_none_is_named() -> None:
    with pytest.raises(PostmortemError, match="--device tpu9: no device has this name"):
        device.chosen("tpu9")
    with pytest.raises(PostmortemError, match="--device meta: replays run on cpu and on cuda"):
        device.chosen("meta")
    assert device.chosen("cpu") == "cpu"
