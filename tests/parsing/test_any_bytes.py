"""Logs of anything at all, one thing after the other: the reader gives frames or refuses, and finds what follows."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import postmortem
from postmortem.errors import PostmortemError
from postmortem.parsing import dialects, names
from postmortem.parsing.interpret import Interpreter
from tests.parsing import lines

#: What stands behind a blank line is carried from nowhere, and no block takes it.
LAST = b"\n\nstep 7: loss=1.5\n"
HUGE = st.sampled_from(
    ["9" * 400, "-1e999", "1e-999", "9,999" * 60, "0x" + "f" * 80, "1" + "0" * 30, "-0.0", "1e" * 90]
)
KEYS = st.sampled_from(["step", "epoch", "loss", "lr", "Step", "batch", "rank", "min", "max", "iter", "a.b/c-d"])
NESTS = st.sampled_from(
    ["{", "[", "(", '{"a":', "((a=", "'", '"', "{'loss': ", "tensor(", "np.float64(", "[0;", "Error("]
)


@st.composite
def pieces(draw: st.DrawFn) -> bytes:
    """Any bytes, lines of known forms, and what is large in one of several ways."""
    kind = draw(st.sampled_from(["bytes", "line", "numbers", "nest", "long", "bar"]))
    times = draw(st.integers(1, 3000))
    text: str = draw(lines.line)
    match kind:
        case "bytes":
            return draw(st.binary(max_size=80))
        case "line":
            return text.encode()
        case "numbers":
            return draw(st.lists(st.builds("{}={} ".format, KEYS, HUGE), max_size=20).map("".join)).encode()
        case "nest":
            return draw(NESTS).encode() * times
        case "long":
            return (text.encode() or b" ") * (1 + times // 50)
        case _:
            return b"\r" + (text.encode() + b"\r") * (1 + times // 50)


class Log(RuleBasedStateMachine):
    """A file that grows by pieces; after each of them it is read anew."""

    def __init__(self) -> None:
        super().__init__()
        self.content = b""

    @rule(piece=pieces(), end=st.sampled_from([b"\n", b"\r\n", b"\r", b"", b"\n\n"]))
    def grow(self, piece: bytes, end: bytes) -> None:
        """Something is written."""
        self.content += piece + end

    @rule(byte=st.integers(0, 10**6))
    def cut(self, byte: int) -> None:
        """A full disk takes the end."""
        self.content = self.content[: byte % (len(self.content) + 1)]

    @invariant()
    def reads(self) -> None:
        """Frames or a refusal, the counts right, and the last line as it stands."""
        log = self.content + LAST
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.log"
            path.write_bytes(log)
            try:
                run = postmortem.read(str(path))
            except PostmortemError as error:
                assert "\n" not in str(error)  # noqa: PT017 - most logs are read
                return
            (info,) = run.logs
            assert (info.bytes, info.lines, info.truncated) == (len(log), log.count(b"\n"), False)
            assert info.unread_lines + info.cut_lines <= info.lines
            for frame in run.frames().values():
                assert frame["line"].is_between(1, info.lines).all()
                assert frame["offset"].is_between(0, len(log) - 1).all()
            last = run.metrics.filter(run.metrics["line"] == info.lines)
            assert last.select("record", "step", "name", "value").rows() == [(0, 7, "loss", 1.5)]


TestLog = Log.TestCase
TestLog.settings = settings(max_examples=50, stateful_step_count=6, deadline=None)


@settings(max_examples=60, deadline=None)
@given(pieces())
def test_any_record_has_a_template(record: bytes) -> None:
    interpreter = Interpreter(dialects.shipped(), names.load())
    template = interpreter.template(record.replace(b"\n", b" ").replace(b"\r", b" "))
    assert all(0 <= byte < len(record) for byte in template.looked_at)


@pytest.mark.parametrize(
    "record",
    [
        *(text * (20_000 // len(text)) + "x" for text in (" ", "a ", "loss 1.5 ", "0", "Test: [1/9]\tLoss 1.2 (1.5)")),
        "a" + 15_000 * " " + "b: min=1, max=2",
    ],
)
def test_a_line_that_repeats_itself_is_read_in_time(record: str) -> None:
    # what is tried at every place behind every other one takes minutes here, or many seconds
    interpreter = Interpreter(dialects.shipped(), names.load())
    began = time.process_time()
    interpreter.template(record.encode())
    assert time.process_time() - began < 3
