"""What records are there for: worked out by hand, and the kernel against Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.parsing import kernel, sift
from postmortem.parsing.shapes import Shapes
from postmortem.parsing.sift import Trait
from postmortem.sources.chunks import Bytes

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Ints
    from postmortem.parsing.shapes import Records

LIBRARY = kernel.load()
#: Templates by number, as these tests have them: a blank record, an unread one, a value, a heading, a bar.
BLANK, UNREAD, VALUE, HEADING, BAR = range(5)
TRAITS = np.array(
    [Trait.READ | Trait.BLANK, 0, Trait.READ | Trait.PLACED, Trait.READ | Trait.CARRIES, Trait.READ | Trait.CARRIES],
    np.uint8,
)


def of(text: bytes) -> tuple[Records, Ints]:
    """Records and their templates: a value has a `=`, a heading a `#`, a bar a `/`."""
    records = Shapes().scan(Bytes(text, goes_on=False))
    kinds = [
        HEADING if b"#" in one else BAR if b"/" in one else VALUE if b"=" in one else UNREAD if one else BLANK
        for one in (records.record(index) for index in range(len(records.start)))
    ]
    return records, np.array(kinds, np.int32)


@pytest.fixture(params=[True, False], ids=["kernel", "python"], autouse=True)
def _compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "load", lambda: LIBRARY if request.param else None)


def test_lines_and_records_are_told_apart() -> None:
    records, chosen = of(b"x\n\na=1\rx\n\r\n#\n\n\na=2\n")
    found = sift.sift(records, chosen, TRAITS[chosen], 5)
    # lines: unread, blank, read, blank (two states), heading, blank, blank, read
    read, blank = Trait.READ, Trait.BLANK
    assert found.of_line.tolist() == [0, blank, read, blank, read, blank, blank, read]
    # records: x, "", a=1, x, "", "", #, "", "", a=2
    assert found.filled.tolist() == [2, 9]
    assert found.clearing.tolist() == [1, 4]  # those right below the heading end nothing
    assert found.counts.tolist() == [5, 2, 2, 1, 0]
    assert found.first[[BLANK, UNREAD, VALUE, HEADING]].tolist() == [1, 0, 2, 6]
    assert (found.spoken, found.heads) == (0, False)


def test_of_blank_lines_alone_nothing_is_spoken() -> None:
    records, chosen = of(b"\n\n")
    found = sift.sift(records, chosen, TRAITS[chosen], 5)
    assert (found.spoken, found.heads, found.clearing.tolist()) == (2, None, [0, 1])


def lengths(records: Records, chosen: Ints) -> tuple[Ints, Ints]:
    """Of each template where a bar's length stands: behind the slash, to the end of the first bar."""
    bar = next(records.record(i) for i in range(len(chosen)) if chosen[i] == BAR)
    total, length = np.zeros(5, np.int32), np.full(5, -1, np.int32)
    total[BAR], length[BAR] = bar.index(b"/") + 1, len(bar) - bar.index(b"/") - 1
    return total, length


def test_a_bar_inside_a_longer_one_carries_nothing() -> None:
    records, chosen = of(b"1/90\n1/20\n2/20\n2/90\n3/20\n#\n")
    found = sift.carriers(records, chosen, TRAITS[chosen], *lengths(records, chosen))
    assert found.tolist() == [0, 3, 5]


def test_of_many_states_the_last_before_a_row_is_kept() -> None:
    records, chosen = of(b"1/9\n2/9\na=1\n3/9\n4/9\nx\na=2\na=3\n5/9\n")
    _, length = lengths(records, chosen)
    carrying = np.array([0, 1, 3, 4, 8])
    assert sift.last_before_rows(chosen, TRAITS[chosen], carrying, length).tolist() == [1, 4, 8]


def test_before_is_strictly_before() -> None:
    assert sift.before(np.array([-1, 3, 3, 7]), np.array([0, 3, 4, 7, 8])).tolist() == [0, 0, 2, 2, 3]


@given(st.lists(st.sampled_from([b"x", b"", b"a=1", b"#", b"1/90", b"2/20", b"7/55", b"\r", b"\n"]), min_size=1))
def test_the_kernel_finds_what_python_finds(parts: list[bytes]) -> None:
    records, chosen = of(b"\n".join(parts) + b"\n3/70\n")
    traits = TRAITS[chosen]
    total, length = np.full(5, 2, np.int32), np.full(5, -1, np.int32)
    length[BAR] = 2
    found = []
    for library in (LIBRARY, None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernel, "load", lambda library=library: library)
            sifted = sift.sift(records, chosen, traits, 5)
            carrying = sift.carriers(records, chosen, traits, total, length)
            last = sift.last_before_rows(chosen, traits, carrying, length)
        used = np.flatnonzero(sifted.counts)
        columns = (sifted.of_line, sifted.filled, sifted.clearing, sifted.counts, sifted.first[used], carrying, last)
        found.append([column.tolist() for column in columns] + [[sifted.spoken, sifted.heads]])
    assert found[0] == found[1]
