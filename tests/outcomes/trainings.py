"""Small trainings with a fault, each of which prints what it does: with a change, they tell what it does in truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = 40
SYMBOLS = 20


@dataclass
class Told:
    """What a training prints, and its losses and gradient norms themselves."""

    lines: list[str]
    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)

    def step(self, loss: Tensor, norm: float, more: str = "") -> None:
        """One update, as a line of the log."""
        self.losses.append(float(loss.detach()))
        self.norms.append(norm)
        self.lines.append(f"step {len(self.losses)}: loss={self.losses[-1]:.4f}, grad_norm={norm:.4f}{more}")


def _model(inputs: int, outputs: int, dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(inputs, 32), nn.ReLU(), nn.Linear(32, outputs)).to(dtype)


def _norm(model: nn.Module) -> float:
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return float(torch.linalg.vector_norm(torch.cat([gradient.float().flatten() for gradient in gradients])))


def _batches(seed: int = 1) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Inputs (n, SYMBOLS), and the largest entry of each as its class."""
    generator = torch.Generator().manual_seed(seed)

    def batch(size: int) -> tuple[Tensor, Tensor]:
        inputs = torch.randn(size, SYMBOLS, generator=generator)
        return inputs, inputs.argmax(-1)

    return batch


def without_targets(*, at_least: int = 0) -> Told:
    """A loss over the tokens that have a label; the batch of step 11 has none. `at_least` bounds the divisor."""
    told, model, batch = Told(["reduction: mean over labelled tokens"]), _model(SYMBOLS, SYMBOLS), _batches()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(1, STEPS + 1):
        inputs, classes = batch(32)
        labelled = torch.zeros(32) if step == 11 else (torch.arange(32) < 8 + step % 5).float()
        losses = functional.cross_entropy(model(inputs), classes, reduction="none")
        loss = (losses * labelled).sum() / labelled.sum().clamp(min=at_least)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        told.step(loss, _norm(model), f", num_targets={int(labelled.sum())}")
        optimizer.step()
    return told


def adam_in_half_precision(*, eps: float = 1e-8, dtype: torch.dtype = torch.float16) -> Told:
    """All of it in one dtype, the optimizer's state too."""
    name = str(dtype).removeprefix("torch.")
    told = Told([f"model dtype: {name}", f"optimizer: Adam(lr=0.001, betas=(0.9, 0.999), eps={eps:g})"])
    model, batch = _model(SYMBOLS, SYMBOLS, dtype), _batches()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=eps)
    for _ in range(STEPS):
        inputs, classes = batch(32)
        loss = functional.cross_entropy(model(inputs.to(dtype)).float(), classes)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        told.step(loss, _norm(model))
        optimizer.step()
    return told


def frames_too_few(*, zero_infinity: bool = False, downsampling: int = 4) -> Told:
    """CTC over every so many frames; at step 9 one target is longer than what is left of its input."""
    told = Told([f"zero_infinity: {zero_infinity}", f"downsampling: {downsampling}"])
    model, generator = _model(8, SYMBOLS), torch.Generator().manual_seed(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for step in range(1, STEPS + 1):
        frames, length = 96 // downsampling, 33 if step == 9 else 8 + step % 4
        inputs = torch.randn(frames, 1, 8, generator=generator)
        target = torch.arange(length) % (SYMBOLS - 1) + 1  # no label twice in a row
        loss = functional.ctc_loss(
            model(inputs).log_softmax(-1),
            target,
            torch.tensor([frames]),
            torch.tensor([length]),
            zero_infinity=zero_infinity,
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        norm = _norm(model)
        told.step(loss, norm, f", input_length={frames}, target_length={length}")
        told.lines[-1] = told.lines[-1].replace("loss=", "ctc_loss=")
        if math.isfinite(norm):
            optimizer.step()
    return told


def clipped_with_its_scale(*, unscaled_first: bool = False) -> Told:
    """A loss scale that never changes, and clipping before or after it is taken off."""
    scale, batch = 65536.0, _batches()
    told = Told(["fp16: True", "optimizer=sgd lr=0.5", "max_grad_norm: 1.0"])
    model = _model(SYMBOLS, SYMBOLS)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(STEPS):
        inputs, classes = batch(32)
        loss = functional.cross_entropy(model(inputs), classes)
        optimizer.zero_grad()
        torch.autograd.backward(loss * scale)
        if unscaled_first:
            _divide(model, scale)
        norm = float(nn.utils.clip_grad_norm_(model.parameters(), 1.0))
        if not unscaled_first:
            _divide(model, scale)
        told.step(loss, norm, f", loss_scale={scale:.0f}")
        optimizer.step()
    return told


def added_up(*, mean: bool = False) -> Told:
    """Eight micro batches to an update, whose losses are added up or averaged."""
    count, batch = 8, _batches()
    told = Told([f"gradient_accumulation_steps: {count}", f"num_classes: {SYMBOLS}", f"vocab_size: {SYMBOLS}"])
    model = _model(SYMBOLS, SYMBOLS)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(STEPS):
        optimizer.zero_grad()
        total = torch.zeros(())
        for _ in range(count):
            inputs, classes = batch(16)
            loss = functional.cross_entropy(model(inputs), classes) / (count if mean else 1)
            torch.autograd.backward(loss)
            total += loss.detach()
        told.step(total, _norm(model))
        optimizer.step()
    return told


def softmax_by_hand(*, clip: float = math.inf) -> Told:
    """A softmax of fp16, exp over its sum, of logits that exp takes out of its range."""
    told, batch = Told(["dtype=float16", "temperature=1.0"]), _batches()
    model = _model(SYMBOLS, SYMBOLS)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(STEPS):
        inputs, classes = batch(32)
        logits = (60 * model(inputs)).clamp(-clip, clip).half()
        powers = logits.exp()
        chosen = (powers / powers.sum(-1, keepdim=True)).gather(1, classes[:, None])
        loss = -chosen.float().log().mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        told.step(loss, _norm(model))
        optimizer.step()
    return told


def _divide(model: nn.Module, scale: float) -> None:
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad /= scale
