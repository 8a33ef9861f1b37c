"""Train a regression whose data comes so slowly that the job's time runs out.

    srun python record/slow_loader.py

The loss falls all the while: nothing is wrong but the time.
"""

from __future__ import annotations

import time
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

MAX_STEPS: Final = 500
SECONDS_PER_BATCH: Final = 1.0


def load(truth: Tensor) -> tuple[Tensor, Tensor]:
    """A batch of inputs (64, 32) and targets (64, 1), as if from a disk that is busy."""
    time.sleep(SECONDS_PER_BATCH)
    inputs = torch.randn(64, 32)
    return inputs, inputs @ truth + 0.1 * torch.randn(64, 1)


def main() -> None:
    """Train and print, as trainers do."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = nn.Linear(32, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    truth = torch.randn(32, 1)

    print("batch_size: 64", "lr: 0.02", f"max_steps: {MAX_STEPS}", sep="\n", flush=True)
    before = time.monotonic()
    for step in range(1, MAX_STEPS + 1):
        inputs, targets = load(truth)
        loaded = time.monotonic()
        loss = functional.mse_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        now = time.monotonic()
        print(
            f"step {step}/{MAX_STEPS}: loss={loss.item():.4f}, "
            f"data_time={loaded - before:.3f}s, step_time={now - before:.3f}s",
            flush=True,
        )
        before = now
    print("Training completed!")


if __name__ == "__main__":
    main()
