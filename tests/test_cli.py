"""The command line as a user meets it: exit codes, one-line errors, outputs, and what --help loads."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest
from click.testing import CliRunner

from postmortem.cli import main
from postmortem.report.json import schema

if TYPE_CHECKING:
    from pathlib import Path

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


def test_help_loads_nothing_but_click() -> None:
    code = (
        "import sys; from postmortem.cli import main; main(['--help'], standalone_mode=False);"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'polars', 'numpy', 'pandas', 'duckdb', 'pydantic', 'yaml', 'jinja2', 'rich', 'matplotlib', 'torch'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
