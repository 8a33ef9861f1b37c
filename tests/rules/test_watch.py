"""Queries of this process are interrupted: after their time, and at once where all have to stop."""

from __future__ import annotations

import time
from threading import Thread

import duckdb
import pytest

from postmortem.rules import database
from postmortem.rules.watch import Watch

#: Rows enough for minutes.
ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = -1"


def seconds(watch: Watch) -> float:
    """How long the endless query ran."""
    connection = database.sealed("100MB", threads=1).cursor()
    begun = time.monotonic()
    with pytest.raises(duckdb.InterruptException), watch, watch.over(connection):
        connection.execute(ENDLESS)
    return time.monotonic() - begun


def test_a_query_is_interrupted_after_its_time() -> None:
    assert 0.5 <= seconds(Watch(0.5)) < 30


def test_all_queries_are_interrupted_when_told_so() -> None:
    watch = Watch(600)
    teller = Thread(target=watch.stop)
    teller.start()
    assert seconds(watch) < 30
    teller.join()


def test_of_two_connections_only_the_one_that_takes_too_long_is_interrupted() -> None:
    slow, quick = (database.sealed("100MB", threads=1).cursor() for _ in range(2))
    watch = Watch(2.0)
    stopped: list[str] = []

    def endless() -> None:
        with watch.over(slow):
            try:
                slow.execute(ENDLESS)
            except duckdb.InterruptException as error:
                stopped.append(str(error))

    with watch:
        thread = Thread(target=endless)
        thread.start()
        while thread.is_alive():
            with watch.over(quick):
                assert quick.execute("SELECT 1").fetchall() == [(1,)]
        thread.join()
    assert len(stopped) == 1
