"""The distillation loss and its gradient by the student's logits.

Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015, section 2
(arXiv:1503.02531): soft targets at a temperature, and a factor T^2 that keeps the gradients of soft and hard
targets comparable while T changes.
"""

from __future__ import annotations

import torch
from torch import Tensor

Temperature = Tensor | float


def kd_loss(
    student: Tensor,
    teacher: Tensor,
    temperature: Temperature,
    *,
    teacher_temperature: Temperature | None = None,
    squared: bool = True,
) -> Tensor:
    """T^2 * KL(softmax(teacher / T) || softmax(student / T)) in nats, one value a pair.

    Args:
        student: logits z, shape (..., vocabulary).
        teacher: logits v of the same shape; -inf marks a class that the teacher was cut off from.
        temperature: T > 0, of the student and of the factor: a number, or a tensor of shape (...).
        teacher_temperature: the teacher's, where only one side is softened; None: the same.
        squared: whether the factor T^2 is applied.

    Returns:
        Shape (...).
    """
    log_q = _soften(student, temperature).log_softmax(-1)
    log_p = _soften(teacher, temperature if teacher_temperature is None else teacher_temperature).log_softmax(-1)
    # A finite stand-in for log 0: 0 * log 0 counts as 0, its limit.
    ratio = log_p.clamp(min=torch.finfo(log_p.dtype).min) - log_q
    # KL >= 0: what rounding leaves below belongs to equal distributions.
    divergence = (log_p.exp() * ratio).sum(-1).clamp(min=0)
    return divergence * temperature**2 if squared else divergence


def kd_gradient(
    student: Tensor,
    teacher: Tensor,
    temperature: Temperature,
    *,
    teacher_temperature: Temperature | None = None,
    squared: bool = True,
) -> Tensor:
    """d/dz of `kd_loss`: T * (softmax(z / T) - softmax(v / T)), or 1/T times that without the factor.

    Takes what `kd_loss` takes. Of T^2 one power is left: the chain rule through z / T takes the other.

    Returns:
        Shape (..., vocabulary).
    """
    q = _soften(student, temperature).softmax(-1)
    p = _soften(teacher, temperature if teacher_temperature is None else teacher_temperature).softmax(-1)
    power = torch.as_tensor(temperature, dtype=q.dtype, device=q.device).unsqueeze(-1)
    return (q - p) * power if squared else (q - p) / power


def _soften(logits: Tensor, temperature: Temperature) -> Tensor:
    return logits / (temperature.unsqueeze(-1) if isinstance(temperature, Tensor) else temperature)
