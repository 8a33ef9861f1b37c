"""The distillation loss against a hand computation, torch's own and autograd."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from postmortem.replay.reference.kd_loss import kd_gradient, kd_loss


def pairs(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    student, teacher = torch.randn(2, 6, 50, dtype=torch.float64, generator=generator)
    return (4 * student).to(dtype), (4 * teacher).to(dtype)


def test_a_hand_worked_pair() -> None:
    # T = 2 halves the logits: p = (3/4, 1/4), q = (1/2, 1/2).
    student, teacher = torch.zeros(2), torch.tensor([2 * math.log(3), 0.0])
    divergence = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert kd_loss(student, teacher, 2.0).item() == pytest.approx(4 * divergence, rel=1e-6)
    assert kd_loss(student, teacher, 2.0, squared=False).item() == pytest.approx(divergence, rel=1e-6)
    # T * (q - p) = 2 * (-1/4, 1/4); without the factor 1/T of q - p.
    assert kd_gradient(student, teacher, 2.0).tolist() == pytest.approx([-0.5, 0.5])
    assert kd_gradient(student, teacher, 2.0, squared=False).tolist() == pytest.approx([-0.125, 0.125])


@pytest.mark.parametrize("temperature", [1.0, 3.0, 10.0])
def test_it_agrees_with_torch(temperature: float) -> None:
    student, teacher = pairs()
    theirs = functional.kl_div(
        (student / temperature).log_softmax(-1),
        (teacher / temperature).log_softmax(-1),
        reduction="none",
        log_target=True,
    ).sum(-1)
    torch.testing.assert_close(kd_loss(student, teacher, temperature), theirs * temperature**2)


@pytest.mark.parametrize("squared", [True, False])
@pytest.mark.parametrize("teacher_temperature", [None, 1.0])
def test_the_gradient_is_that_of_autograd(*, squared: bool, teacher_temperature: float | None) -> None:
    student, teacher = pairs()
    student.requires_grad_()
    loss = kd_loss(student, teacher, 3.0, teacher_temperature=teacher_temperature, squared=squared)
    (expected,) = torch.autograd.grad(loss.sum(), student)
    analytic = kd_gradient(student.detach(), teacher, 3.0, teacher_temperature=teacher_temperature, squared=squared)
    torch.testing.assert_close(analytic, expected)


def test_float32_agrees_with_float64() -> None:
    low = kd_loss(*pairs(torch.float32), 3.0)
    torch.testing.assert_close(low.double(), kd_loss(*pairs(), 3.0), rtol=1e-4, atol=1e-5)


def test_each_pair_takes_its_own_temperature() -> None:
    student, teacher = pairs()
    temperatures = torch.linspace(1, 6, 6, dtype=torch.float64)
    one_by_one = [kd_loss(s, v, float(t)) for s, v, t in zip(student, teacher, temperatures, strict=True)]
    torch.testing.assert_close(kd_loss(student, teacher, temperatures), torch.stack(one_by_one))


def test_one_sided_softening_parts_equal_logits() -> None:
    # At equal logits, softening both sides leaves nothing; softening the student alone does not.
    student, _ = pairs()
    assert kd_loss(student, student, 3.0).abs().max() < 1e-12
    assert kd_loss(student, student, 3.0, teacher_temperature=1.0).min() > 0.1


def test_a_flat_student_is_ln_v_over_k_from_a_truncated_teacher() -> None:
    # The teacher is uniform on 4 of 32 tokens: KL = ln(32 / 4) at any temperature.
    teacher = torch.full((32,), -math.inf, dtype=torch.float64)
    teacher[:4] = 7.0
    value = kd_loss(torch.zeros(32, dtype=torch.float64), teacher, 3.0, squared=False)
    assert value.item() == pytest.approx(math.log(8))


def test_rounding_leaves_no_negative_divergence() -> None:
    student, _ = pairs(torch.float32)
    assert kd_loss(student, student + 1e-6, 3.0).min() >= 0
