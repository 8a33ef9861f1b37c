"""A residual stage against hand computation and torch's own linear layer; its bound against autograd."""

from __future__ import annotations

import pytest
import torch

from postmortem.replay.reference.residual_gain import residual_bound, residual_stage


def test_hand_worked() -> None:
    # [1, 2] @ [[0, 1], [3, 0]] = [6, 1], and 0.5 * [1, 2] is added
    matrix = torch.tensor([[0.0, 1.0], [3.0, 0.0]])
    assert residual_stage(torch.tensor([1.0, 2.0]), matrix, 0.5).tolist() == [6.5, 2.0]


def test_is_the_linear_layer_of_torch_plus_its_input() -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(5, 8, generator=generator, dtype=torch.float64)
    matrix = torch.randn(8, 8, generator=generator, dtype=torch.float64)
    expected = torch.nn.functional.linear(x, matrix.T) + 0.7 * x
    torch.testing.assert_close(residual_stage(x, matrix, 0.7), expected)
    torch.testing.assert_close(residual_stage(x.float(), matrix.float(), 0.7).double(), expected, rtol=1e-5, atol=1e-5)


def test_three_aligned_stages_reach_the_bound() -> None:
    # f(x) = x and w = 1: each stage doubles, so that three give 8
    x, identity = torch.ones(4), torch.eye(4)
    for _ in range(3):
        x = residual_stage(x, identity, 1.0)
    assert x.tolist() == [8.0] * 4
    assert residual_bound(1.0, 1.0, 3) == 8.0


@pytest.mark.parametrize("weight", [0.0, 0.5, -1.0])
def test_no_gradient_passes_the_bound(weight: float) -> None:
    matrices = torch.randn(5, 6, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    matrices /= torch.linalg.matrix_norm(matrices, 2).view(-1, 1, 1)

    def stack(x: torch.Tensor) -> torch.Tensor:
        for matrix in matrices:
            x = residual_stage(x, matrix, weight)
        return x

    jacobian = torch.func.jacrev(stack)(torch.zeros(6, dtype=torch.float64))
    assert 0 < float(torch.linalg.matrix_norm(jacobian, 2)) <= residual_bound(1.0, weight, 5)
