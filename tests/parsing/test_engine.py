"""The fast way and the plain one give the same: shapes against single records, the kernel against Python."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postmortem.parsing import columns, dialects, kernel, names, understand
from postmortem.parsing.columns import Fields
from postmortem.parsing.interpret import Interpreter
from postmortem.parsing.numbers import read as read_number
from postmortem.parsing.reader import Reader
from postmortem.parsing.shapes import ANSI, NO_SHAPE, Shapes
from postmortem.parsing.templates import TAKEN
from postmortem.sources.chunks import Bytes
from tests.parsing import lines

if TYPE_CHECKING:
    from postmortem.parsing.shapes import Records

LIBRARY = kernel.load()
FRAMES = ("metrics", "tensors", "events", "settings", "jobs")


@pytest.fixture(autouse=True)
def _with_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test says for itself whether the kernel takes part."""
    monkeypatch.delenv("POSTMORTEM_KERNEL", raising=False)


def test_the_kernel_is_there_where_a_compiler_was() -> None:
    # this project's checks run where there is one; without it half of these tests would compare Python with itself
    assert LIBRARY is not None


def frames(content: bytes, size: int, *, shapes: bool, compiled: bool) -> dict[str, list[dict[str, Any]]]:
    """All rows of a log read in chunks of `size`, sorted; nan as a word, so that it equals itself."""
    load, kernel.load = kernel.load, (lambda: LIBRARY if compiled else None)  # type: ignore[assignment]
    try:
        reader = Reader("x.log", dialects.shipped())
        if not shapes:
            reader.templates.of_shape = lambda record: -1  # type: ignore[method-assign]  # noqa: ARG005 - as it is called
        reader.read([Bytes(piece, goes_on=goes_on) for piece, goes_on in cut(content, size)])
        made = reader.log.frames()
    finally:
        kernel.load = load
    return {
        name: sorted(
            (
                {key: "nan" if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}
                for row in made[name]().iter_rows(named=True)
            ),
            key=repr,
        )
        for name in FRAMES
    } | {"log": [counts(reader)], "seen": seen(reader)}


def counts(reader: Reader) -> dict[str, Any]:
    """How many lines a reader met, and what became of them."""
    log = reader.log
    in_blocks = log.seen.records(TAKEN)
    return {
        "lines": log.lines,
        "unread": log.unread,
        "blank": log.blank,
        "used": dict(log.used),
        "in blocks": in_blocks,
    }


def seen(reader: Reader) -> list[dict[str, Any]]:
    """What read which records, and what nobody read, each with its first line."""
    kinds = list(reader.log.seen.kinds)
    found = [*understand._read_by(kinds), *understand._unread(kinds, reader.templates.interpreter.body)]
    return [row.model_dump() for row in found]


def cut(content: bytes, size: int) -> list[tuple[bytes, bool]]:
    """Pieces of whole lines, at least `size` long."""
    found, start = [], 0
    while start < len(content):
        end = content.find(b"\n", start + size) + 1 or len(content)
        found.append((content[start:end], False))
        start = end
    return found


@settings(max_examples=150, deadline=None)
@given(lines.log, st.integers(1, 400))
def test_a_shape_gives_what_each_of_its_records_gives(content: bytes, size: int) -> None:
    twice = content + content.translate(bytes.maketrans(b"0123456789", b"9876543210"))
    fast = frames(twice, size, shapes=True, compiled=True)
    assert fast == frames(twice, 10**6, shapes=False, compiled=False)


@settings(max_examples=100, deadline=None)
@given(lines.log, st.integers(1, 400))
def test_the_kernel_gives_what_python_gives(content: bytes, size: int) -> None:
    with_it = frames(content, size, shapes=True, compiled=True)
    assert with_it == frames(content, size, shapes=True, compiled=False)


