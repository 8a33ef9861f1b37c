"""Logs of an archive for the benchmark: ten kinds of runs, a megabyte each, no two alike.

Healthy ones and failed ones, as trainers and SLURM print them: steps count up, losses fall or do not.
"""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BYTES: Final = 1_000_000
#: After so many steps, in a run that does.
_GOES_WRONG: Final = 4000


def write(folder: Path, count: int, size: int = _BYTES) -> Path:
    """A folder with so many logs of that size; what an earlier run wrote is used again."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        path = folder / f"{kind}_{10_000 + number}.log"
        if not path.exists():
            _write(path, kind, number, size)
    return folder


def _write(path: Path, kind: str, seed: int, size: int) -> None:
    random = Random(seed)  # noqa: S311 - figures of a log, no secret
    begin, line, end = KINDS[kind]
    parts, written, step = [begin(seed)], 0, 0
    total = sum(map(len, parts))
    while total + written < size:
        step += 1
        text = line(step, random)
        written += len(text)
        parts.append(text)
    parts.append(end(seed, step))
    path.write_text("".join(parts), encoding="utf-8")


def _loss(step: int, random: Random) -> float:
    return 2 + 8 * math.exp(-step / 400) + random.gauss(0, 0.05)


def _hf(step: int, random: Random) -> str:
    loss, norm = _loss(step, random), 1 + random.random()
    rate = 5e-5 / step**0.5
    return f"{{'loss': {loss:.4f}, 'grad_norm': {norm:.4f}, 'learning_rate': {rate!r}, 'epoch': {step / 900:.2f}}}\n"


def _megatron(step: int, random: Random) -> str:
    return (
        f" iteration {step:8d}/  500000 | consumed samples: {step * 512:12d} | elapsed time per iteration (ms):"
        f" {900 + 50 * random.random():.1f} | learning rate: {3e-4:.3E} | global batch size:   512 | lm loss:"
        f" {_loss(step, random):.6E} | loss scale: 65536.0 | grad norm: {0.5 + random.random():.3f}"
        " | number of skipped iterations:   0 | number of nan iterations:   0 |\n"
    )


def _nanogpt(step: int, random: Random) -> str:
    took, share = 200 + random.random(), 38 + random.random()
    return f"iter {step}: loss {_loss(step, random):.4f}, time {took:.2f}ms, mfu {share:.2f}%\n"


def _torchtitan(step: int, random: Random) -> str:
    return (
        f"[rank0]:[titan] 2026-04-{1 + step // 86_400:02d} {step // 3600 % 24:02d}:{step // 60 % 60:02d}:"
        f"{step % 60:02d},{step % 1000:03d} - root - INFO - step: {step:5d}  loss: {_loss(step, random):7.4f}"
        f"  grad_norm: {0.4 + random.random():.4f}  memory: 39.50GiB(49.92%)  tps: {7000 + random.randrange(90):,}"
        "  tflops: 410.1  mfu: 41.4%\n"
    )


def _layers(step: int, random: Random) -> str:
    if step % 30 == 0:
        return f"step {step}: loss={_loss(step, random):.4f} grad_norm={random.random():.3f}\n"
    name = ("XV", "XQ", "XK")[step % 3]
    high = 139_264 if step > _GOES_WRONG else 3 + random.random()
    return f"Layer {step % 30}: {name} output: min={-3 - random.random():.4f}, max={high:.4f}\n"


def _diverging(step: int, random: Random) -> str:
    rise = math.exp(min(step / 1500, 30.0))
    return f"step {step}: loss={_loss(step, random) * rise:.4f}, grad_norm={rise:.4f}, lr=0.001\n"


def _nan(step: int, random: Random) -> str:
    loss = "nan" if step > _GOES_WRONG else f"{_loss(step, random):.4f}"
    took = random.random()
    return f"epoch {step // 1000} step {step} | loss {loss} | grad norm {loss} | lr 1.0e-04 | {took:.3f} s/it\n"


def _noise(step: int, random: Random) -> str:
    if step % 50 == 0:
        return _megatron(step, random)
    host, rank = random.randrange(64), random.randrange(8)
    after = (rank + 1) % 8
    return (
        f"gpu{host:03d}:{random.randrange(10**6)}:{random.randrange(10**6)} [{rank}] NCCL INFO"
        f" Channel {random.randrange(32):02d}/32 : {rank}[{rank}] -> {after}[{after}] via P2P/CUMEM/read\n"
    )


def _bar(step: int, random: Random) -> str:
    states = "".join(
        f"\r  {step % 100}%|####      | {step * 20 + i}/900000 [00:10<03:10, {5 + random.random():.2f}it/s,"
        f" loss={_loss(step, random):.3f}]"
        for i in range(20)
    )
    return states + "\n"


def _keras(step: int, random: Random) -> str:
    loss = _loss(step, random)
    return (
        f"Epoch {step}/100000\n250/250 - 8s - 32ms/step - loss: {loss:.4f} - accuracy: {1 / loss:.4f}"
        f" - val_loss: {loss + 0.1:.4f} - val_accuracy: {0.95 / loss:.4f}\n"
    )


def _head(seed: int) -> str:
    return f"SLURM_JOB_ID={10_000 + seed}\nseed = {seed}\nlr = 0.0001\nbatch_size = 32\nmixed precision: bf16\n"


def _nothing(seed: int, step: int) -> str:
    del seed, step
    return ""


def _out_of_memory(seed: int, step: int) -> str:
    del step
    return (
        "Traceback (most recent call last):\n"
        '  File "/app/train.py", line 88, in <module>\n    loss.backward()\n'
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of"
        f" 79.15 GiB of which {seed % 900}.25 MiB is free.\n"
    )


def _time_limit(seed: int, step: int) -> str:
    del step
    where = f"JOB {10_000 + seed} ON node{seed % 40:02d}"
    return f"slurmstepd: error: *** {where} CANCELLED AT 2026-04-02T02:15:02 DUE TO TIME LIMIT ***\n"


#: How a log of each kind begins, goes on and ends.
KINDS: Final[dict[str, tuple[Callable[[int], str], Callable[[int, Random], str], Callable[[int, int], str]]]] = {
    "hf": (_head, _hf, _nothing),
    "megatron": (_head, _megatron, _time_limit),
    "nanogpt": (_head, _nanogpt, _out_of_memory),
    "torchtitan": (_head, _torchtitan, _nothing),
    "layers": (_head, _layers, _nothing),
    "diverging": (_head, _diverging, _nothing),
    "nan": (_head, _nan, _nothing),
    "noise": (_head, _noise, _time_limit),
    "bar": (_head, _bar, _nothing),
    "keras": (_head, _keras, _out_of_memory),
}
