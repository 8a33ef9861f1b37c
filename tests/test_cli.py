"""The command line as a user meets it: exit codes, one-line errors, outputs, and what --help loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import jsonschema
import pytest
from click.testing import CliRunner

from postmortem import commands
from postmortem.cli import main
from postmortem.commands import _options
from postmortem.report.json import schema
from postmortem.rules import finding
from tests import users

if TYPE_CHECKING:
    from click.testing import Result

HEALTHY = "".join(f"step {step}: loss={3 - step / 100:.3f}, grad_norm=1.{step}\n" for step in range(50))
FAILED = "eps = 1e-5\nLayer 3: XV output: min=-2500, max=40960\n"


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["analyze", "--no-replay", *map(str, arguments)], input=stdin)


@pytest.fixture
def failed(tmp_path: Path) -> Path:
    path = tmp_path / "failed.log"
    path.write_text(FAILED)
    return path


def test_a_healthy_log_passes(tmp_path: Path) -> None:
    path = tmp_path / "ok.log"
    path.write_text(HEALTHY)
    result = run(path)
    assert result.exit_code == 0
    assert "not established" not in result.stdout


def test_findings_exit_with_one_and_name_the_cause(failed: Path) -> None:
    result = run(failed)
    assert result.exit_code == 1
    assert "impossible/normalised-beyond-bound" in result.stdout


def test_the_threshold_is_the_users(tmp_path: Path) -> None:
    path = tmp_path / "low.log"
    path.write_text("step 1: loss=2.0\nEffective batch size: 16 × 6 = 96 (for 3 GPUs)\n")
    assert run(path).exit_code == 0
    assert run(path, "--fail-on", "low").exit_code == 1


def test_stdin_is_read_and_shown_as_evidence() -> None:
    result = run("-", stdin=FAILED)
    assert result.exit_code == 1
    assert "Layer 3: XV output: min=-2500, max=40960" in result.stdout
    assert "min=-7, max=81920" in run("-", stdin="Layer 3: XV output: min=-7, max=81920\n").stdout


def test_a_pipe_is_read_and_shown_as_evidence(failed: Path) -> None:
    command = f"{sys.executable} -m postmortem analyze --no-replay <(cat {failed})"
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Layer 3: XV output: min=-2500, max=40960" in done.stdout


@pytest.mark.parametrize(
    ("text", "arguments", "reason"),
    [
        (None, (), "no such file"),
        ("", (), "empty"),
        ("To be or not to be\n", (), "no log"),
        (FAILED, ("--fix", "eps"), "--fix eps"),
        (FAILED, ("-o", "out.doc"), "suffix"),
        (FAILED, ("--rules", "nowhere"), "no folder of rules"),
        (FAILED, ("-o", "/dev/null/x.json"), "cannot be written"),
    ],
)
def test_what_cannot_be_judged_exits_with_two_and_one_line(
    tmp_path: Path, text: str | None, arguments: tuple[str, ...], reason: str
) -> None:
    path = tmp_path / "x.log"
    if text is not None:
        path.write_text(text)
    result = run(path, *arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_broken_rule_is_named_and_the_others_still_run(tmp_path: Path, failed: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "mine.yaml").write_text("title: [unclosed\n")
    result = run(failed, "--rules", tmp_path / "rules")
    assert result.exit_code == 2
    assert f"{tmp_path}/rules/mine.yaml:2: not YAML" in result.stderr
    assert "impossible/normalised-beyond-bound" in result.stdout


def test_json_is_strict_and_fits_its_schema(failed: Path) -> None:
    result = run(failed, "--format", "json")
    incident = json.loads(result.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    jsonschema.validate(incident, schema())
    assert incident["root_causes"] == ["impossible/normalised-beyond-bound"]
    assert incident["logs"][0]["lines"] == 2


def test_several_outputs_at_once(tmp_path: Path, failed: Path) -> None:
    result = run(failed, "-o", tmp_path / "out" / "r.md", "-o", tmp_path / "out" / "r.json")
    assert result.exit_code == 1
    assert "impossible/normalised-beyond-bound" in result.stdout
    assert json.loads((tmp_path / "out" / "r.json").read_text())["schema_version"] == "1.0"
    assert "impossible/normalised-beyond-bound" in (tmp_path / "out" / "r.md").read_text()


def test_a_truncated_log_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.log"
    path.write_text(FAILED + "Layer 4: XV outp")
    result = run(path, "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["logs"][0]["truncated"] is True


def test_without_torch_all_but_the_replay_works_and_says_how_to_get_it(failed: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; from postmortem.cli import main; main(['analyze', sys.argv[1]])"
    done = subprocess.run([sys.executable, "-c", code, failed], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "postmortem[replay]" in done.stdout
    assert "refuted" in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["analyze", "--help"], ["frames", "--help"], ["formats", "--help"]])
def test_help_loads_nothing_but_click(arguments: list[str]) -> None:
    code = (
        f"import sys; from postmortem.cli import main; main({arguments}, standalone_mode=False);"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'polars', 'numpy', 'pandas', 'duckdb', 'pydantic', 'yaml', 'jinja2', 'rich', 'matplotlib', 'torch'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_command_is_a_file() -> None:
    assert main.list_commands(click.Context(main)) == sorted(
        path.stem.replace("_", "-") for path in Path(commands.__path__[0]).glob("[a-z]*.py")
    )


def test_the_severities_are_those_of_the_findings() -> None:
    assert _options.SEVERITIES == finding.SEVERITIES


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["analyse"], "No such command 'analyse'. Did you mean 'analyze'. See postmortem --help."),
        (["analyze"], "Missing argument 'LOG'. See postmortem analyze --help."),
        (["analyze", "x", "--fxi"], "No such option '--fxi'. Did you mean '--fix'. See postmortem analyze --help."),
        (["--config", "x.toml", "--isolated", "formats", "list"], "--config and --no-config: give one of the two"),
        (["--config", "x.toml", "formats", "list"], "x.toml: no such configuration file; check the path"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(arguments: list[str], line: str) -> None:
    result = CliRunner().invoke(main, arguments, prog_name="postmortem")
    assert result.exit_code == 2
    assert result.stderr == f"postmortem: {line}\n"


def test_the_configuration_holds_and_options_win(tmp_path: Path, failed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "own.log"
    log.write_text(users.LOG)
    users.dialect(tmp_path)
    users.rules(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.postmortem]\nformats = ["mine.yaml"]\nrules = ["rules"]\nfail-on = "critical"\n'
    )
    assert run(log).exit_code == 0  # the rule's finding is of severity high
    assert run(log, "--fail-on", "high").exit_code == 1
    assert run(log, "--rules", "rules", "--formats", "mine.yaml").exit_code == 0  # named twice, read once
    isolated = CliRunner().invoke(main, ["--no-config", "analyze", "--no-replay", str(log)])
    assert isolated.exit_code == 2
    assert "no log of a training run" in isolated.stderr
    (tmp_path / "other.toml").write_text('fail-on = "high"\n')
    assert CliRunner().invoke(main, ["--config", "other.toml", "analyze", "--no-replay", str(failed)]).exit_code == 1


def test_an_interrupt_ends_in_one_line(failed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("postmortem.analysis.analyze", interrupted)
    result = run(failed)
    assert result.exit_code == 130
    assert result.stderr == "postmortem: interrupted\n"


@pytest.mark.parametrize(
    "arguments", ["--help", "formats list --json", "frames --frame metrics {log}", "analyze --no-replay {log}"]
)
def test_a_reader_that_went_away_is_no_error(failed: Path, arguments: str) -> None:
    command = f"{sys.executable} -m postmortem {arguments.format(log=failed)} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 141
    assert done.stderr == ""


def test_a_program_ends_with_its_code_once_all_that_was_to_be_done_at_its_end_is_done() -> None:
    code = (
        "import atexit, sys; from postmortem import cli\n"
        "cli.main = lambda: (atexit.register(print, 'last words'), print('first'), sys.exit(3))\n"
        "cli.program()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "first\nlast words\n", "")


def test_a_full_disk_is_told_in_one_line(failed: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "postmortem", "analyze", "--no-replay", str(failed)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "postmortem: the output cannot be written: no space left; make room\n"
