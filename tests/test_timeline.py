"""What happened when: each moment at its line, with the step and the time that the log had told by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.analysis import analyze

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.incident import Moment

LOG = """\
lr: 0.1
2026-03-01 10:00:00 step 10: loss=2.5, grad_norm=1.0
2026-03-01 10:00:05 step 20: loss=2.4, grad_norm=1.1
2026-03-01 10:00:10 step 30: loss=nan, grad_norm=nan
2026-03-01 10:00:15 step 40: loss=nan, grad_norm=nan
slurmstepd: error: *** JOB 71 ON node03 CANCELLED AT 2026-03-01T10:00:20 ***
"""


def timeline(path: Path, text: str) -> list[Moment]:
    path.write_text(text)
    return analyze(str(path), replay=False)[0].timeline


def test_the_moments_stand_in_the_order_of_the_log(tmp_path: Path) -> None:
    found = timeline(tmp_path / "job.log", LOG)
    assert [moment.line for moment in found] == sorted(moment.line for moment in found)
    said = {(moment.kind, moment.line, moment.step, moment.ts) for moment in found}
    assert {
        ("begin", 2, 10, "2026-03-01 10:00:00"),
        ("onset", 4, 30, "2026-03-01 10:00:10"),
        ("end", 5, 40, "2026-03-01 10:00:15"),
        ("job", 6, 40, "2026-03-01T10:00:20"),
        ("log_end", 6, 40, "2026-03-01 10:00:15"),
    } <= said
    first = next(moment for moment in found if moment.rule == "nonfinite/loss")
    assert (first.kind, first.line) == ("finding", 4)


def test_an_onset_counts_what_stands_around_it(tmp_path: Path) -> None:
    found = timeline(tmp_path / "job.log", LOG)
    assert "loss is nan for the first time: 2 finite values stand before it, 0 after it" in [m.what for m in found]


def test_a_resume_says_what_was_reached_and_where_it_goes_on(tmp_path: Path) -> None:
    first = "".join(f"step {step}: loss={3 - step / 50:.2f}\n" for step in range(10, 60, 10))
    again = "".join(f"step {step}: loss={3 - step / 50:.2f}\n" for step in range(30, 90, 10))
    found = timeline(tmp_path / "job.log", f"{first}Resuming training from out/step-20\n{again}")
    assert [(m.line, m.what) for m in found if m.kind == "resume"] == [
        (7, "goes on at step 30 from a checkpoint; step 50 had been reached")
    ]


@pytest.mark.parametrize(
    ("text", "end"),
    [("step 1: loss=2.0\n", "the log ends"), ("step 1: loss=2.0\nstep 2: lo", "the log ends within a line")],
)
def test_a_log_that_is_cut_off_ends_so(tmp_path: Path, text: str, end: str) -> None:
    assert timeline(tmp_path / "job.log", text)[-1].what == end


def test_the_files_of_a_run_follow_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("step 1: loss=2.0\nstep 2: loss=1.9\n")
    (tmp_path / "b.log").write_text("step 3: loss=1.8\nstep 4: loss=1.7\n")
    found = analyze(str(tmp_path), replay=False)[0].timeline
    ends = [(m.file.rsplit("/", 1)[-1], m.line, m.step) for m in found if m.kind == "log_end"]
    assert ends == [("a.log", 2, 2), ("b.log", 2, 4)]
