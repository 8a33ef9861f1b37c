"""The named questions, on an archive whose answers are worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scipy.stats import hypergeom

from postmortem.archive import questions
from postmortem.archive.add import Addition, add
from postmortem.archive.database import Database
from postmortem.errors import PostmortemError
from tests.archive import logs

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Four jobs: two of ann on node1 fail, the first with two logs; bob's third fails elsewhere, his fourth is healthy.
SACCT = """\
JobID|JobName|User|Partition|State|ExitCode|Elapsed|Start|End|AllocTRES|NodeList
10001|train|ann|gpu|FAILED|1:0|02:00:00|2026-03-01T10:00:00|2026-03-01T12:00:00|billing=8,cpu=32,gres/gpu=4,node=2|node[1-2]
10002|train|ann|gpu|FAILED|1:0|01:00:00|2026-03-02T10:00:00|2026-03-02T11:00:00|billing=8,cpu=32,gres/gpu=2,node=1|node1
10003|train|bob|long|FAILED|1:0|10:00:00|2026-04-01T00:00:00|2026-04-01T10:00:00|billing=8,cpu=32,gres/gpu=1,node=1|node3
10004|train|bob|long|COMPLETED|0:0|03:00:00|2026-04-02T00:00:00|2026-04-02T03:00:00|billing=8,cpu=32,gres/gpu=8,node=1|node4
"""
OOM = "step 1: loss=2.0\ntorch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("archive")
    held = folder / "logs"
    held.mkdir()
    (held / "sacct.txt").write_text(SACCT)
    (held / "slurm-10001.out").write_text(logs.FAILED)
    (held / "again-10001.log").write_text(logs.FAILED + "# the same job's second log\n")
    (held / "slurm-10002.out").write_text(OOM)
    (held / "slurm-10003.out").write_text(logs.FAILED + "# another job\n")
    (held / "slurm-10004.out").write_text(logs.HEALTHY)
    (held / "words.log").write_text("To be or not to be\n")
    add(Addition(folder / "store", [str(held)]), logs.Here())
    with Database(folder / "store") as found:
        yield found


def answer(database: Database, name: str) -> list[dict[str, Any]]:
    return database.ask(questions.load(name).query).to_dicts()


def test_runs_by_cause(database: Database) -> None:
    rows = {row["cause"]: (row["runs"], row["share %"]) for row in answer(database, "causes")}
    assert rows == {
        logs.CAUSE: (3, 50.0),
        "cuda/out-of-memory": (1, 16.7),
        "no fault shown": (1, 16.7),
        "not judged": (1, 16.7),
    }


def test_gpu_hours_by_cause(database: Database) -> None:
    rows = {row["cause"]: (row["runs"], row["GPU hours"], row["unknown"]) for row in answer(database, "gpu-hours")}
    # 2 h of 4 GPUs, shared by its two logs and counted once, and 10 h of one GPU; 1 h of 2; 3 h of 8
    assert rows == {
        logs.CAUSE: (3, 8.0 + 10.0, 0),
        "cuda/out-of-memory": (1, 2.0, 0),
        "no fault shown": (1, 24.0, 0),
        "not judged": (1, None, 1),
    }


def test_causes_over_time(database: Database) -> None:
    rows = {
        (row["month"], row["cause"]): row["runs"] for row in answer(database, "over-time") if row["month"] < "2026-05"
    }
    assert rows == {
        ("2026-03", logs.CAUSE): 2,
        ("2026-03", "cuda/out-of-memory"): 1,
        ("2026-04", logs.CAUSE): 1,
        ("2026-04", "no fault shown"): 1,
    }


def test_users_and_partitions(database: Database) -> None:
    users = {row["user"]: (row["runs"], row["failed"], row["GPU hours lost"]) for row in answer(database, "users")}
    assert users == {"ann": (3, 3, 10.0), "bob": (2, 1, 10.0), "unknown": (1, 0, None)}
    partitions = {row["partition"]: (row["runs"], row["failed"]) for row in answer(database, "partitions")}
    assert partitions == {"gpu": (3, 3), "long": (2, 1), "unknown": (1, 0)}


def test_nodes_that_failures_share(database: Database) -> None:
    rows = {row["node"]: row for row in answer(database, "nodes")}
    # of 5 runs with a known node 4 failed; node1 had 3 runs, node2 the 2 logs of the first job
    assert {name: (row["runs"], row["failures"]) for name, row in rows.items()} == {"node1": (3, 3), "node2": (2, 2)}
    assert rows["node1"]["by chance"] == pytest.approx(hypergeom(5, 4, 3).sf(2))
    assert rows["node2"]["by chance"] == pytest.approx(hypergeom(5, 4, 2).sf(1))
    assert rows["node1"]["in any"] == 1.0  # four nodes were looked at


@pytest.mark.parametrize(
    ("hits", "drawn", "marked", "total"), [(3, 5, 20, 400), (0, 4, 2, 9), (5, 5, 5, 5), (2, 9, 3, 10)]
)
def test_chance_is_the_hypergeometric_tail(database: Database, hits: int, drawn: int, marked: int, total: int) -> None:
    said = database.ask(f"SELECT at_least_by_chance({hits}, {drawn}, {marked}, {total})").item()
    assert said == pytest.approx(hypergeom(total, marked, drawn).sf(hits - 1), rel=1e-9)


def test_what_was_not_judged_is_a_row(database: Database) -> None:
    (row,) = answer(database, "unjudged")
    assert row["name"].endswith("words.log")
    assert "no log of a training run" in row["problem"]


def test_rules_are_counted_by_runs(database: Database) -> None:
    rows = {row["rule"]: (row["runs"], row["root cause"]) for row in answer(database, "rules")}
    assert rows[logs.CAUSE] == (3, 3)


@pytest.mark.parametrize("name", questions.names())
def test_every_question_has_a_title_and_says_what_it_counts(database: Database, name: str) -> None:
    question = questions.load(name)
    assert question.title
    assert question.about.endswith(".")
    assert database.ask(question.query).width > 1


def test_an_unknown_question_is_told() -> None:
    with pytest.raises(PostmortemError, match="no question 'node'; did you mean nodes"):
        questions.load("node")
