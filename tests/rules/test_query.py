"""What is read from a query before it runs: what it reads, and what no rule may ask for."""

from __future__ import annotations

import pytest

from postmortem.errors import PostmortemError
from postmortem.rules import catalogue, query
from postmortem.rules.query import Query


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT line, m.value FROM metrics m WHERE name = 'loss'", {"line", "m", "value", "name"}),
        ("SELECT count(*) AS line FROM metrics", set()),
        ("SELECT line FROM metrics JOIN events USING (line, record)", {"line", "record"}),
        ("SELECT line FROM (SELECT * FROM metrics WHERE value > 1)", {"line", "value"}),
        ("WITH a AS (SELECT line FROM metrics) SELECT * FROM a", {"line"}),
        ("WITH a AS (SELECT * FROM metrics) SELECT * FROM a", None),
        ("SELECT * FROM metrics", None),
        ("SELECT * FROM (SELECT * FROM metrics UNION ALL SELECT * FROM metrics)", None),
        ("FROM metrics", None),
        ("SELECT metrics FROM metrics", None),
        ("SELECT m FROM metrics m", None),
        ("SELECT COLUMNS('l.*') FROM metrics", None),
        ("SELECT line FROM metrics NATURAL JOIN events", None),
        ("SELECT line FROM (SELECT DISTINCT * FROM metrics)", None),
        ("SELECT line FROM (SELECT * FROM metrics UNION SELECT * FROM metrics)", None),
    ],
)
def test_the_columns_are_those_that_a_query_names(sql: str, columns: set[str] | None) -> None:
    found = query.read(sql).columns
    assert (found if found is None else set(found)) == columns


def test_tables_parameters_and_functions_are_named() -> None:
    said = query.read(
        "WITH a AS (SELECT line FROM metrics WHERE value > $limit) SELECT line, setting('eps') FROM a, drift"
    )
    assert said.tables == ("a", "drift", "metrics")
    assert said.own == ("a",)
    assert said.params == ("limit",)
    assert said.functions == ("setting",)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT 1; SELECT 2", "these are 2"),
        ("PIVOT metrics ON name USING sum(value)", "one SELECT"),
        ("EXPLAIN SELECT 1", "one SELECT"),
        ("SELECT 1 FROM (SUMMARIZE metrics)", "not by show_ref"),
        ("SELECT 1 FROM metrics PIVOT (sum(value) FOR name IN ('a'))", "not by pivot"),
        ("SELECT 1 WHERE EXISTS (SELECT 1 FROM read_blob('/etc/passwd'))", "read_blob() is disabled"),
        ("SELECT READ_TEXT('/etc/passwd')", None),  # no such function: DuckDB says so when it runs
        ("SELECT 1 FROM main.metrics", "'main.metrics'"),
        ("SELECT 1 FROM pg_catalog.pg_tables", "'pg_catalog.pg_tables'"),
        ("SELECT Current_Setting('threads')", "current_setting() is disabled"),
        ("SELECT (", "syntax error"),
        ("", "these are 0"),
        ("SELECT '" + "x" * 16_000 + "'", "16,009 characters"),
        ("SELECT 1" + " UNION ALL SELECT 1" * 800, None),
    ],
)
def test_what_no_rule_may_ask_for_is_refused_with_a_reason(sql: str, reason: str | None) -> None:
    if reason is None:
        assert query.read(sql).tables == ()
        return
    with pytest.raises(PostmortemError) as caught:
        query.read(sql)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_ships_is_fit_and_is_kept_as_it_is() -> None:
    rules, _ = catalogue.rules()
    for rule in rules:
        said = query.read(rule.detect)
        assert Query.load(said.dump()) == said
        assert set(said.params) <= set(rule.params)
