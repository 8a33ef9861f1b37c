"""Train a small speech recogniser with a CTC loss under autocast, in fp16 with a loss scaler or in fp32.

    python record/ctc_fp16.py --dtype fp16

The utterances are made up: each label is held for a few frames, as a noisy pattern of its own.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
from typing import Final

import torch
from torch import Tensor, nn

LABELS: Final = 16  # beside the blank, 0
FEATURES: Final = 20
SETTINGS: Final = {"lr": 0.001, "max_norm": 1.0, "batch_size": 2, "epochs": 4, "batches_per_epoch": 50, "seed": 2}
INIT_SCALE: Final = 65536
LARGE_NORM: Final = 1000.0

Batch = tuple[Tensor, Tensor, Tensor, Tensor]  # features (b, t, f), labels (b, l), frames (b,), lengths (b,)


class Recogniser(nn.Module):
    """Two convolutions and one self-attention over the frames."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv1d(FEATURES, width, 3, padding=1), nn.ReLU(), nn.Conv1d(width, width, 3, padding=1), nn.ReLU()
        )
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.head = nn.Linear(width, LABELS + 1)

    def forward(self, features: Tensor) -> Tensor:
        """Log-probabilities (t, b, labels + 1) float32 of features (b, t, f)."""
        hidden = self.norm(self.convolutions(features.transpose(1, 2)).transpose(1, 2))
        hidden = hidden + self.attention(hidden, hidden, hidden, need_weights=False)[0]
        return torch.as_tensor(self.head(hidden)).float().log_softmax(-1).transpose(0, 1)


def draw(patterns: Tensor, size: int, generator: torch.Generator) -> Batch:
    """Utterances of 8 to 14 labels that last 4 to 7 frames each."""
    lengths = torch.randint(8, 15, (size,), generator=generator)
    labels = torch.randint(1, LABELS + 1, (size, 14), generator=generator)
    spoken = [
        row[:length].repeat_interleave(torch.randint(4, 8, (length,), generator=generator))
        for row, length in zip(labels, lengths.tolist(), strict=True)
    ]
    frames = torch.tensor([len(row) for row in spoken])
    features = nn.utils.rnn.pad_sequence([patterns[row] for row in spoken], batch_first=True)
    return features + 0.3 * torch.randn(features.shape, generator=generator), labels, frames, lengths


def label_errors(log_probabilities: Tensor, batch: Batch) -> tuple[int, int]:
    """Edit distance of the greedy transcripts to the labels, and the number of labels."""
    _, labels, frames, lengths = batch
    errors = 0
    for row, best in enumerate(log_probabilities.argmax(-1).T):
        heard = [label for label in best[: frames[row]].unique_consecutive().tolist() if label]
        previous = list(range(len(heard) + 1))
        for i, label in enumerate(labels[row, : lengths[row]].tolist(), 1):
            current = [i]
            for j, other in enumerate(heard, 1):
                current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (label != other)))
            previous = current
        errors += previous[-1]
    return errors, int(lengths.sum())


def main() -> None:
    """Train and print, as trainers do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", choices=["fp16", "fp32"], default="fp16")
    half = parser.parse_args().dtype == "fp16"
    logging.basicConfig(stream=sys.stdout, format="%(levelname)s - %(message)s")
    logger = logging.getLogger(__name__)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(int(SETTINGS["seed"]))
    torch.manual_seed(int(SETTINGS["seed"]))
    patterns = torch.randn(LABELS + 1, FEATURES, generator=generator)
    validation = draw(patterns, 16, generator)
    model = Recogniser()
    criterion = nn.CTCLoss(reduction="sum")
    optimizer = torch.optim.Adam(model.parameters(), lr=SETTINGS["lr"])
    scaler = torch.amp.GradScaler("cpu", init_scale=INIT_SCALE, enabled=half)

    for key, value in SETTINGS.items():
        print(f"{key}={value}")
    print(f"dtype={'fp16' if half else 'fp32'}")
    if half:
        print(f"init_scale={INIT_SCALE}")
    for epoch in range(1, int(SETTINGS["epochs"]) + 1):
        for index in range(int(SETTINGS["batches_per_epoch"])):
            batch = draw(patterns, int(SETTINGS["batch_size"]), generator)
            with torch.autocast("cpu", dtype=torch.float16, enabled=half):
                loss = criterion(model(batch[0]), *batch[1:]) / len(batch[0])
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            norm = nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["max_norm"]).item()
            scaler.step(optimizer)
            scaler.update()
            if norm > LARGE_NORM or math.isnan(norm):
                logger.warning("Large gradient norm: %.1f at batch %d", norm, index)
            print(f"Epoch {epoch}: batch {index}: loss={loss.item():.4f}, grad_norm={norm:.4f}")
        with torch.no_grad():
            log_probabilities = model(validation[0])
        val_loss = criterion(log_probabilities, *validation[1:]).item() / len(validation[2])
        errors, total = label_errors(log_probabilities, validation)
        print(f"Epoch {epoch}: val_loss={val_loss:.4f}, label_error_rate={errors / total:.2%}")
    print("Training completed!")


if __name__ == "__main__":
    main()
