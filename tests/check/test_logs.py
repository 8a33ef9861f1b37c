"""A check: codes, expectations, the baseline, the index. Judged in this process; the command's tests use workers."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from postmortem.archive.judged import Judged
from postmortem.archive.work import Options
from postmortem.check import baseline
from postmortem.check.fingerprint import fingerprint
from postmortem.check.logs import Check, Request, check
from postmortem.errors import PostmortemError
from postmortem.rules.finding import Evidence
from tests import users
from tests.archive import logs
from tests.archive.logs import CAUSE, FAILED, HEALTHY, LOW
from tests.report import factory


def checked(*paths: object, workers: logs.Here | None = None, **changes: object) -> Check:
    request = Request([str(path) for path in paths], Options(), **changes)  # type: ignore[arg-type]
    return check(request, workers=workers or logs.Here())


def codes(result: Check) -> dict[str, int]:
    return {run.name.rpartition("/")[2]: run.code(result.fail_on) for run in result.runs}


def test_each_run_has_a_code_and_the_worst_is_that_of_the_check(tmp_path: Path) -> None:
    logs.write(tmp_path, good=HEALTHY, bad=FAILED, low=LOW)
    result = checked(tmp_path)
    assert codes(result) == {"good.log": 0, "bad.log": 1, "low.log": 0}
    assert result.code == 1
    assert codes(checked(tmp_path, fail_on="low"))["low.log"] == 1
    (tmp_path / "empty.log").write_text("")
    (tmp_path / "words.log").write_text("To be or not to be\n")
    result = checked(tmp_path)
    assert codes(result) == {"good.log": 0, "bad.log": 1, "low.log": 0, "empty.log": 2, "words.log": 2}
    assert result.code == 2


def test_what_cannot_be_judged_passes_only_where_that_is_allowed(tmp_path: Path) -> None:
    logs.write(tmp_path, good=HEALTHY, words="To be or not to be\n")
    assert checked(tmp_path).code == 2
    result = checked(tmp_path, allow_unreadable=True)
    assert result.code == 0
    assert any(run.problem and "no log of a training run" in run.problem for run in result.runs)


def test_a_file_that_is_no_log_by_name_or_content_is_passed_over_unless_it_is_named(tmp_path: Path) -> None:
    logs.write(tmp_path, good=HEALTHY)
    notes = tmp_path / "notes"
    notes.write_text("To be or not to be\n")
    result = checked(tmp_path)
    assert result.code == 0
    assert result.passed_over == {"no log by its name or content": 1}
    assert checked(tmp_path, notes).code == 2


def test_no_log_at_all_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("To be or not to be\n")
    with pytest.raises(PostmortemError, match="no log found among 1 files"):
        checked(tmp_path)


def test_ranks_and_stderr_are_one_run(tmp_path: Path) -> None:
    (tmp_path / "slurm-12.out").write_text(HEALTHY)
    (tmp_path / "slurm-12.err").write_text(FAILED)
    (run,) = checked(tmp_path).runs
    assert run.incident is not None
    assert [log.path for log in run.incident.logs] == [f"{tmp_path}/slurm-12.out", f"{tmp_path}/slurm-12.err"]
    assert next((piece.file[-4:], piece.line) for piece in run.incident.findings[0].evidence) == (".err", 2)


# ---- expectations


def expecting(folder: Path, text: str) -> Check:
    file = folder / "expected.yaml"
    file.write_text(text)
    return checked(folder, expected=file)


def broken(result: Check) -> list[str]:
    return [line for run in result.runs for line in run.broken]


def test_what_is_expected_does_not_count_and_what_is_missing_does(tmp_path: Path) -> None:
    logs.write(tmp_path, bad=FAILED)
    assert expecting(tmp_path, f"logs: {{bad.log: {{must: [{CAUSE}]}}}}").code == 0
    assert expecting(tmp_path, "logs: {bad.log: {may: ['impossible/*']}}").code == 0
    result = expecting(tmp_path, f"logs: {{bad.log: {{must: [{CAUSE}, nonfinite/loss], root_causes: []}}}}")
    assert broken(result) == [
        "must show nonfinite/loss, and does not",
        f"root causes: none expected, {CAUSE} found",
    ]
    assert result.code == 1


def test_what_must_not_be_shown_breaks_the_check_even_below_the_threshold(tmp_path: Path) -> None:
    logs.write(tmp_path, low=LOW)
    result = expecting(tmp_path, "logs: {low.log: {must_not: ['config/*']}}")
    assert broken(result) == ["must not show config/effective-batch"]
    assert result.code == 1


def test_an_expected_log_that_is_not_there_is_not_judged(tmp_path: Path) -> None:
    logs.write(tmp_path, low=LOW, sub_one=LOW)
    text = "logs: {low.log: {}, gone.log: {}}"
    assert codes(expecting(tmp_path, text)) == {"low.log": 0, "one.log": 0, "gone.log": 2}
    # it is none of those that are checked
    file = tmp_path / "expected.yaml"
    assert checked(tmp_path / "sub", expected=file).code == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("logs: {bad.log: {must: [impossible/normalised-beyond-bond]}}", f"no rule .*; did you mean {CAUSE}"),
        ("logs: {bad.log: {shall: []}}", r"expected.yaml:1: logs.bad.log.shall: Extra inputs"),
        ("logs: [", r"expected.yaml:1: not YAML"),
        ("", r"expected.yaml:1: logs: Field required"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, text: str, reason: str) -> None:
    logs.write(tmp_path, bad=FAILED)
    with pytest.raises(PostmortemError, match=reason):
        expecting(tmp_path, text)


# ---- the baseline

ENTRY = "known: [{{log: {log}, rule: {rule}, reason: a decided matter, expires: {expires}}}]"


def known(folder: Path, log: str = "bad.log", rule: str = CAUSE, expires: str = "2999-12-31") -> Check:
    file = folder / "known.yaml"
    file.write_text(ENTRY.format(log=log, rule=rule, expires=expires))
    return checked(folder, known=file)


def test_what_is_known_is_quiet_until_it_expires(tmp_path: Path) -> None:
    logs.write(tmp_path, bad=FAILED)
    assert known(tmp_path).code == 0
    assert known(tmp_path, "'*.log'", "'impossible/*'").code == 0
    expired = known(tmp_path, expires="2020-01-31")
    assert expired.code == 1
    assert expired.notes == [f"known until 2020-01-31, counts again: {CAUSE} in bad.log"]
    unused = known(tmp_path, rule="nonfinite/loss")
    assert unused.code == 1
    assert unused.notes == ["in the baseline and not found: nonfinite/loss in bad.log; remove it"]


def test_it_is_known_up_to_and_with_its_last_day() -> None:
    incident, _ = factory.normaliser()
    rule = incident.findings[0].rule
    entry = baseline.Known(log="*", rule=rule, reason="r", expires=dt.date(2026, 5, 4))
    for day, counts in ((4, False), (5, True)):
        run = Judged(name="a.log", incident=incident)
        baseline.hold(baseline.Baseline(known=[entry]), Path(), [run], dt.date(2026, 5, day))
        assert (rule not in run.known) == counts


def test_a_reason_is_needed(tmp_path: Path) -> None:
    logs.write(tmp_path, bad=FAILED)
    (tmp_path / "known.yaml").write_text(
        ENTRY.format(log="a", rule=CAUSE, expires="2999-01-01").replace("a decided matter", "' '")
    )
    with pytest.raises(PostmortemError, match=r"known.yaml:1: known.0.reason: String should have at least 1"):
        checked(tmp_path, known=tmp_path / "known.yaml")


def test_a_written_baseline_covers_these_findings_and_no_others(tmp_path: Path) -> None:
    folder = logs.write(tmp_path / "logs", bad=FAILED)
    file = tmp_path / "known.yaml"
    result = checked(folder)
    assert baseline.accept(file, result.runs, "medium", "seen by the team", dt.date(2999, 1, 1)) == 1
    assert result.code == 0  # known from now on
    assert checked(folder, known=file).code == 0
    # the same lines elsewhere in the log are the same finding
    (folder / "bad.log").write_text("a line before\n" * 3 + FAILED)
    assert checked(folder, known=file).code == 0
    # another number is another finding
    (folder / "bad.log").write_text(FAILED.replace("40960", "50000"))
    assert checked(folder, known=file).code == 1


def test_a_fingerprint_is_of_rule_and_text_alone() -> None:
    incident, _ = factory.normaliser()
    finding = incident.findings[0]
    moved = finding.model_copy(
        update={
            "evidence": [Evidence(file="other.log", line=piece.line + 7, text=piece.text) for piece in finding.evidence]
        }
    )
    assert fingerprint(moved) == fingerprint(finding)
    assert fingerprint(finding.model_copy(update={"rule": "a/b"})) != fingerprint(finding)
    assert len(fingerprint(finding)) == 32


# ---- the index


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    folder = logs.write(tmp_path / "logs", good=HEALTHY, bad=FAILED)
    (folder / "notes").write_text("To be or not to be\n")
    index = tmp_path / "index.sqlite"
    first = checked(folder, index=index)
    workers = logs.Here()
    second = checked(folder, index=index, workers=workers)
    assert workers.tasks == []
    assert (first.read, second.read) == (2, 0)
    assert codes(second) == codes(first) == {"good.log": 0, "bad.log": 1}
    assert second.passed_over == first.passed_over
    (folder / "good.log").write_text(HEALTHY + "step 50: loss=2.5\n")
    assert checked(folder, index=index).read == 1


def test_a_change_that_leaves_size_and_time_is_met_by_rehash(tmp_path: Path) -> None:
    folder = logs.write(tmp_path / "logs", a=FAILED)
    log, index = folder / "a.log", tmp_path / "index.sqlite"
    known = log.stat()
    checked(folder, index=index)
    log.write_text(FAILED.replace("-2500", "-2.50").replace("40960", "0.250"))
    os.utime(log, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert checked(folder, index=index).code == 1
    assert checked(folder, index=index, rehash=True).code == 0


def test_other_rules_judge_anew(tmp_path: Path) -> None:
    folder = logs.write(tmp_path / "logs", good=HEALTHY)
    index = tmp_path / "index.sqlite"
    checked(folder, index=index)
    workers = logs.Here()
    request = Request([str(folder)], Options(rules=(users.rules(tmp_path),)), index=index)
    assert check(request, workers=workers).code == 1  # the rule is of severity high
    assert len(workers.tasks) == 1


def test_an_index_that_is_none_is_told(tmp_path: Path) -> None:
    folder = logs.write(tmp_path / "logs", good=HEALTHY)
    (tmp_path / "index").write_text("no database" * 100)
    with pytest.raises(PostmortemError, match="no index of this program"):
        checked(folder, index=tmp_path / "index")
