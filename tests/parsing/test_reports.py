"""Reports over several lines, of which the last may name the step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.reading import read

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.run import Run


def run_of(folder: Path, text: str) -> Run:
    path = folder / "x.log"
    path.write_text(text, encoding="utf-8")
    return read(str(path))


def printed(step: int, loss: str, gamma: str, between: str = "\n") -> str:
    """A dict as pprint prints it, its keys sorted."""
    return f"{{'gamma': {gamma},\n 'loss': {loss},\n 'step': {step}}}\n{between}"


@pytest.mark.parametrize("between", ["\n", "", "saved\n\n"])
def test_a_dict_that_ends_with_its_step(tmp_path: Path, between: str) -> None:
    values = [(50, "2.5", "0.75"), (100, "2.25", "0.5"), (150, "2.0", "0.25")]
    run = run_of(tmp_path, "".join(printed(*each, between) for each in values))

    assert sorted(run.metrics.select("step", "name", "value", "step_unit").rows()) == [
        (50, "gamma", 0.75, "unknown"),
        (50, "loss", 2.5, "unknown"),
        (100, "gamma", 0.5, "unknown"),
        (100, "loss", 2.25, "unknown"),
        (150, "gamma", 0.25, "unknown"),
        (150, "loss", 2.0, "unknown"),
    ]
    assert "step" not in run.settings["source_name"]


def test_one_alone_that_measures_places_its_lines(tmp_path: Path) -> None:
    run = run_of(tmp_path, printed(50, "2.5", "0.75"))

    assert run.metrics.filter(name="loss").select("step", "value").rows() == [(50, 2.5)]


def test_an_epoch_in_a_dict_places_it_where_no_step_does(tmp_path: Path) -> None:
    text = '{"loss": 2.5,\n "rho": 0.5,\n "epoch": 1}\n{"loss": 1.5,\n "rho": 0.25,\n "epoch": 2}\n'
    run = run_of(tmp_path, text)

    assert run.metrics.filter(name="loss").select("step", "epoch", "value").rows() == [
        (None, 1.0, 2.5),
        (None, 2.0, 1.5),
    ]


def test_a_result_in_yaml(tmp_path: Path) -> None:
    """Ray prints the keys of a result in alphabetical order."""
    result = "Result for PPO_1:\n  height_mean: {reward}\n  info:\n    kl: {kl}\n  training_iteration: {n}\n\n"
    text = "".join(result.format(reward=10.5 * n, kl=n / 8, n=n) for n in (1, 2, 3))
    run = run_of(tmp_path, text)

    assert run.metrics.filter(name="kl").select("step", "value").rows() == [(1, 0.125), (2, 0.25), (3, 0.375)]
    assert run.metrics.filter(name="height_mean")["step"].to_list() == [1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "{'gamma': 0.75,\n 'rho': 2.5,\n 'step': 50}\n",  # one alone that measures nothing may be of anything
        printed(50, "2.5", "0.75") + printed(50, "2.25", "0.5"),  # it counts no further
        "{'loss': 2.5,\n 'step': 50}\n\n{'loss': 2.25,\n 'step': 100}\n",  # too few lines to be a report
        "'step': 50\n\nalpha: 0.5\nbeta: 0.25\nloss: 2.5\n\n'step': 100\n",  # a blank line ends a report
    ],
)
def test_where_nothing_is_placed(tmp_path: Path, text: str) -> None:
    assert run_of(tmp_path, text).metrics["step"].null_count() == run_of(tmp_path, text).metrics.height > 0


def test_a_table_s_step_is_that_of_the_rows_above_it_too(tmp_path: Path) -> None:
    table = "| rollout/ | |\n| ep_rew_mean | {0} |\n| time/ | |\n| total_timesteps | {1} |\n"
    train = "| train/ | |\n| value_loss | {0} |\n-----\n"
    text = "".join(
        [
            table.format(2.5, 200) + "-----\n",
            table.format(5.5, 400) + train.format(0.5),
            table.format(7.5, 600) + train.format(0.25),
            table.format(1.5, 200) + "-----\n",  # a second training in the log
        ]
    )
    run = run_of(tmp_path, text)

    assert run.metrics.select("step", "name", "value").rows() == [
        (200, "reward", 2.5), (400, "reward", 5.5), (400, "value_loss", 0.5), (600, "reward", 7.5),
        (600, "value_loss", 0.25), (200, "reward", 1.5),
    ]  # fmt: skip
    assert run.settings.is_empty()
