"""Each module of the folder is a format: found, asked by suffix, and called alike."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from postmortem.errors import PostmortemError
from postmortem.report import outputs
from postmortem.report.outputs import OUTPUTS, Target
from tests.report import factory

HEAVY = {"polars", "numpy", "duckdb", "pydantic", "yaml", "jinja2", "rich", "matplotlib", "torch"}


def test_each_file_of_the_folder_is_a_format() -> None:
    files = Path(outputs.__file__).parent.glob("[a-z]*.py")
    assert OUTPUTS.names() == sorted(file.stem for file in files)


@pytest.mark.parametrize("name", OUTPUTS.names())
def test_each_format_is_called_alike(name: str) -> None:
    asked = [name for name in inspect.signature(outputs.Output.render).parameters if name != "self"]
    assert list(inspect.signature(OUTPUTS.load(name).render).parameters) == asked
    assert all(suffix.startswith(".") for suffix in OUTPUTS.load(name).SUFFIXES)


@pytest.mark.parametrize("name", OUTPUTS.names())
def test_an_incident_from_a_file_has_no_run_and_is_put_out_all_the_same(name: str) -> None:
    incident, _ = factory.normaliser()
    assert "normalised-beyond-bound" in OUTPUTS.load(name).render(incident, None, Target())


def test_no_suffix_belongs_to_two_formats() -> None:
    suffixes = [suffix for name in OUTPUTS.names() for suffix in OUTPUTS.load(name).SUFFIXES]
    assert len(suffixes) == len(set(suffixes))


@pytest.mark.parametrize(("file", "name"), [("a.md", "markdown"), ("b.json", "json"), ("a.b.txt", "terminal")])
def test_a_suffix_says_the_format(file: str, name: str) -> None:
    assert OUTPUTS.by_suffix(Path(file)) == name


def test_an_unknown_suffix_is_told_with_those_there_are() -> None:
    with pytest.raises(PostmortemError, match=r"^-o x\.doc: no format has this suffix; add --format, .*\.md"):
        OUTPUTS.by_suffix(Path("x.doc"))


def test_to_ask_for_suffixes_imports_nothing_heavy() -> None:
    code = (
        "import sys; from pathlib import Path; from postmortem.report.outputs import OUTPUTS;"
        f"OUTPUTS.by_suffix(Path('x.md')); print(sorted(set(sys.modules) & {HEAVY}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
