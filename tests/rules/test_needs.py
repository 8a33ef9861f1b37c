"""What a query cannot do without, read from its parse."""

from __future__ import annotations

import pytest

from postmortem.rules import query
from postmortem.rules.needs import Condition, Need

KILLED = Need("failures", (Condition("(kind = 'killed')", ("kind",)),), (("kind", ("killed",)),))
ANY = Need("failures")
JOB = Need("jobs", (Condition("(state = 'X')", ("state",)),), (("state", ("X",)),))
OF_KIND = Need("failures", (Condition("(kind = $kind)", ("kind",), ("kind",)),))
LIMITED = Condition('("value" > $limit)', ("value",), ("limit",))


@pytest.mark.parametrize(
    ("sql", "needs"),
    [
        ("SELECT line FROM failures", ((ANY,),)),
        ("SELECT line FROM failures WHERE kind = 'killed'", ((KILLED,),)),
        ("SELECT line FROM failures f WHERE f.kind = 'killed'", ((KILLED,),)),
        (
            "SELECT line FROM failures WHERE kind = 'killed' AND value > $limit",
            ((KILLED._replace(conditions=(*KILLED.conditions, LIMITED)),),),
        ),
        ("SELECT line FROM failures WHERE kind = $kind", ((OF_KIND,),)),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' GROUP BY rank", ((KILLED,),)),
        # a condition that asks for more than the row does not count
        ("SELECT line FROM failures WHERE line = (SELECT max(line) FROM failures)", ((ANY,),)),
        ("SELECT line FROM failures WHERE value > setting('eps')", ((ANY,),)),
        ("SELECT line FROM failures WHERE list_filter(lines, x -> x > 1) = [2]", ((ANY,),)),
        ("SELECT line FROM failures WHERE kind = 'costs $limit' || $limit", ((ANY,),)),
        # a row of no rows, unless some are asked for
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed'", ()),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING count(*) > 0", ((KILLED,),)),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING max(line) > 5", ((KILLED,),)),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING max(line) BETWEEN 5 AND 6", ((KILLED,),)),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING count(*) >= $fewest", ((KILLED,),)),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING count(DISTINCT rank) = 2", ((KILLED,),)),
        ("SELECT min(line) AS line, count(*) AS n FROM failures WHERE kind = 'killed' HAVING n > $n", ((KILLED,),)),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING count(*) = 0", ()),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING count(*) >= 0", ()),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING count(*) = $n", ()),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING count(*) <= $most", ()),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING count(*) < 9", ()),
        # GROUP BY ALL groups by what is not aggregated, if anything is not
        ("SELECT min(line) AS line, rank FROM failures WHERE kind = 'killed' GROUP BY ALL", ((KILLED,),)),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' GROUP BY ALL", ()),
        ("SELECT min(line) AS line, 1 AS rank FROM failures WHERE kind = 'killed' GROUP BY ALL", ()),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING max(line) IS NULL", ()),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' HAVING max(line) IS DISTINCT FROM 5", ()),
        ("SELECT min(line) AS line FROM failures WHERE kind = 'killed' GROUP BY GROUPING SETS ((), (rank))", ()),
        # an aggregate of another query makes no row of none
        ("SELECT line, (SELECT max(step) FROM metrics) FROM failures WHERE kind = 'killed'", ((KILLED,),)),
        # either half of a union is enough
        (
            "SELECT line FROM failures WHERE kind = 'killed' UNION ALL SELECT line FROM jobs WHERE state = 'X'",
            ((KILLED,), (JOB,)),
        ),
        ("SELECT line FROM failures WHERE kind = 'killed' UNION ALL SELECT 1 AS line", ()),
        ("SELECT line FROM failures WHERE kind = 'killed' EXCEPT SELECT line FROM jobs WHERE state = 'X'", ()),
        # a name alone says a table where there is but one; an outer join asks nothing of its outer side
        ("SELECT f.line FROM failures f, jobs j WHERE kind = 'killed'", ((ANY, Need("jobs")),)),
        ("SELECT f.line FROM failures f, jobs j WHERE f.kind = 'killed' AND j.state = 'X'", ((KILLED, JOB),)),
        ("SELECT f.line FROM jobs j JOIN failures f ON f.kind = 'killed'", ((Need("jobs"), KILLED),)),
        ("SELECT j.line FROM jobs j LEFT JOIN failures f ON f.kind = 'killed'", ((Need("jobs"),),)),
        ("SELECT j.line FROM jobs j LEFT JOIN failures f ON j.state = 'X'", ((Need("jobs"),),)),
        ("SELECT j.line FROM failures f RIGHT JOIN jobs j ON f.kind = 'killed'", ()),
        ("SELECT j.line FROM failures f POSITIONAL JOIN jobs j WHERE f.kind = 'killed'", ()),
        # what a query is made of has its own needs
        ("SELECT line FROM (SELECT line FROM failures WHERE kind = 'killed') WHERE line > 1", ((KILLED,),)),
        (
            "WITH k AS (SELECT line FROM failures WHERE kind = 'killed') SELECT k.line FROM k, jobs",
            ((KILLED, Need("jobs")),),
        ),
        ("WITH k AS (SELECT max(line) AS line FROM failures) SELECT line FROM k", ()),
        ("WITH k AS (SELECT max(line) AS line FROM failures) SELECT jobs.line FROM k, jobs", ((Need("jobs"),),)),
        ("WITH failures AS (SELECT 1 AS line, 'killed' AS kind) SELECT line FROM failures WHERE kind = 'killed'", ()),
        ("WITH jobs AS (SELECT * FROM jobs WHERE state = 'X') SELECT line FROM jobs WHERE line > 3", ((JOB,),)),
    ],
)  # fmt: skip
def test_what_a_query_cannot_do_without(sql: str, needs: tuple[tuple[Need, ...], ...]) -> None:
    assert query.read(sql).needs == needs


@pytest.mark.parametrize(
    ("condition", "texts"),
    [
        ("name = 'loss'", {"name": ("loss",)}),
        ("name IN ('loss', 'lm_loss')", {"name": ("lm_loss", "loss")}),
        ("name = 'loss' OR name IN ('a', 'b')", {"name": ("a", "b", "loss")}),
        ("name = 'loss' AND split IN ('eval', 'test')", {"name": ("loss",), "split": ("eval", "test")}),
        ("name = 'loss' OR value > 1", {}),
        ("name = 'loss' OR split = 'eval'", {}),
        ("name <> 'loss'", {}),
        ("value = 3", {}),
        ("lower(name) = 'loss'", {}),
    ],
)
def test_the_texts_that_a_column_may_hold(condition: str, texts: dict[str, tuple[str, ...]]) -> None:
    (((need,),),) = (query.read(f"SELECT line FROM metrics WHERE {condition}").needs,)  # noqa: S608 - from this file
    assert dict(need.texts) == texts


def test_too_many_ways_to_be_met_are_none() -> None:
    halves = " UNION ALL ".join(["SELECT line FROM jobs"] * 5)
    assert len(query.read(halves).needs) == 5
    assert query.read(f"SELECT a.line FROM ({halves}) a, ({halves}) b").needs == ()  # noqa: S608 - from this file
