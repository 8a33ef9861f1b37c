"""How fast the lab is: scenarios a second of each experiment, beside what the device can do at most.

The limit is measured in the same run: a copy gives the bytes a second, a matrix product the operations a second. Of a
replay torch's own counter gives the operations, and the bytes are those of all tensors that its operators read and
write. Whichever of the two takes the device longer binds, and its share of the time is the share of the limit: more
than all of it where operands stay in a cache. On the CPU a replay has one thread, and time is the processor's, so that
what else the machine does counts little.

Usage: python benchmarks/replay.py [DEVICE] [DRAWS]
"""

from __future__ import annotations

import functools
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
SHORT = 1.0  # what takes fewer seconds is run again, in case it met memory that was never touched


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


def convolved_back(out: Any, _: Any, weight: Any, *rest: Any, **__: Any) -> int:  # noqa: ANN401 - torch's signature
    """Operations of a convolution's gradients: as many for each of the two as it has; torch forgets the groups."""
    wanted = rest[-1]  # of input, weight and bias
    operations: int = sum(wanted[:2]) * 2 * math.prod(out) * math.prod(weight[1:])
    return operations


def case(name: str) -> tuple[str, dict[str, Fact], list[Fix]] | None:
    """A finding that asks for an experiment: its rule, values and fixes, from a log that a rule is tested on."""
    return next(((rule, facts, asked) for one, rule, facts, asked in cases() if one == name), None)


@functools.cache
def cases() -> list[tuple[str, str, dict[str, Fact], list[Fix]]]:
    """Experiment, rule, facts and fixes of every log on which a rule that asks for an experiment is tested."""
    found = []
    for rule in catalogue.rules([])[0]:
        for test in rule.tests.fires if rule.experiment else ():
            hits = judged(rule, test.log).hits
            if asked := fixes.plan(hits, []).by_rule.get(rule.id):
                found.append((str(rule.experiment), rule.id, causes.values_of(hits[0]), asked))
    return found


def runs(name: str, device: str) -> Callable[[int, int], Answer] | None:
    """The experiment on that case, of so many draws and of a seed."""
    if (found := case(name)) is None:
        return None
    rule, facts, asked = found
    experiment = experiments.load(name)
    return lambda draws, seed: experiment.run(rule, facts, asked, Lab(device=device, draws=draws, seed=seed))


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
    """One experiment in this process: its scenarios a second, seconds and memory."""
    torch.set_num_threads(1)
    if (run := runs(name, device)) is None:
        return {}
    run(WARM, 3)  # what is loaded and compiled but once
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    answers: list[Answer] = []

    def again() -> None:
        """Another seed each time: some mechanisms remember what they solved for the last one."""
        answers.append(run(draws, len(answers)))

    taken = seconds(again, device, rounds=1)
    if taken < SHORT:
        taken = min(taken, seconds(again, device, rounds=2))
    drawn = {(replay.mechanism, replay.family): replay.scenarios.drawn for replay in answers[0].replays}
    peak = (
        torch.cuda.max_memory_allocated()
        if device.startswith("cuda")
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    return {
        "seconds": taken,
        "parts": float(max(replay.parts for replay in answers[0].replays)),
        "rate": sum(drawn.values()) / taken,
        "peak": float(peak),
    }


def share_of_limit(name: str, device: str, draws: int, taken: float) -> dict[str, float]:
    """The share of the device's limit that one experiment has, which takes as many seconds."""
    if (run := runs(name, device)) is None:
        return {}
    with Bytes() as moved:
        run(draws, 1)
    counted = {torch.ops.aten.convolution_backward: convolved_back}
    with FlopCounterMode(display=False, custom_mapping=counted) as counter:
        run(draws, 2)
    bytes_a_second, operations_a_second = limits(device)
    by_bytes, by_operations = moved.count / bytes_a_second, counter.get_total_flops() / operations_a_second
    return {
        "share": max(by_bytes, by_operations) / taken,
        "bytes_bind": float(by_bytes >= by_operations),
        "copy": bytes_a_second,
        "matmul": operations_a_second,
    }


def printed(name: str, device: str, draws: int) -> None:
    """Both as JSON."""
    if measured := measure(name, device, draws):
        measured |= share_of_limit(name, device, draws, measured["seconds"])
    print(json.dumps(measured))


def main(device: str, draws: int) -> None:
    """Each experiment in a process of its own, so that its memory is its own."""
    print(f"{device}, {draws:,} draws\n")
    print("| experiment | seconds | scenarios/s | of the limit | peak MB |\n| --- | --- | --- | --- | --- |")
    told: dict[str, float] = {}
    for name in experiments.names():
        code = f"from replay import printed; printed({name!r}, {device!r}, {draws})"
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
