"""The causal chain as data and as a drawing: only what was found, from left to right, and no circle that never ends."""

from __future__ import annotations

import itertools

from postmortem.report.chain import Link, chain
from postmortem.report.drawing import draw
from tests.report.factory import finding


def test_links_lead_only_to_what_was_found() -> None:
    found = [finding("a/a", "", role="root_cause"), finding("b/b", "", explained_by=["a/a", "not/found"])]
    linked = chain([*found, finding("c/c", "")])
    assert linked.roles == {"a/a": "root_cause", "b/b": "context"}
    assert linked.links == [Link("a/a", "b/b", "explains")]
    assert linked.left_out == 0


def test_what_refutes_is_another_kind_of_link() -> None:
    found = [finding("a/a", ""), finding("b/b", "", refuted_by=["a/a"], explained_by=["a/a"])]
    assert [link.kind for link in chain(found).links] == ["explains", "refutes"]


def test_links_beyond_what_a_picture_holds_are_counted() -> None:
    found = [finding("a/a", ""), *(finding(f"b/{place}", "", explained_by=["a/a"]) for place in range(230))]
    linked = chain(found)
    assert len(linked.links) == 200
    assert linked.left_out == 30
    assert len(linked.roles) == 201


def test_an_effect_stands_right_of_all_its_causes() -> None:
    found = [
        finding("late", "", explained_by=["first", "middle"]),
        finding("middle", "", explained_by=["first"]),
        finding("first", ""),
    ]
    drawing = draw(chain(found))
    first, middle, late = (
        next(box for box in drawing.boxes if box.rule == name) for name in ("first", "middle", "late")
    )
    assert first.x + first.width < middle.x
    assert middle.x + middle.width < late.x
    assert drawing.width >= late.x + late.width
    assert len(drawing.curves) == 3


def test_boxes_of_a_column_do_not_overlap() -> None:
    found = [finding("a", ""), *(finding(f"b{place}", "", explained_by=["a"]) for place in range(5))]
    drawing = draw(chain(found))
    tops = [box.y for box in drawing.boxes if box.rule != "a"]
    assert all(after - before > drawing.boxes[0].height for before, after in itertools.pairwise(tops))
    assert drawing.height > max(tops)


def test_a_circle_of_causes_is_drawn() -> None:
    found = [
        finding("a", "", explained_by=["b"]),
        finding("b", "", explained_by=["a"]),
        finding("c", "", explained_by=["c"]),
    ]
    drawing = draw(chain(found))
    assert {box.rule for box in drawing.boxes} == {"a", "b", "c"}
    assert len(drawing.curves) == 3
    assert all(curve.path.startswith("M") for curve in drawing.curves)


def test_a_long_name_is_cut() -> None:
    found = [finding("a" * 300, ""), finding("b", "", explained_by=["a" * 300])]
    box = draw(chain(found)).boxes[0]
    assert box.label == "a" * 43 + "…"
    assert box.width < 400
