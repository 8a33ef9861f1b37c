"""The CTC loss by hand against torch's own, enumeration, and alignments that do not exist."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from postmortem.replay.reference.ctc_loss import ctc_loss, frames_needed


def one(*labels: int) -> tuple[Tensor, Tensor]:
    return torch.tensor([labels]), torch.tensor([len(labels)])


def test_two_frames_and_one_label_are_three_alignments() -> None:
    # p = 1/2 for blank and label: "a-", "-a" and "aa" of four paths spell the label.
    even = torch.full((1, 2, 2), math.log(0.5))
    labels, lengths = one(1)
    assert ctc_loss(even, labels, torch.tensor([2]), lengths).item() == pytest.approx(-math.log(3 / 4))


def test_a_repeat_needs_a_blank_between() -> None:
    # "a-a" alone spells "aa" in three frames: 1/2 * 1/2 * 1/2; in two frames nothing does.
    even = torch.full((1, 3, 2), math.log(0.5))
    labels, lengths = one(1, 1)
    assert frames_needed(labels, lengths).tolist() == [3]
    assert ctc_loss(even, labels, torch.tensor([3]), lengths).item() == pytest.approx(math.log(8))
    assert ctc_loss(even, labels, torch.tensor([2]), lengths).item() == math.inf
    assert ctc_loss(even, labels, torch.tensor([2]), lengths, zero_infinity=True).item() == 0.0


def test_repeats_beyond_the_length_need_nothing() -> None:
    labels = torch.tensor([[3, 3, 3], [3, 3, 3], [1, 2, 1]])
    assert frames_needed(labels, torch.tensor([1, 3, 3])).tolist() == [1, 5, 3]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("zero_infinity", [True, False])
def test_it_agrees_with_torch(*, dtype: torch.dtype, tolerance: float, zero_infinity: bool) -> None:
    generator = torch.Generator().manual_seed(3)
    exact = (3 * torch.randn(64, 8, 5, dtype=torch.float64, generator=generator)).log_softmax(-1)
    labels = torch.randint(1, 5, (64, 4), generator=generator)
    frames = torch.randint(1, 9, (64,), generator=generator)
    lengths = torch.randint(1, 5, (64,), generator=generator)
    theirs = functional.ctc_loss(
        exact.transpose(0, 1), labels, frames, lengths, reduction="none", zero_infinity=zero_infinity
    )
    ours = ctc_loss(exact.to(dtype), labels, frames, lengths, zero_infinity=zero_infinity)
    torch.testing.assert_close(ours.double(), theirs, rtol=tolerance, atol=tolerance)
    # infinite, or 0 in its place, exactly where the labels do not fit
    hopeless = frames < frames_needed(labels, lengths)
    assert 0 < int(hopeless.sum()) < 64
    assert torch.equal(ours == (0.0 if zero_infinity else math.inf), hopeless)


def test_its_gradient_is_that_of_torch_where_an_alignment_exists() -> None:
    generator = torch.Generator().manual_seed(4)
    logits = torch.randn(6, 9, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    labels = torch.randint(1, 4, (6, 3), generator=generator)
    frames, lengths = torch.full((6,), 9), torch.tensor([3, 2, 1, 3, 2, 1])
    (ours,) = torch.autograd.grad(ctc_loss(logits.log_softmax(-1), labels, frames, lengths).sum(), logits)
    theirs = functional.ctc_loss(logits.log_softmax(-1).transpose(0, 1), labels, frames, lengths, reduction="sum")
    torch.testing.assert_close(ours, torch.autograd.grad(theirs, logits)[0])


def test_a_uniform_output_costs_what_the_number_of_alignments_says() -> None:
    # T ln V - ln C(T + L - r, 2L), for T = 12, L = 4 with one repeat, V = 7
    labels, lengths = one(2, 2, 5, 1)
    uniform = torch.full((1, 12, 7), -math.log(7), dtype=torch.float64)
    expected = 12 * math.log(7) - math.log(math.comb(15, 8))
    assert ctc_loss(uniform, labels, torch.tensor([12]), lengths).item() == pytest.approx(expected)