def same(one: Records, other: Records) -> None:
    for name in ("length", "shape", "line", "state", "line_start"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name
    assert [one.record(i) for i in range(len(one.start))] == [other.record(i) for i in range(len(other.start))]
    assert one.ended == other.ended


@given(st.lists(st.binary(min_size=1, max_size=40) | st.sampled_from([b"\x1b[3", b"\x1b]0;", b"\x1b", b"\r", b"\n"])))
def test_records_are_cut_alike(parts: list[bytes]) -> None:
    content = b"".join(parts) or b"x"
    assert LIBRARY is not None
    fast, plain = kernel.KernelShapes(LIBRARY), Shapes()
    for chunk in (content, content[::-1], content + b"\n"):
        same(fast.scan(Bytes(chunk, goes_on=False)), plain.scan(Bytes(chunk, goes_on=False)))


def test_records_are_the_states_of_lines_without_codes() -> None:
    found = Shapes().scan(Bytes(b"a 12\r\n\n\x1b[31mb\x1b[0m\rc 7\x00\nlast 99", goes_on=False))
    assert [found.record(i) for i in range(len(found.start))] == [b"a 12", b"", b"", b"b", b"c 7", b"last 99"]
    assert found.line.tolist() == [0, 0, 1, 2, 2, 3]
    assert found.state.tolist() == [0, 1, 0, 0, 1, 0]
    assert found.line_start.tolist() == [0, 6, 7, 23]
    assert not found.ended


def test_digits_alone_make_no_other_shape() -> None:
    found = Shapes().scan(Bytes(b"a 12\na 34\na 345\nb 12\n", goes_on=False))
    assert found.shape.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("compiled", [False, True])
def test_a_long_record_has_no_shape(compiled: bool) -> None:  # noqa: FBT001
    shapes = kernel.KernelShapes(LIBRARY) if compiled and LIBRARY else Shapes()
    assert shapes.scan(Bytes(b"x" * 5000 + b"\nshort\n", goes_on=False)).shape.tolist() == [NO_SHAPE, 0]


@given(st.binary(max_size=60))
def test_codes_never_hold_the_end_of_a_line(content: bytes) -> None:
    without = ANSI.sub(b"", content)
    assert without.count(b"\n") == content.count(b"\n")
    assert without.count(b"\r") == content.count(b"\r")


NUMBERS = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**25), 10**25).map(str),
    st.integers(0, 10**18).map("{:,}".format),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.sampled_from(["1e400", "-1e-400", "'2.5'", '"1e-05"', "25.2G", "~87", "np.float64(0.4)", "inf", "-NaN"]),
    st.sampled_from([".5", "5.", "1e22", "1e23", "-0.0"]),
)


@given(st.lists(NUMBERS, min_size=1))
def test_numbers_are_read_to_the_last_bit(texts: list[str]) -> None:
    joined = "".join(texts).encode()
    length = np.array([len(text) for text in texts], np.int32)
    start = np.cumsum(length, dtype=np.int64) - length
    found = columns.numbers(Fields(np.frombuffer(joined, np.uint8), start, length), np.zeros(len(texts), np.uint8))
    assert [repr(float(value)) for value in np.abs(found)] == [repr(abs(read_number(text))) for text in texts]


def test_a_share_is_read_by_its_digits() -> None:
    text = b"13.42%7 %"
    fields = Fields(np.frombuffer(text, np.uint8), np.array([0, 6]), np.array([6, 3], np.int32))
    assert columns.numbers(fields, np.ones(2, np.uint8)).tolist() == [0.1342, 0.07]


@given(st.lists(st.integers(-(10**18) + 1, 10**18 - 1), min_size=1))
def test_whole_numbers_are_exact(values: list[int]) -> None:
    texts = [f"{value:,}" if i % 2 else str(value) for i, value in enumerate(values)]
    length = np.array([len(text) for text in texts], np.int32)
    start = np.cumsum(length, dtype=np.int64) - length
    found = columns.integers(Fields(np.frombuffer("".join(texts).encode(), np.uint8), start, length))
    assert found.tolist() == values


def test_a_number_in_a_name_is_not_filled_but_read() -> None:
    interpreter = Interpreter(dialects.shipped(), names.load())
    template = interpreter.template(b"step 5: layers.12.grad=2.5, loss=1.0")
    assert [bytes(b"step 5: layers.12.grad=2.5, loss=1.0"[i : i + 1]) for i in template.looked_at] == [b"1", b"2"]
