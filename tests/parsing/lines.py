"""Lines as logs hold them, for hypothesis: the dialects' samples, with other digits, prefixes, codes and neighbours."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from postmortem.parsing import dialects

SAMPLES = sorted(
    {
        sample.text
        for spec in dialects.shipped().all
        for sample in (
            *(line.sample for line in spec.lines),
            *(block.sample for block in spec.blocks),
            *(part.sample for block in spec.blocks for part in block.lines),
        )
        if "\n" not in sample.text
    }
)
OTHERS = [
    "",
    "   ",
    "step 5: loss=2.5, grad_norm=1.25",
    "Epoch 3 | val/loss: 0.25 | acc top1: 0.5 | layers.12.grad=1e-3",
    "lr = 1e-4",
    "Layer 12: attn output: min=-1,234, max=5.5",
    "loss: 1e400 2.5e-310 0.30000000000000004 9007199254740993 nan -inf",
    "10%|█         | 5/50 [00:01<00:09,  4.9it/s, loss=2.5]",
    "café ② loss=2.5 ✓",
]


def _other_digits(text: str, digits: list[int]) -> str:
    turn = iter(digits * (1 + len(text)))
    return re.sub(r"[0-9]", lambda _: str(next(turn)), text)


#: A line of a known form; sometimes with other digits.
line = st.builds(
    lambda prefix, text, digits: prefix + (_other_digits(text, digits) if digits else text),
    st.sampled_from(["", "", "[rank3]: ", "12: ", "2026-03-01 12:00:01,123 INFO ", "\x1b[32m", "# reconstructed: "]),
    st.sampled_from(SAMPLES + OTHERS),
    st.lists(st.integers(0, 9), max_size=5),
)
#: Bytes of a whole log.
log = st.lists(
    st.tuples(line, st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n", "\x1b[0m\n", "\x00\n"])), min_size=1, max_size=12
).map(lambda lines: "".join(text + end for text, end in lines).encode())
