"""How a log was understood, against what a person reads in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem import readers
from postmortem.parsing import catalogue, dialects, names, understand
from postmortem.parsing.reader import Reader
from postmortem.parsing.rows import Rows
from postmortem.parsing.seen import EXAMPLE, MOST_ALONE, Seen
from postmortem.parsing.template import Template
from postmortem.sources.chunks import Bytes
from tests import users

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.parsing.dialects import Dialects
    from postmortem.parsing.understanding import Understanding

LOG = """\
HF_TOKEN = hf_abcdefghijklmnopqrstuvwxyz
lr = 1e-4

step 1: loss=2.5, wobble=7
12: Finished the lap in a good mood
   \t
step 2: val/loss=nan, wobble=8
Finished the lap 20 in a good mood
Finished the lap 31 in a good mood
lr = 5e-5
NUMERICAL ISSUE DETECTED: x_concat [stage 0]
   Has Inf: True
Layer 3: XV output: min=-4.25, max=5.5    (range: ~10)
last"""


def understood(text: str, known: Dialects | None = None, size: int = 10**6) -> Understanding:
    reader = Reader("a.log", known or dialects.shipped())
    content = text.encode()
    reader.read([Bytes(content[i : i + size], goes_on=False) for i in range(0, len(content), size)])
    return understand.of_log(reader)


def test_each_line_is_counted_once() -> None:
    found = understood(LOG)
    assert (found.lines, found.read_lines, found.unread_lines, found.blank_lines) == (14, 8, 4, 2)
    assert found.unread_share == pytest.approx(4 / 12)
    assert found.truncated
    assert found.reader == "text"


def test_what_read_a_line_is_named_with_its_pattern_and_first_line() -> None:
    found = {(one.dialect, one.pattern): one for one in understood(LOG).read_by}
    generic = found["generic", None]
    # HF_TOKEN, lr twice, step twice; the first of them is the first line
    assert (generic.records, generic.line, generic.example) == (5, 1, "HF_TOKEN = hf_abcdefghijklmnopqrstuvwxyz")
    (ttt,) = (one for (dialect, _), one in found.items() if dialect == "ttt")
    assert ttt.pattern == "Layer {scope:int}: XV output: min={min:num}, max={max:num}"
    assert (ttt.records, ttt.line) == (1, 13)


def test_the_first_line_is_the_first_of_the_whole_log() -> None:
    text = "step 1: loss=2.5\n" + "noise of no kind\n" * 3 + "step 2: loss=2.5\n" * 4
    for size in (17, 34, 10**6):  # whole lines
        found = understood(text, size=size)
        (generic,) = found.read_by
        assert (generic.records, generic.line, generic.example) == (5, 1, "step 1: loss=2.5")
        (noise,) = found.unread
        assert (noise.records, noise.line) == (3, 2)


def test_a_name_becomes_its_canonical_one_with_split_and_course() -> None:
    found = {(one.source_name, one.frame): one for one in understood(LOG).names}
    loss, validated = found["loss", "metrics"], found["val/loss", "metrics"]
    assert (loss.name, loss.split, loss.known_by, loss.values, loss.first, loss.line) == (
        ("loss", None, "names", 1, "2.5", 4)
    )
    assert (validated.name, validated.split, validated.known_by, validated.last) == ("loss", "eval", "names", "nan")
    wobble = found["wobble", "metrics"]
    assert (wobble.name, wobble.known_by, wobble.values, wobble.first, wobble.last) == ("wobble", None, 2, "7", "8")
    tensor = found["XV", "tensors"]
    assert (tensor.meaning, tensor.first, tensor.line) == ("activation: normalise", "min=-4.25, max=5.5", 13)


def test_settings_have_their_first_and_last_statement() -> None:
    found = {one.source_name: one for one in understood(LOG).settings}
    lr, token = found["lr"], found["HF_TOKEN"]
    assert (lr.key, lr.known_by, lr.values, lr.first, lr.last, lr.line) == ("lr", "names", 2, "1e-4", "5e-5", 2)
    assert (token.key, token.known_by) == ("hf_token", None)


def test_unread_records_that_differ_in_numbers_are_one_kind() -> None:
    found = understood(LOG).unread
    # the rank before line 5 belongs to the launcher; the number of digits makes no other kind
    assert [(one.records, one.line, one.shape) for one in found] == [
        (2, 8, "Finished the lap 0 in a good mood"),
        (1, 5, "Finished the lap in a good mood"),
        (1, 14, "last"),
    ]
    assert found[0].example == "Finished the lap 20 in a good mood"


def test_states_of_a_bar_count_as_records_of_one_line() -> None:
    found = understood("Rolling out\rRolling out\rloss=2.5\nRolling out\n")
    assert (found.lines, found.unread_lines) == (2, 1)
    (rolling,) = found.unread
    assert (rolling.records, rolling.line) == (3, 1)


def test_the_lines_of_a_block_are_counted_with_it() -> None:
    found = understood("NUMERICAL ISSUE DETECTED: x_concat [stage 0]\n   Has NaN: False\n   Max: 2.5\n\n")
    assert (found.read_lines, found.blank_lines) == (3, 1)
    (block,) = found.read_by
    assert (block.dialect, block.records, found.block_records) == ("tensor_health", 1, 2)


def test_a_users_dialect_knows_its_names(tmp_path: Path) -> None:
    found = understood(users.LOG, catalogue.catalogue([users.dialect(tmp_path)]))
    (loss,) = found.names
    assert (loss.source_name, loss.name, loss.known_by, loss.dialect) == ("verlust", "loss", "dialect", "mine")
    assert (loss.values, loss.step_unit, loss.first) == (3, "update", "2")


def test_a_table_is_understood_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("step,loss,wobble,note\n1,2.5,7,a\n2,nan,8,b\n3,x\n")
    rows = Rows(names.load())
    info = readers.read(path, rows)
    assert info is not None
    found = understand.of_file(info, rows.frames(), dialects.shipped())
    assert (found.reader, found.lines, found.unread_lines, found.read_lines) == ("delimited", 4, 1, 3)
    assert [(one.source_name, one.name, one.known_by, one.values, one.first, one.last) for one in found.names] == [
        ("loss", "loss", "names", 2, "2.5", "nan"),
        ("wobble", "wobble", None, 2, "7", "8"),
    ]
    assert found.left_out


def test_rows_of_another_file_are_not_counted(tmp_path: Path) -> None:
    rows = Rows(names.load())
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("step,loss\n1,2.5\n2,2.25\n")
        info = readers.read(tmp_path / name, rows)
    assert info is not None
    (loss,) = understand.of_file(info, rows.frames(), dialects.shipped()).names
    assert loss.values == 2


def test_a_record_without_a_template_is_counted_by_what_read_it() -> None:
    # longer than any shape: each is understood by itself
    text = "".join(f"step {i}: loss=2.5 {'x' * 5000}\n" for i in (1, 2)) + f"{'y ' * 3000}\n" * 2
    found = understood(text)
    (generic,), (unread,) = found.read_by, found.unread
    assert (generic.records, generic.line, len(generic.example)) == (2, 1, EXAMPLE)
    assert (unread.records, unread.line) == (2, 3)


def test_kinds_without_a_template_are_bounded_and_all_counted() -> None:
    seen = Seen()
    nothing = Template()
    for i in range(MOST_ALONE + 5):
        seen.add_alone(nothing, i + 1, 0, "".join(chr(97 + int(digit)) for digit in str(i)).encode())
    assert len(list(seen.kinds)) == MOST_ALONE + 1
    assert sum(kind.records for kind in seen.kinds) == MOST_ALONE + 5
    last = list(seen.kinds)[-1]
    assert (last.records, last.line) == (5, MOST_ALONE + 1)
