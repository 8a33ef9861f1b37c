"""Train a small language model of test-time-training layers in bf16, whose normaliser may divide by its own input.

    python record/normaliser.py --divide-by input

Each layer learns, inside its forward pass, to map keys XK to normalised values XV. `--divide-by std` normalises;
`--divide-by input` holds the fault: it divides each number by itself where the standard deviation belongs.
"""

from __future__ import annotations

import argparse
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

HEAD_DIM: Final = 64
HEADS: Final = 2
WIDTH: Final = HEAD_DIM * HEADS
LAYERS: Final = 4
VOCABULARY: Final = 64
EPS: Final = 1e-5
LR: Final = 1e-3
STEPS: Final = 100
LOG_EVERY: Final = 10


def rounded(number: float) -> str:
    """A positive number as people say it: 2.5, 200k, 27M."""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:.0f}{letter}"
    return f"{number:.1f}"


class Layer(nn.Module):
    """One test-time-training layer: one gradient step of an inner linear model for each token."""

    def __init__(self, index: int, *, divide_by_input: bool) -> None:
        super().__init__()
        self.index = index
        self.divide_by_input = divide_by_input
        self.norm = nn.LayerNorm(WIDTH)
        self.projections = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.inner = nn.Parameter(0.02 * torch.randn(HEADS, HEAD_DIM, HEAD_DIM))
        self.post_norm = nn.LayerNorm(WIDTH)
        self.output = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, hidden: Tensor, *, verbose: bool) -> Tensor:
        """Hidden states (b, t, width) to the same."""
        b, t, _ = hidden.shape
        queries, keys, values = (
            part.reshape(b, t, HEADS, HEAD_DIM).transpose(1, 2)
            for part in self.projections(self.norm(hidden)).chunk(3, -1)
        )
        queries, keys = functional.normalize(queries, dim=-1), functional.normalize(keys, dim=-1)
        values = self.normalised(values - keys) + keys
        if verbose:
            self.report("XV", values)
            self.report("XK", keys)
        # The dual form: all inner steps at once, each token from the tokens up to itself.
        error = keys @ self.inner - values
        causal = (queries @ keys.transpose(-1, -2)).tril() / t
        read = (queries @ self.inner - causal @ error).transpose(1, 2).reshape(b, t, WIDTH)
        return hidden + torch.as_tensor(self.output(self.post_norm(read)))

    def normalised(self, values: Tensor) -> Tensor:
        """Values (..., head_dim), each vector less its mean and divided."""
        divisor = values if self.divide_by_input else values.std(-1, keepdim=True)
        return (values - values.mean(-1, keepdim=True)) / (divisor + EPS)

    def report(self, name: str, tensor: Tensor) -> None:
        """Print the extremes as they are: bfloat16 fits in ten digits here."""
        low, high = tensor.min().item(), tensor.max().item()
        print(f"Layer {self.index}: {name} output: min={low:.10g}, max={high:.10g}    (range: ~{rounded(high - low)})")


class Model(nn.Module):
    """Embedding, layers, norm, head."""

    def __init__(self, *, divide_by_input: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.layers = nn.ModuleList(Layer(index, divide_by_input=divide_by_input) for index in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, tokens: Tensor, *, verbose: bool) -> Tensor:
        """Logits (b, t, vocabulary) of tokens (b, t)."""
        hidden = self.embedding(tokens)
        for layer in self.layers:
            hidden = layer(hidden, verbose=verbose)
        return torch.as_tensor(self.head(self.norm(hidden)))


def draw(generator: torch.Generator) -> Tensor:
    """A batch (8, 65) of sequences that count upwards modulo the vocabulary, each by a stride of its own."""
    start = torch.randint(VOCABULARY, (8, 1), generator=generator)
    stride = torch.randint(1, 8, (8, 1), generator=generator)
    return (start + stride * torch.arange(65)) % VOCABULARY


def main() -> None:
    """Train and print, as trainers do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--divide-by", choices=["std", "input"], default="input")
    divide_by_input = parser.parse_args().divide_by == "input"
    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = Model(divide_by_input=divide_by_input).bfloat16()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR)

    print(f"num_layers = {LAYERS}", f"head_dim = {HEAD_DIM}", f"eps = {EPS:.0e}", sep="\n")
    print("dtype = bfloat16", f"lr = {LR:.0e}", f"max_steps = {STEPS}", sep="\n")
    for step in range(STEPS):
        tokens = draw(generator)
        logits = model(tokens[:, :-1], verbose=step % LOG_EVERY == 0).float()
        loss = functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0).item()
        optimizer.step()
        print(f"Step {step}: loss={loss.item():.4f}, grad_norm={norm:.4g}")
    print("Training completed!")


if __name__ == "__main__":
    main()
