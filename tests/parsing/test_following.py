"""Values below a line that counts."""

from __future__ import annotations

from tests.parsing.reading import metrics


def placed(text: str, name: str) -> list[tuple[int | None, float | None, float]]:
    return metrics(text).filter(name=name).select("step", "epoch", "value").rows()


BLOCKS = "".join(
    f"[session 1][epoch  1][iter {step}] loss: {loss}, lr: 1.00e-03\n"
    f"\t\t\tfg/bg=(2/126), time cost: 40.5\n"
    f"\t\t\trpn_cls: {loss / 2}, rpn_box: 0.5\n"
    for step, loss in ((100, 6.5), (200, 5.5), (300, 4.5))
)


def test_what_stands_below_a_counted_line_each_time_is_of_its_step() -> None:
    assert placed(BLOCKS, "rpn_cls") == [(100, 1.0, 3.25), (200, 1.0, 2.75), (300, 1.0, 2.25)]


def test_an_evaluation_below_its_epoch_is_of_it() -> None:
    text = "".join(f"Epoch {epoch} train loss 0.5\nval acc: 0.{epoch}5\n" for epoch in (1, 2, 3))
    assert placed(text, "accuracy") == [(None, 1.0, 0.15), (None, 2.0, 0.25), (None, 3.0, 0.35)]


def test_two_below_one_line_may_be_of_anything() -> None:
    text = BLOCKS + "rpn_cls: 0.125\n"
    assert [step for step, _, _ in placed(text, "rpn_cls")] == [None] * 4


def test_the_batch_of_an_epoch_is_no_step_of_what_stands_below_it() -> None:
    text = "".join(f"Epoch {epoch} batch 400 loss 0.5\nval acc: 0.{epoch}5\n" for epoch in (1, 2, 3))
    assert placed(text, "accuracy") == [(None, 1.0, 0.15), (None, 2.0, 0.25), (None, 3.0, 0.35)]


def test_a_summary_at_the_end_is_of_no_step() -> None:
    text = BLOCKS + "test acc: 0.75\n"
    assert placed(text, "accuracy") == [(None, None, 0.75)]


def test_far_below_it_is_of_no_step() -> None:
    text = "".join(f"step {step}: loss=0.5\n.\n.\n.\n.\n.\nval acc: 0.{step}5\n" for step in (1, 2, 3))
    assert [step for step, _, _ in placed(text, "accuracy")] == [None] * 3
