"""The first screen holds the answers, in order, in few lines, and nothing in it acts on the terminal."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest
from rich.console import Console

from postmortem.incident import Ignored, Incident, Log, UnusedIgnore
from postmortem.replay.protocol import Fix, Verdict
from postmortem.report import terminal
from postmortem.report.text_page import Page
from postmortem.rules.finding import Evidence
from tests.report import factory

HOSTILE = "\x1b[2J\x1b]0;title\x07 [red]no[/red] [link=http://x]l[/link] a\nb \u202e | ` </script>"
INERT = r"\x1b[2J\x1b]0;title\x07 [red]no[/red] [link=http://x]l[/link] a\nb \u202e | ` </script>"  # as visible


def shown(incident: Incident, *, width: int = 100, verbose: bool = False, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        legacy_windows=False,
    )
    terminal.render(incident, Page(console), verbose=verbose)
    return out.getvalue()


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_screen_answers_in_order() -> None:
    text = words(shown(factory.normaliser()[0]))
    answers = [
        "job-7204342.log job 7204342 (COMPLETED, on gr015, exit code 0) · 41 lines, 2 unread · dialects: ttt",
        "Root cause impossible/normalised-beyond-bound strong (dialect ttt: XV is the output of a normaliser)",
        "Layer 29: XV output reaches 139,264.",
        "line 17 Layer 29: XV output: min=-61696, max=139264",
        "Contributing norm/undersized-eps line 6",
        "Consequence run/silent-exit line 38",
        "Fixes tested cpu, bfloat16 and float32, 1,024 scenarios",
        "eps 1e-5 -> 1e-3 refuted",
        "dtype bfloat16 -> float32 inconclusive",
        "Do next print shape, min and max of the divisor",
        "The next run must show |XV output| <= 16.97 in layers 29 to 31 (assuming width <= 256, |w| <= 1,",
        "Not checked 12 rules: no gradient norms in this log (7), no learning rate in this log (5)",
    ]
    places = [text.find(answer) for answer in answers]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("name", ["normaliser", "distillation", "infinite_gradients"])
@pytest.mark.parametrize("width", [80, 100, 160])
def test_an_incident_fits_one_screen_and_its_width(name: str, width: int) -> None:
    lines = shown(getattr(factory, name)()[0], width=width).splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= width


def test_no_root_cause_is_said_with_what_is_known() -> None:
    text = words(shown(factory.distillation()[0]))
    assert "Root cause not established Nothing has improved in 600 steps" in text
    assert "Masking nonfinite/clamped line 58" in text


def test_verbose_lists_what_the_screen_leaves_out() -> None:
    incident = factory.normaliser()[0]
    short, long = shown(incident), shown(incident, verbose=True)
    assert "lr/rule-4" not in short
    assert "no learning rate in this log (5): lr/rule-0, lr/rule-1, lr/rule-2, lr/rule-3, lr/rule-4" in words(long)
    assert "ttt_norm eps = 1e-05" in long
    assert "(--verbose lists them)" in words(short)
    assert "--verbose" not in long


def test_hostile_text_is_shown_and_does_nothing() -> None:
    incident, _ = factory.normaliser()
    cause = incident.findings[0].model_copy(
        update={
            "message": HOSTILE,
            "note": HOSTILE,
            "evidence": [Evidence(file="x\x1b[0m.log", line=3, text=HOSTILE)],
        }
    )
    verdict = Verdict(
        rule=cause.rule,
        fix=Fix(knob="[bold]eps\x1b", old="\x9b1m", new="[/]"),
        claim=HOSTILE,
        verdict="refuted",
        basis="law",
        because=HOSTILE,
    )
    hostile = incident.model_copy(
        update={
            "findings": [cause],
            "verdicts": [verdict],
            "measure_next": [HOSTILE],
            "logs": [incident.logs[0].model_copy(update={"path": HOSTILE, "dialects": [HOSTILE]})],
            "rule_errors": [HOSTILE],
        }
    )
    text = shown(hostile, verbose=True, width=400)
    assert text.count(INERT) >= 6
    assert all(line.isprintable() for line in text.split("\n"))
    coloured = re.sub(r"\x1b\[[0-9;]*m", "", shown(hostile, verbose=True, width=400, colour=True))
    assert coloured == text


def test_a_secret_does_not_reach_the_screen() -> None:
    incident, _ = factory.normaliser()
    cause = incident.findings[0].model_copy(update={"message": "HF_TOKEN=hf_abcdefghijklmnopqrst0123"})
    assert "HF_TOKEN=***" in shown(incident.model_copy(update={"findings": [cause]}))


def test_a_huge_text_costs_few_lines() -> None:
    incident, _ = factory.normaliser()
    cause = incident.findings[0].model_copy(update={"message": "x" * 10**6})
    assert len(shown(incident.model_copy(update={"findings": [cause]})).splitlines()) < 75


def test_colour_obeys_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    incident, _ = factory.normaliser()
    assert re.search(r"\x1b\[[0-9;]*31m", shown(incident, colour=True))  # red: a word that counts
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown(incident, colour=True))


def test_without_a_replay_the_screen_says_how_to_get_one() -> None:
    incident, _ = factory.distillation()
    missing = "not run: torch is missing, pip install 'postmortem[replay]'"
    bare = incident.model_copy(
        update={
            "verdicts": [],
            "replays": [],
            "environment": incident.environment.model_copy(update={"replay": missing}),
        }
    )
    assert f"Fixes tested none · replay: {missing}" in words(shown(bare))


def test_a_truncated_log_and_a_broken_rule_are_named() -> None:
    incident, _ = factory.distillation()
    log = Log.model_validate({**incident.logs[0].model_dump(), "truncated": True})
    text = words(shown(incident.model_copy(update={"logs": [log], "rule_errors": ["x.yaml:3: no such column"]})))
    assert "the last line has no end" in text
    assert "Rules not usable x.yaml:3: no such column" in text


def test_importing_the_screen_draws_in_no_plots() -> None:
    heavy = ("matplotlib", "jinja2", "polars")
    code = f"import sys, postmortem.report.terminal; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_ignored_is_told_with_its_reason() -> None:
    incident = factory.normaliser()[0]
    first, *others = incident.findings
    changed = incident.model_copy(
        update={
            "findings": others,
            "ignored": [Ignored(finding=first, ignore="impossible", reason=HOSTILE, until="2026-12-31")],
            "unused_ignores": [UnusedIgnore(ignore="kd/*", reason="noise", because="it ended on 2020-01-01")],
        }
    )
    text = words(shown(changed))
    assert f"Ignored {first.rule} line" in text
    assert f"{words(INERT)}, until 2026-12-31." in words(shown(changed, verbose=True))
    assert "Ignored in vain kd/*: it ended on 2020-01-01" in text
    assert "\x1b" not in text
