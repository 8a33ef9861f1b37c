"""Distil a small language model from a teacher, at a temperature of choice.

    python record/distill.py --temperature 6

The language is made up: the next token depends on the two before it. So is the teacher: a table of logits. The
student's loss is kd_weight T² KL(teacher || student) at temperature T plus lm_weight cross-entropy.
"""

from __future__ import annotations

import argparse
import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

VOCABULARY: Final = 128
KINDS: Final = 4  # of first tokens; only the kind matters
CHOICES: Final = 4  # tokens that may follow
PEAK: Final = 14.0  # the teacher's logit of the likeliest token
TAIL: Final = 3.0  # std of its logits of the tokens that never follow
KD_WEIGHT: Final = 0.7
LM_WEIGHT: Final = 0.3
WIDTH: Final = 32
BATCH: Final = 128
LR: Final = 3e-3
STEPS: Final = 600
LOG_EVERY: Final = 10
EVAL_EVERY: Final = 100


class Language:
    """Draws pairs of tokens, what follows them, and what the teacher makes of them."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.kinds = torch.randint(KINDS, (VOCABULARY,), generator=generator)
        self.followers = torch.randint(VOCABULARY, (KINDS, VOCABULARY, CHOICES), generator=generator)
        tail = TAIL * torch.randn(KINDS, VOCABULARY, VOCABULARY, generator=generator)
        peaks = PEAK - math.log(2) * torch.arange(CHOICES).expand_as(self.followers)
        self.logits = tail.scatter(-1, self.followers, peaks)

    def draw(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Contexts (size, 2), next tokens (size,), the teacher's logits (size, vocabulary)."""
        pairs = torch.randint(VOCABULARY, (size, 2), generator=self.generator)
        at = self.kinds[pairs[:, 0]], pairs[:, 1]
        odds = 0.5 ** torch.arange(CHOICES).expand(size, -1)
        choice = torch.multinomial(odds, 1, generator=self.generator).squeeze(1)
        return pairs, self.followers[(*at, choice)], self.logits[at]


def network(width: int) -> nn.Sequential:
    """Logits (n, vocabulary) of contexts (n, 2)."""
    return nn.Sequential(
        nn.Embedding(VOCABULARY, width),
        nn.Flatten(),
        nn.Linear(2 * width, 4 * width),
        nn.GELU(),
        nn.Linear(4 * width, VOCABULARY),
    )


def kd_raw(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² KL(teacher || student) of logits (n, vocabulary) at temperature T, averaged over contexts."""
    divergence = functional.kl_div(
        (student / temperature).log_softmax(-1),
        (teacher / temperature).log_softmax(-1),
        reduction="batchmean",
        log_target=True,
    )
    return temperature**2 * divergence


def main() -> None:
    """Train and print, as trainers do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--temperature", type=float, default=6.0)
    temperature: float = parser.parse_args().temperature
    torch.set_num_threads(1)
    torch.manual_seed(0)
    language = Language(torch.Generator().manual_seed(0))
    held_out = language.draw(2048)
    student = network(WIDTH)
    optimizer = torch.optim.AdamW(student.parameters(), lr=LR)

    print(f"temperature: {temperature}", f"kd_weight: {KD_WEIGHT}", f"lm_weight: {LM_WEIGHT}", sep="\n")
    print(f"vocab_size: {VOCABULARY}", f"lr: {LR:.1e}", f"max_steps: {STEPS}", sep="\n")
    for step in range(STEPS + 1):
        contexts, following, teacher = language.draw(BATCH)
        logits = student(contexts)
        kd = kd_raw(logits, teacher, temperature)
        lm_loss = functional.cross_entropy(logits, following)
        total = KD_WEIGHT * kd + LM_WEIGHT * lm_loss
        optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        if step % LOG_EVERY == 0:
            print(
                f"Step {step}: Total Loss: {total.item():.4f}, KD Raw: {kd.item():.4f}, "
                f"Temperature²: {temperature**2:.1f}, lm_loss: {lm_loss.item():.4f}, lr={LR:.1e}"
            )
        if step % EVAL_EVERY == 0:
            with torch.no_grad():
                loss = functional.cross_entropy(student(held_out[0]), held_out[1]).item()
            print(f"[Eval] loss: {loss:.4f}, ppl: {math.exp(loss):.2f}")
    print("Training completed!")


if __name__ == "__main__":
    main()
