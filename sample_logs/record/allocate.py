"""Train a regression that keeps every batch's graph alive, until somebody ends it for its memory.

    python record/allocate.py

The fault: `history` holds loss tensors, and with each its graph and activations, where floats belong.
"""

from __future__ import annotations

import resource
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH: Final = 1024
WIDTH: Final = 256
MAX_STEPS: Final = 1000
LOG_EVERY: Final = 5


def main() -> None:
    """Train and print, as trainers do."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    truth = torch.randn(32, 1)
    history: list[Tensor] = []

    print(f"batch_size: {BATCH}", f"hidden_size: {WIDTH}", "lr: 0.05", f"max_steps: {MAX_STEPS}", sep="\n", flush=True)
    for step in range(MAX_STEPS):
        inputs = torch.randn(BATCH, 32)
        loss = functional.mse_loss(model(inputs), torch.tanh(inputs @ truth))
        optimizer.zero_grad()
        loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        history.append(loss)
        if step % LOG_EVERY == 0:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"step: {step}, loss: {loss.item():.4f}, memory: {memory:.0f}MiB", flush=True)
    print(f"Training completed! mean loss: {torch.stack(history).mean().item():.4f}")


if __name__ == "__main__":
    main()
