"""Train one bigram model on each rank's shard of the data; one shard holds a token that the model does not know.

    srun --ntasks=2 --label --kill-on-bad-exit=1 python record/two_ranks.py

The ranks do not talk to each other: one fails, the other goes on until srun ends it.
"""

from __future__ import annotations

import os
import time
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

VOCABULARY: Final = 64
MAX_STEPS: Final = 200
BAD_STEP: Final = 25
BAD_RANK: Final = 1


def shard(rank: int, generator: torch.Generator) -> Tensor:
    """Token pairs (max_steps, 32, 2): the second of a pair is the first plus one, mostly."""
    first = torch.randint(VOCABULARY, (MAX_STEPS, 32), generator=generator)
    noise = torch.randint(2, first.shape, generator=generator)
    tokens = torch.stack([first, (first + 1 + noise) % VOCABULARY], -1)
    if rank == BAD_RANK:
        # A tokenizer that has one symbol more than the model has rows.
        tokens[BAD_STEP, 0, 0] = VOCABULARY
    return tokens


def main() -> None:
    """Train and print, as trainers do."""
    rank, world_size = int(os.environ["SLURM_PROCID"]), int(os.environ["SLURM_NTASKS"])
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(rank)
    data = shard(rank, generator)
    table = torch.zeros(VOCABULARY, VOCABULARY, requires_grad=True)
    optimizer = torch.optim.Adam([table], lr=0.1)

    if rank == 0:
        print(f"world_size: {world_size}", f"vocab_size: {VOCABULARY}", "batch_size: 32", sep="\n", flush=True)
    for step, batch in enumerate(data):
        logits = table[batch[:, 0]]
        loss = functional.cross_entropy(logits, batch[:, 1])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        print(f"step {step}: loss={loss.item():.4f}", flush=True)
        time.sleep(0.1)
    print("Training completed!")


if __name__ == "__main__":
    main()
