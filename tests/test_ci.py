"""What CI servers are given: it fits their schemas, and the very commands in it run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pre_commit.clientlib import load_manifest

from tests.archive import logs

ROOT = Path(__file__).parent.parent
#: The programs of this environment first, as they are found on a CI server after the installation.
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
PAGE = (ROOT / "docs" / "ci.md").read_text()


def schema(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{name}.json").read_text("utf-8"))


def block(heading: str) -> Any:  # noqa: ANN401 - YAML
    found = re.search(rf"### {heading}\n```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return yaml.load(found[1], Loader=yaml.BaseLoader)  # noqa: S506 - of ours; `on` stays a text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    logs.write(tmp_path / "logs", good=logs.HEALTHY, bad=logs.FAILED)
    (tmp_path / "logs" / "known.yaml").write_text("known: []\n")
    return tmp_path


def bash(script: str, where: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "-e", "-c", script],
        cwd=where,
        env={**ENVIRONMENT, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def action() -> Any:  # noqa: ANN401 - YAML
    return yaml.safe_load((ROOT / "action.yml").read_text())


def test_the_action_and_its_use_fit_githubs_schemas() -> None:
    jsonschema.validate(action(), schema("github-actions"))
    workflow = block("GitHub")
    jsonschema.validate(workflow, schema("github-workflows"))
    (used,) = [step for step in workflow["jobs"]["check"]["steps"] if "/postmortem@" in step.get("uses", "")]
    assert set(used["with"]) <= set(action()["inputs"])


@pytest.mark.parametrize(
    ("inputs", "code"),
    [({}, 1), ({"FAIL_ON": "critical", "PATHS": "logs/good.log"}, 0), ({"PATHS": "logs nowhere"}, 2)],
)
def test_the_actions_script_runs_as_written(folder: Path, inputs: dict[str, str], code: int) -> None:
    steps = action()["runs"]["steps"]
    (check,) = [step for step in steps if step.get("id") == "check"]
    given = {
        **dict.fromkeys(check["env"], ""),
        "PATHS": "logs",
        "FAIL_ON": action()["inputs"]["fail-on"]["default"],
        "ALLOW_UNREADABLE": "false",
        "BASELINE": "logs/known.yaml",
        "SARIF": "out.sarif",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }
    done = bash(check["run"], folder, **(given | inputs))
    assert done.returncode == code, done.stderr
    assert (folder / "output").read_text() == f"code={code}\n"
    if code < 2:
        assert (folder / "summary.md").read_text().startswith("## postmortem: ")
        assert json.loads((folder / "out.sarif").read_text())["version"] == "2.1.0"
    annotated = f"::error file=logs/bad.log,line=2,title={logs.CAUSE}::" in done.stdout
    assert annotated == (code == 1)


def test_an_input_is_never_a_command(folder: Path) -> None:
    (check,) = [step for step in action()["runs"]["steps"] if step.get("id") == "check"]
    assert "${{" not in check["run"]
    given = {
        **dict.fromkeys(check["env"], ""),
        "PATHS": "$(touch hacked) `touch hacked`; touch hacked",
        "FAIL_ON": "low",
    }
    bash(check["run"], folder, GITHUB_OUTPUT="/dev/null", GITHUB_STEP_SUMMARY="/dev/null", **given)
    assert not (folder / "hacked").exists()


def test_what_the_action_installs_is_there() -> None:
    import tomllib

    (install,) = [step["run"] for step in action()["runs"]["steps"] if "pip install" in step.get("run", "")]
    assert (ROOT / "constraints.txt").is_file()
    extra = re.search(r"\[(\w+)\]", install)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert extra is not None
    assert extra[1] in project["optional-dependencies"]


def test_the_gitlab_job_fits_and_runs(folder: Path) -> None:
    pipeline = block("GitLab")
    jsonschema.validate(pipeline, schema("gitlab-ci"))
    job = pipeline["check-logs"]
    (command,) = [line for line in job["script"] if line.startswith("postmortem")]
    done = bash(command, folder)
    assert done.returncode == 1
    assert (folder / job["artifacts"]["reports"]["junit"]).read_text().startswith("<?xml")
    assert (folder / job["cache"]["paths"][0]).exists()


def test_the_pre_commit_hook_fits_and_runs(folder: Path) -> None:
    (hook,) = load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))
    used = block("pre-commit")["repos"][0]["hooks"][0]
    assert used["id"] == hook["id"]
    for name, code in (("good", 0), ("bad", 1)):
        assert re.search(hook["files"], f"logs/{name}.log")
        command = [*hook["entry"].split(), *hook["args"], *used["args"], f"logs/{name}.log"]
        done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
