"""The end of a curve beside its beginning, counted pair by pair."""

from __future__ import annotations

import pytest

from postmortem import frames, signals


def gains(*metrics: tuple[str, str | None, list[float]]) -> list[dict[str, object]]:
    rows = [
        {
            "name": name,
            "source_name": name,
            "split": split,
            "value": value,
            "meaning": "value",
            "step": 10 * at,
            "line": at,
        }
        for name, split, values in metrics
        for at, value in enumerate(values, 1)
    ]
    tables = {name: frames.build(name, rows if name == "metrics" else ()) for name in frames.FRAMES}
    return signals.Signals(tables)["gains"].to_dicts()


def test_each_late_value_is_compared_with_each_early_one() -> None:
    # of 5, 4, 6 and 3, 5, 1: smaller is the late one in 3 < 5, 3 < 4, 3 < 6, 5 < 6, 1 < 5, 1 < 4, 1 < 6, and 5 = 5
    (row,) = gains(("loss", None, [5, 4, 6, 9, 0, 7, 3, 5, 1]))
    assert row["ahead"] == pytest.approx(7.5 / 9)
    assert (row["first"], row["middle"], row["last"], row["less"]) == (5, 7, 3, True)
    assert row["gained"] == pytest.approx(2 / 5)
    assert row["worsened"] == 4 / 8  # 4 to 6, 6 to 9, 0 to 7, 3 to 5
    assert (row["lines"], row["first_step"], row["last_step"], row["printed"]) == ([1, 9], 10, 90, 9)


def test_an_accuracy_gains_by_rising_and_a_reward_loses_by_falling() -> None:
    accuracy, reward = gains(("accuracy", "eval", [0.2, 0.3, 0.4]), ("reward", None, [-1, -2, -4]))
    assert (accuracy["ahead"], accuracy["gained"]) == (1, pytest.approx(0.5))
    assert (reward["ahead"], reward["gained"]) == (0, pytest.approx(-0.75))


def test_right_answers_near_the_whole_gain_of_what_is_missing() -> None:
    # 2 of a hundred were wrong, then 1; that many more wrong ones are no such loss
    better, worse = gains(("accuracy", "train", [98, 98.5, 99]), ("accuracy", "eval", [0.99, 0.985, 0.98]))
    assert better["gained"] == pytest.approx(1 / 2)
    assert worse["gained"] == pytest.approx(-0.01 / 0.99)


@pytest.mark.parametrize("name", ["lr", "grad_norm", "best_score", "std_reward", "throughput"])
def test_nothing_is_said_of_what_need_not_get_better(name: str) -> None:
    assert gains((name, None, [3, 2, 1, 4])) == []


def test_the_loss_of_one_of_two_nets_need_not_fall() -> None:
    assert gains(("d_loss", None, [1, 2, 3]), ("g_loss", None, [3, 2, 1])) == []
    assert [row["metric"] for row in gains(("loss", None, [1, 2, 3]), ("reward", None, [3, 2, 1]))] == ["reward"]


def test_two_values_have_no_thirds() -> None:
    assert gains(("loss", None, [2, 1])) == []


def test_what_is_gained_at_once_shows_in_the_first_two_values() -> None:
    rewards = [-114.0, -118.0, *([-110.5, -110.25, -111.0] * 6)]
    (row,) = gains(("reward", None, rewards))
    assert row["at_once"]
    # a late one that is no better than the better of the first two
    (row,) = gains(("reward", None, [*rewards[:-1], -114.0]))
    assert not row["at_once"]
    # of a loss, smaller is better
    (row,) = gains(("loss", None, [3, 2.5, 2, 1, 1.5, 2.25]))
    assert row["at_once"]


def test_what_is_gained_at_last_shows_in_the_last_two_values() -> None:
    (row,) = gains(("loss", None, [1.6, 1.5, 1.75, 1.7, 1.8, 1.7, 1.8, 1.2, 1.1]))
    assert row["at_last"]
    # the very last one is no better than the best of the first third
    (row,) = gains(("loss", None, [1.6, 1.5, 1.75, 1.7, 1.8, 1.7, 1.2, 1.1, 1.5]))
    assert not row["at_last"]
