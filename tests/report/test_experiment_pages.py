"""The pages of docs/experiments/ are those of the experiments as they are now, each with its figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from postmortem.errors import PostmortemError
from postmortem.replay import experiments
from postmortem.report import experiment_pages

FOLDER = Path(__file__).parent.parent.parent / "docs" / "experiments"
EVERY = pytest.mark.parametrize("name", experiments.names())
ANEW = "make docs writes it anew"


@EVERY
def test_the_page_of_each_experiment_is_current(name: str) -> None:
    assert (FOLDER / f"{name}.md").read_text() == experiment_pages.of(name), ANEW


@EVERY
def test_a_page_shows_mechanisms_priors_a_figure_and_what_it_cannot_show(name: str) -> None:
    page, experiment = (FOLDER / f"{name}.md").read_text(), experiments.load(name)
    for heading in ("Mechanisms that compete", "What the log does not fix", "An example", "What it cannot show"):
        assert f"\n## {heading}\n" in page
    assert page.count("\n| ") >= 2 + len(experiment.priors) + len(experiment.claims)
    # a picture is no text: that it is there, and is one, is what is held
    assert f"({name}.png)" in page
    assert (FOLDER / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_index_is_current_and_no_page_is_of_an_experiment_that_is_no_more() -> None:
    assert (FOLDER / "README.md").read_text() == experiment_pages.contents(), ANEW
    assert {path.stem for path in FOLDER.iterdir()} == {"README", *experiments.names()}


def test_the_figure_of_an_example_shows_its_fixes() -> None:
    figure = experiment_pages.figure("skip-threshold")
    assert "left out" in figure.get_suptitle()
    assert figure.axes[0].get_xlabel() == "share of batches left out"


def test_an_experiment_that_no_rule_names_has_no_example() -> None:
    with pytest.raises(PostmortemError, match="add one to a rule that names it"):
        experiment_pages.example("none-such")


def test_writing_removes_what_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "names", lambda: ["clip-before-unscale"])
    (tmp_path / "old.md").write_text("# Old\n")
    (tmp_path / "old.png").write_bytes(b"")
    experiment_pages.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "README.md",
        "clip-before-unscale.md",
        "clip-before-unscale.png",
    }
