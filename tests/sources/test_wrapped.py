"""Lines that another program has wrapped in JSON give the log that was printed, each where it stood."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import postmortem
from postmortem.sources import stream, wrapped

if TYPE_CHECKING:
    from pathlib import Path

DOCKER = (
    rb'{"log":"step 10 loss 2.5\n","stream":"stdout","time":"2026-01-05T10:00:00.5Z"}'
    b"\n"
    rb'{"log":"step 20 loss 2.25\n","stream":"stdout","time":"2026-01-05T10:00:05.5Z"}'
    b"\n"
    rb'{"log":"Traceback (most recent call last):\n","stream":"stderr","time":"2026-01-05T10:00:06.5Z"}'
    b"\n"
    rb'{"log":"  File \"train.py\", line 3, in \u003cmodule\u003e\n","stream":"stderr","time":"2026-01-05T10:00:06.5Z"}'
    b"\n"
    rb'{"log":"ValueError: no such split\n","stream":"stderr","time":"2026-01-05T10:00:06.5Z"}'
    b"\n"
)
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# loss: 7.5\n", '"text": [\n']},
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {},
            "outputs": [
                {"name": "stdout", "output_type": "stream", "text": ["Epoch 1/2\n", "loss: 2.5 - val_loss: 2.25\n"]},
                {
                    "ename": "ValueError",
                    "evalue": "no such split",
                    "output_type": "error",
                    "traceback": [
                        "\x1b[0;31mValueError\x1b[0m          Traceback (most recent call last)",
                        "Cell \x1b[0;32mIn[1], line 3\x1b[0m\n----> 3 fit(split)",
                        "\x1b[0;31mValueError\x1b[0m: no such split",
                    ],
                },
            ],
            "source": ["fit(lr=0.5)"],
        },
    ],
    "metadata": {"kernelspec": {"name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def taken_out(data: bytes) -> list[bytes]:
    return wrapped.unwrapped(io.BytesIO(data), data[: stream.HEAD]).read().split(b"\n")


def exceptions(run: postmortem.Run) -> list[tuple[int, str]]:
    return [(row["line"], row["message"]) for row in run.events.filter(kind="exception").to_dicts()]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_a_container_printed_is_its_log(tmp_path: Path, pack: type[bytes]) -> None:
    path = tmp_path / "container-json.log"
    path.write_bytes(pack(DOCKER))
    run = postmortem.read(path)
    assert run.metrics.select("line", "step", "name", "value").rows() == [(1, 10, "loss", 2.5), (2, 20, "loss", 2.25)]
    assert run.metrics["ts"].str.slice(0, 19).to_list() == ["2026-01-05T10:00:00", "2026-01-05T10:00:05"]
    assert exceptions(run) == [(5, "ValueError: no such split")]
    assert not stream.is_plain(str(path))


def test_the_evidence_is_shown_out_of_its_wrapping(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(DOCKER)
    incident, _ = postmortem.analyze(str(path), replay=False)
    (finding,) = [each for each in incident.findings if each.rule == "python/exception"]
    assert [(each.line, each.text) for each in finding.evidence] == [
        (5, "2026-01-05T10:00:06.5Z ValueError: no such split")
    ]


def test_of_a_notebook_its_outputs_are_the_log_at_their_own_lines(tmp_path: Path) -> None:
    path = tmp_path / "train.ipynb"
    text = json.dumps(NOTEBOOK, indent=1)
    path.write_text(text)
    at = {
        what: number for number, line in enumerate(text.split("\n"), 1) for what in ("val_loss", ": no") if what in line
    }
    run = postmortem.read(path)
    assert run.metrics.select("line", "epoch", "name", "split", "value").rows() == [
        (at["val_loss"], 1.0, "loss", None, 2.5),
        (at["val_loss"], 1.0, "loss", "eval", 2.25),
    ]
    assert exceptions(run) == [(at[": no"], "ValueError: no such split")]
    assert "lr" not in run.settings["key"].to_list()  # a cell's source was not printed


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ({"message": "loss 2.5", "time": "10:00:05", "level": "INFO"}, b"10:00:05 INFO loss 2.5"),
        ({"msg": "2026-01-05 10:00:05 loss 2.5", "time": "2026-01-05T10:00:05Z"}, b"2026-01-05 10:00:05 loss 2.5"),
        ({"message": "failed", "exc_info": "Traceback\nValueError: x"}, b"failed\rTraceback\rValueError: x"),
        ({"textPayload": "loss 2.5", "labels": {"pod_id": "17"}, "severity": "ERROR"}, b"ERROR loss 2.5"),
        ({"message": "loss 2.5", "lineno": 17, "process": 4711, "created": 1767607205.5}, b"loss 2.5"),
    ],
)
def test_a_message_stands_behind_its_time_and_its_level(record: dict[str, object], line: bytes) -> None:
    assert taken_out(json.dumps(record).encode() + b"\n") == [line, b""]


@pytest.mark.parametrize(
    "record",
    [
        {"message": "train", "loss": 2.5},
        {"message": "train", "loss": "2.5"},
        {"message": "train", "metrics": {"loss": 2.5}},
        {"loss": 2.5},
        {"message": 2.5},
        {"message": ["a"]},
        {"cells": [1], "nbformat": 4},
    ],
)
def test_what_is_measured_beside_a_message_stays_a_record(record: dict[str, object]) -> None:
    data = json.dumps(record).encode() + b"\n"
    assert taken_out(data) == data.split(b"\n")


def test_a_line_that_is_no_message_among_others_stays_as_it_is() -> None:
    data = DOCKER * 3 + b'{"log": "cut off\n{"log": 7.5}\nplain\n'
    assert taken_out(data)[15:] == [b'{"log": "cut off', b'{"log": 7.5}', b"plain", b""]


def test_a_longer_line_than_any_message_passes_in_bounded_pieces() -> None:
    long = b'{"log": "' + b"x" * 3_000_000 + b'"}\n'
    assert taken_out(DOCKER * 20 + long)[100:] == long.split(b"\n")


@pytest.mark.parametrize("depth", range(500, 1000, 7))
def test_a_record_of_any_depth_stays_or_is_a_message(depth: int) -> None:
    line = b'{"message": "x", "of": ' + b'{"a":' * depth + b'"b"' + b"}" * depth + b"}"
    assert taken_out(line + b"\n") in ([line, b""], [b"x", b""])


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(DOCKER.splitlines()))))
def test_every_line_gives_one_line(lines: list[bytes]) -> None:
    data = DOCKER * 20 + b"".join(line.replace(b"\n", b"") + b"\n" for line in lines)
    assert len(taken_out(data)) == data.count(b"\n") + 1


@given(st.text(), st.text())
def test_any_message_is_one_line(message: str, level: str) -> None:
    data = json.dumps({"message": message, "level": level}).encode() + b"\n"
    assert len(taken_out(data)) == len([b"one", b"the end"])
