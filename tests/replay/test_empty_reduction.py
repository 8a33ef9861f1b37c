"""0 / 0: whose count it is, which guard holds, and what reaches the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn import functional

from postmortem.errors import PostmortemError
from postmortem.replay.mechanisms.reductions import EmptyBatch, EmptySequence
from tests.replay.verdicts import LAB, each, pooled, run

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fact

NAN: dict[str, Fact] = {"metric": "loss", "kind": "nan"}
SELECTED, MULTIPLIED = "tokens selected by the mask", "tokens multiplied by the mask"


def test_a_batch_known_to_be_empty_is_cured_by_either_guard() -> None:
    answer = run("empty-reduction", {**NAN, "targets": 0.0}, min_targets=1.0, ignore_empty="true")
    assert pooled(answer, "finite-loss") == {"min_targets": "confirmed", "ignore_empty": "confirmed"}
    assert pooled(answer, "finite-gradient") == {"min_targets": "confirmed", "ignore_empty": "confirmed"}


def test_leaving_empty_batches_out_does_not_help_an_empty_sequence() -> None:
    said = each(run("empty-reduction", NAN, ignore_empty="true"), "finite-loss")
    assert said["empty_batch", SELECTED] == "confirmed"
    assert said["empty_sequence", SELECTED] == "refuted"
    assert each(run("empty-reduction", NAN, min_targets=1.0), "finite-loss")["empty_sequence", SELECTED] == "confirmed"


def test_no_guard_of_the_count_cures_a_bad_logit() -> None:
    answer = run("empty-reduction", {**NAN, "targets": 512.0}, min_targets=1.0)
    said = each(answer, "finite-loss")
    assert (said["nonfinite_logit", "nan"], said["nonfinite_logit", "inf"]) == ("refuted", "refuted")
    assert said["empty_batch", SELECTED] == "not_reproduced"
    assert "the batch has 512 targets" in next(r.because for r in answer.replays if r.mechanism == "empty_batch")


def test_replacing_the_nan_afterwards_leaves_a_nan_in_the_gradient_of_a_mask_that_multiplies() -> None:
    answer = run("empty-reduction", NAN, nan_to_num="true")
    assert pooled(answer, "finite-loss") == {"nan_to_num": "confirmed"}
    said = each(answer, "finite-gradient")
    assert said["empty_batch", MULTIPLIED] == "refuted"
    assert said["empty_batch", SELECTED] == "confirmed"


def test_zero_over_zero_is_not_infinite() -> None:
    answer = run("empty-reduction", {**NAN, "kind": "inf"}, min_targets=1.0)
    said = each(answer, "finite-loss")
    assert {verdict for (name, _), verdict in said.items() if name.startswith("empty")} == {"not_reproduced"}
    assert said["nonfinite_logit", "-inf at the target"] == "refuted"
    assert pooled(answer, "finite-loss") == {"min_targets": "refuted"}
    assert answer.predictions == ()


def test_a_gradient_norm_of_nan_is_no_mean_over_selected_tokens() -> None:
    said = each(run("empty-reduction", {**NAN, "metric": "grad_norm"}, min_targets=1.0), "finite-gradient")
    assert said["empty_batch", SELECTED] == "not_reproduced"
    assert said["empty_batch", MULTIPLIED] == "confirmed"


def test_where_finite_values_follow_a_spoilt_gradient_has_made_no_update() -> None:
    alone = run("empty-reduction", NAN, min_targets=1.0).replays
    recovered = run("empty-reduction", {**NAN, "finite_after": 3}, min_targets=1.0).replays
    kept = [{(r.mechanism, r.family): r.scenarios.kept for r in replays} for replays in (alone, recovered)]
    assert kept[0]["empty_batch", MULTIPLIED] == LAB.draws
    # half of the scenarios leave such an update out: within 5 standard errors of sqrt(1/4 / 512)
    assert kept[1]["empty_batch", MULTIPLIED] / LAB.draws == pytest.approx(0.5, abs=0.11)
    assert kept[1]["empty_batch", SELECTED] == LAB.draws


def test_the_loss_and_its_gradient_are_torchs_own() -> None:
    mechanism = EmptySequence()
    batch = mechanism.drawn(NAN, LAB)
    loss = mechanism.observe(batch, {"min_targets": 1.0})["loss"]
    for index in range(3):
        means = [
            functional.cross_entropy(logits, targets.where(counts, -100), reduction="sum") / max(int(counts.sum()), 1)
            for logits, targets, counts in zip(
                batch.logits[index], batch.targets[index], batch.counts[index], strict=True
            )
        ]
        assert float(loss[index]) == pytest.approx(float(torch.stack(means).mean()), rel=1e-4)
    logits = batch.logits[0].flatten(0, 1).requires_grad_()
    functional.cross_entropy(logits, torch.full_like(logits[:, 0], -100, dtype=torch.int64)).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())
    assert bool(EmptyBatch().observe(EmptyBatch().drawn(NAN, LAB), {})["usable"].all())


def test_the_predictions_name_the_quantity() -> None:
    first, second = run("empty-reduction", {**NAN, "metric": "lm_loss"}, min_targets=1.0).predictions
    assert (first.metric, first.low, first.high) == ("targets", 0.0, 0.0)
    assert second.metric == "lm_loss"
    assert first.rows is not None
    assert first.rows.beside is not None
    assert (first.rows.must, first.rows.beside.metric) == ("any", "lm_loss")
    assert second.rows is not None
    assert "lm_loss" in first.statement


def test_a_switch_takes_yes_or_no() -> None:
    with pytest.raises(PostmortemError, match="ignore_empty takes true or false"):
        run("empty-reduction", NAN, ignore_empty="perhaps")
