"""How fast the lab is: scenarios a second of each experiment, beside what the device can do at most.

The limit is measured in the same run: a copy gives the bytes a second, a matrix product the operations a second. Of a
replay torch's own counter gives the operations, and the bytes are those of all tensors that its operators read and
write. Whichever of the two takes the device longer binds, and its share of the time is the share of the limit: more
than all of it where operands stay in a cache. On the CPU a replay has one thread, and time is the processor's, so that
what else the machine does counts little.

Usage: python benchmarks/replay.py [DEVICE] [DRAWS]
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from postmortem import causes, fixes
from postmortem.replay import device as devices
from postmortem.replay import experiments
from postmortem.replay.protocol import Lab
from postmortem.rules import catalogue
from postmortem.rules.check import judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from postmortem.replay.protocol import Answer, Fact, Fix

COPIED = 1 << 28  # bytes
SIDE = 2048  # of the matrices
ROUNDS = 5
WARM = 64  # draws of a run that is not measured


class Bytes(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's
    """Counts the bytes of all tensors that operators read and write; a view moves none."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.count = 0

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 - torch's own signature
        types: Any,  # noqa: ANN401
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Call the operator and count what went in and came out."""
        del types
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            self.count += sum(tensor.numel() * tensor.element_size() for tensor in _tensors((args, kwargs, result)))
        return result


def _tensors(value: object) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def case(name: str) -> tuple[str, dict[str, Fact], list[Fix]] | None:
    """A finding that asks for an experiment: its rule, values and fixes, from a log that a rule is tested on."""
    return next(((rule, facts, asked) for one, rule, facts, asked in cases() if one == name), None)


def cases() -> Iterator[tuple[str, str, dict[str, Fact], list[Fix]]]:
    """Experiment, rule, facts and fixes of every log on which a rule that asks for an experiment is tested."""
    for rule in catalogue.rules([])[0]:
        for test in rule.tests.fires if rule.experiment else ():
            hits = judged(rule, test.log).hits
            if asked := fixes.plan(hits, []).by_rule.get(rule.id):
                yield str(rule.experiment), rule.id, causes.values_of(hits[0]), asked


def seconds(work: Callable[[], object], device: str, rounds: int = ROUNDS) -> float:
    """The shortest of several times: of the processor, or of a GPU until all its work is done."""
    on_gpu = device.startswith("cuda")
    clock = time.perf_counter if on_gpu else time.process_time
    best = math.inf
    for _ in range(rounds):
        started = clock()
        work()
        if on_gpu:
            torch.cuda.synchronize()
        best = min(best, clock() - started)
    return best


def limits(device: str) -> tuple[float, float]:
    """Bytes and operations a second, on as many threads as a replay uses."""
    source = torch.zeros(COPIED, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    left, right = (torch.randn(SIDE, SIDE, device=device) for _ in range(2))
    return (
        2 * COPIED / seconds(lambda: target.copy_(source), device),
        2 * SIDE**3 / seconds(lambda: left @ right, device),
    )


def measure(name: str, device: str, draws: int) -> dict[str, float]:
    """One experiment in this process: its scenarios a second, its share of the limit, seconds and memory."""
    torch.set_num_threads(1)
    if (found := case(name)) is None:
        return {}
    rule, facts, asked = found
    experiment = experiments.load(name)
    answers: list[Answer] = []

    def run(seed: int) -> None:
        """Another seed each time: some mechanisms remember what they solved for the last one."""
        answers.append(experiment.run(rule, facts, asked, Lab(device=device, draws=draws, seed=seed)))

    experiment.run(rule, facts, asked, Lab(device=device, draws=WARM, seed=3))  # what is loaded and compiled but once
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    taken = seconds(lambda: run(0), device, rounds=1)
    drawn = {(replay.mechanism, replay.family): replay.scenarios.drawn for replay in answers[0].replays}
    peak = (
        torch.cuda.max_memory_allocated()
        if device.startswith("cuda")
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    with Bytes() as moved:
        run(1)
    with FlopCounterMode(display=False) as counter:
        run(2)
    bytes_a_second, operations_a_second = limits(device)
    by_bytes, by_operations = moved.count / bytes_a_second, counter.get_total_flops() / operations_a_second
    return {
        "seconds": taken,
        "parts": float(max(replay.parts for replay in answers[0].replays)),
        "rate": sum(drawn.values()) / taken,
        "share": max(by_bytes, by_operations) / taken,
        "bytes_bind": float(by_bytes >= by_operations),
        "peak": float(peak),
        "copy": bytes_a_second,
        "matmul": operations_a_second,
    }


def main(device: str, draws: int) -> None:
    """Each experiment in a process of its own, so that its memory is its own."""
    print(f"{device}, {draws:,} draws\n")
    print("| experiment | seconds | scenarios/s | of the limit | peak MB |\n| --- | --- | --- | --- | --- |")
    told: dict[str, float] = {}
    for name in experiments.names():
        code = f"import json; from replay import measure; print(json.dumps(measure({name!r}, {device!r}, {draws})))"
        done = subprocess.run([sys.executable, "-c", code], cwd=sys.path[0], capture_output=True, text=True, check=True)
        measured = json.loads(done.stdout)
        if not measured:
            print(f"| `{name}` | no log that a rule is tested on asks for it | | | |", flush=True)
            continue
        told = measured
        what = "bytes" if told["bytes_bind"] else "operations"
        print(
            f"| `{name}` | {told['seconds']:.2f} | {told['rate']:,.0f} | {told['share']:.0%} ({what}) "
            f"| {told['peak'] / 1e6:,.0f} |",
            flush=True,
        )
    if told:
        print(
            f"\nThe limit: {told['copy'] / 1e9:.1f} GB/s (copy), {told['matmul'] / 1e9:.0f} GFLOP/s (float32 product)"
        )


if __name__ == "__main__":
    asked = dict(enumerate(sys.argv))
    main(devices.chosen(asked.get(1)), int(asked.get(2, 1024)))
