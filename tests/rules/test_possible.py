"""A query that is not run would have returned nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from postmortem.reading import read
from postmortem.rules import catalogue, query
from postmortem.rules.possible import Asked, possible
from postmortem.rules.tables import Tables

if TYPE_CHECKING:
    from pathlib import Path

#: Of several kinds, so that most signals have rows and many conditions are met by some.
LOG = (
    "eps = 1e-5\n"
    + "".join(
        f"step {step}: loss={2.0 - 0.01 * step:.3f}, lr=0.001, grad_norm={1.0 + step % 3}, "
        f"loss_scale={2 ** (16 - step % 5)}\n"
        for step in range(1, 60)
    )
    + "step 60: loss=nan, lr=0.001, grad_norm=inf\nval_loss: 2.30\nTraceback (most recent call last):\nValueError: no\n"
)


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    path = tmp_path / "run.log"
    path.write_text(LOG)
    return Tables(read(str(path)).frames(), 30.0)


def may(tables: Tables, sql: str, *, trusted: bool = True, **params: float) -> bool:
    with tables.watch:
        (answer,) = possible([Asked(query.read(sql).needs, params, trusted)], tables)
    return answer


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT line FROM metrics WHERE name = 'loss'", True),
        ("SELECT line FROM metrics WHERE name = 'kd_loss'", False),
        ("SELECT line FROM metrics WHERE name = 'loss' AND value > $limit", True),
        ("SELECT line FROM metrics WHERE name = 'loss' AND value BETWEEN 2 AND $limit", False),
        ("SELECT a.line FROM metrics a, metrics b WHERE a.name = 'loss' AND b.value < -1", False),
        ("SELECT line FROM metrics WHERE value < -1 UNION ALL SELECT line FROM events", True),
        ("SELECT line FROM tensors", False),
        # what fails may be anything: its rule is to say so
        ("SELECT line FROM metrics WHERE colour = 'red'", True),
        ("SELECT line FROM metrics WHERE name::DOUBLE > 5", True),
    ],
)
def test_what_is_possible_is_what_a_row_meets(tables: Tables, sql: str, expected: bool) -> None:  # noqa: FBT001
    assert may(tables, sql, limit=1.99 if "limit" in sql else 0.0) is expected


def test_conditions_of_strangers_are_not_run_here(tables: Tables) -> None:
    never = "SELECT line FROM metrics WHERE value < -1"
    assert not may(tables, never)
    assert may(tables, never, trusted=False)
    assert not may(tables, "SELECT line FROM metrics WHERE name = 'kd_loss'", trusted=False)


def test_parameters_of_one_name_keep_their_values(tables: Tables) -> None:
    needs = query.read("SELECT line FROM metrics WHERE name = 'loss' AND isfinite(value) AND value > $limit").needs
    with tables.watch:
        answers = possible([Asked(needs, {"limit": limit}, trusted=True) for limit in (1.0, 5.0, 1.5)], tables)
    assert answers == [True, False, True]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name = 'loss' AND value > 1.9", True),
        ("name = 'loss' AND isfinite(value) AND value > 2.5", False),
        ("regexp_matches(name, '^(r|v)_') AND value < -1", False),
        ("regexp_matches(name, '^(grad|param)_norm$') AND value > 2.5", True),
        # what is asked of most rows is left to the query itself
        ("value < -1", True),
    ],
)
def test_a_large_log_is_looked_through_where_the_name_is(tables: Tables, condition: str, expected: bool) -> None:  # noqa: FBT001
    few = tables.frames["metrics"]
    others = few.filter(pl.col("name") == "loss_scale")
    large = Tables({**tables.frames, "metrics": pl.concat([few, *[others] * 1_000])}, 30.0)
    assert may(large, f"SELECT line FROM metrics WHERE {condition}") is expected  # noqa: S608 - of this test


def test_signals_that_no_query_is_left_for_are_not_computed(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("postmortem.signals.drift.compute")
    assert not may(tables, "SELECT d.line FROM metrics m, drift d WHERE m.value < -1 AND d.start > 1")
    with pytest.raises(AttributeError):
        may(tables, "SELECT d.line FROM metrics m, drift d WHERE m.value > -1 AND d.start > 1")


def test_no_rule_that_ships_is_left_out_where_it_has_rows(tables: Tables) -> None:
    rules, _ = catalogue.rules()
    asked = [
        Asked(rule.query.needs, {name: rule.params[name].default for name in rule.query.params}, trusted=True)
        for rule in rules
    ]
    with tables.watch:
        answers = possible(asked, tables)
        left_out = [rule for rule, may in zip(rules, answers, strict=True) if not may]
        assert len(left_out) > len(rules) / 2
        for rule in left_out:
            params = {name: rule.params[name].default for name in rule.query.params}
            assert tables.answer(rule.detect, rule.query, params).rows == [], rule.id


def test_every_condition_of_what_ships_can_be_asked(tables: Tables) -> None:
    """One that fails would let all queries of its table run."""
    rules, _ = catalogue.rules()
    asked = [(rule, need) for rule in rules for part in rule.query.needs for need in part if need.conditions]
    assert len(asked) > 200
    with tables.watch:
        for rule, need in asked:
            sql = f'SELECT line FROM "{need.table}" WHERE {" AND ".join(one.sql for one in need.conditions)}'  # noqa: S608 - of what ships
            params = {name: rule.params[name].default for one in need.conditions for name in one.params}
            assert tables.answer(sql, query.read(sql), params).columns == ["line"], rule.id
