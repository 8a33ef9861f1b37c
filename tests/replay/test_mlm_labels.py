"""The label experiment against the laws of a mean and a sum, and a gradient taken one model at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn import functional

from postmortem.errors import PostmortemError
from postmortem.replay.experiments import load
from postmortem.replay.experiments.mlm_labels import MlmLabels
from postmortem.replay.judge import pool
from postmortem.replay.mechanisms import labelled_batches as labelled
from postmortem.replay.mechanisms.encoders import encode
from postmortem.replay.protocol import Answer, Fix
from postmortem.replay.stream import Stream
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fact

SEEN, FALLS = (claim.text for claim in MlmLabels.claims)
FEW = lab_of(draws=48)


def run(facts: dict[str, Fact], knob: str = "label_share", new: float | str = 0.1342) -> Answer:
    fix = Fix.model_validate({"knob": knob, "from": None, "to": new})
    return load("mlm-labels").run("mlm/fully-labeled", {"masked_share": 0.1342, **facts}, [fix], lab_of())


def words(answer: Answer, claim: str) -> dict[tuple[str, str | None], str]:
    return {(r.mechanism, r.family): r.verdict for r in answer.replays if r.claim == claim}


def observed(kind: type[labelled.Labelled], family: str, **knobs: float | str) -> dict[str, torch.Tensor]:
    mechanism = kind(family)
    scenario = mechanism.draw({"masked_share": 0.1342}, FEW, Stream(4))
    return mechanism.observe(scenario, knobs)


def test_a_ratio_that_only_a_sum_or_a_degenerate_batch_shows() -> None:
    answer = run({"norm_full": 87.0, "norm_masked": 20.0, "tokens": 3697.0})
    seen = words(answer, SEEN)
    assert seen["sum", labelled.ORDINARY] == "confirmed"
    assert seen["mean", labelled.ORDINARY] == "not_reproduced"
    assert seen["mean", labelled.ALIKE] == "not_reproduced"
    assert seen["per_sequence", labelled.ORDINARY] == "not_reproduced"
    assert answer.predictions == ()


def test_equal_norms_refute_the_fall_and_the_sum() -> None:
    answer = run({"norm_full": 20.0, "norm_masked": 20.0})
    falls = words(answer, FALLS)
    assert falls["sum", labelled.ORDINARY] == "not_reproduced"
    assert falls["mean", labelled.ORDINARY] == "refuted"
    assert {verdict.claim: verdict.verdict for verdict in pool(answer.replays)}[FALLS] == "refuted"


def test_without_norms_the_reduction_decides() -> None:
    falls = words(run({}), FALLS)
    assert falls["mean", labelled.ORDINARY] == "refuted"
    assert falls["sum", labelled.ORDINARY] == "confirmed"


def test_a_sum_is_the_mean_times_the_labels() -> None:
    # 128 positions; ranks 0/128 to 17/128 lie below 0.1342: 18 labels.
    for family in (labelled.ORDINARY, labelled.ALIKE):
        mean, total = observed(labelled.Mean, family), observed(labelled.Sum, family)
        torch.testing.assert_close(total["ratio"], mean["ratio"] * 128 / 18, rtol=1e-4, atol=0)
        torch.testing.assert_close(total["norm"], mean["norm"] * 128, rtol=1e-4, atol=0)


def test_a_mean_hardly_feels_how_many_like_tokens_are_labelled() -> None:
    ratio = observed(labelled.Mean, labelled.ALIKE)["ratio"]
    assert 0.9 < ratio.median().item() < 1.1
    assert observed(labelled.Mean, labelled.ORDINARY)["ratio"].median().item() < 1


def test_padding_that_is_labelled_pulls_together() -> None:
    padded, ordinary = (
        observed(labelled.PerSequence, family)["ratio"] for family in (labelled.PADDED, labelled.ORDINARY)
    )
    assert padded.median() > 1.5 * ordinary.median()


@pytest.mark.parametrize("share", [1.0, 0.1342])
def test_the_batched_gradient_is_that_of_one_model_alone(share: float) -> None:
    mechanism = labelled.Mean(labelled.ORDINARY)
    scenario = mechanism.draw({"masked_share": 0.1342}, FEW, Stream(4))
    norms = mechanism.observe(scenario, {"label_share": share})["norm"]
    for index in (0, 31):
        alone = [parameter[index : index + 1].double().requires_grad_() for parameter in scenario.parameters]
        logits = encode(alone, scenario.inputs[index : index + 1])
        labels = scenario.targets[index].clone()
        if share < 1:
            labels[scenario.rank[index] >= share] = -100
        loss = functional.cross_entropy(logits.flatten(0, 2), labels.flatten())
        squares = [g.square().sum() for g in torch.autograd.grad(loss, alone)]
        assert norms[index].item() == pytest.approx(math.sqrt(torch.stack(squares).sum().item()), rel=1e-3)


def test_a_mean_in_place_of_a_sum_divides_by_the_labels() -> None:
    answer = run({"norm_full": 87.0, "norm_masked": 20.0, "tokens": 3697.0}, "reduction", "mean")
    (prediction,) = answer.predictions
    # 87 / 3697 = 0.0235
    assert prediction.low == pytest.approx(0.0235 * 0.9, rel=2e-3)
    assert prediction.high == pytest.approx(0.0235 * 1.1, rel=2e-3)
    assert words(answer, FALLS)["sum", labelled.ORDINARY] == "confirmed"
    assert words(answer, SEEN)["sum", labelled.ORDINARY] == "refuted"


def test_only_masked_positions_are_corrupted() -> None:
    mechanism = labelled.Mean(labelled.PADDED)
    scenario = mechanism.draw({"masked_share": 0.3}, FEW, Stream(4))
    untouched = scenario.rank >= 0.3
    assert torch.equal(scenario.inputs[untouched], scenario.targets[untouched])
    replaced = (scenario.inputs == labelled.MOST_VOCABULARY + 1)[~untouched].double().mean().item()
    assert replaced == pytest.approx(0.8, abs=0.05)


def test_a_reduction_that_the_log_names_is_the_only_one() -> None:
    named = load("mlm-labels").mechanisms({"reduction": "sum"})
    assert {mechanism.name for mechanism in named} == {"sum"}
    assert len(load("mlm-labels").mechanisms({"reduction": None})) == 9


@pytest.mark.parametrize(("knob", "bad"), [("label_share", 0.0), ("label_share", 1.5), ("reduction", "median")])
def test_a_bad_knob_is_named(knob: str, bad: float | str) -> None:
    with pytest.raises(PostmortemError, match=knob):
        observed(labelled.Mean, labelled.ORDINARY, **{knob: bad})


def test_a_share_of_next_to_nothing_has_no_ceiling_and_nothing_is_judged() -> None:
    answer = run({"masked_share": 1e-267, "norm_full": 1.0, "norm_masked": -1.0})
    assert answer.replays
    assert {replay.verdict for replay in answer.replays} <= {"not_reproduced", "inconclusive"}
