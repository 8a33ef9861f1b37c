"""The lab on two devices: whether the same seeds give the same verdicts, and how many times faster the GPU is.

Verdicts are compared replay by replay on the finding and the fixes of every log that a rule with an experiment is
tested on. Rates are measured as in replay.py, on the GPU with more draws until it is busy. Two cores are counted as
twice what one does, which is the most that they can do.

Usage: python benchmarks/devices.py verdicts [DEVICE] [DRAWS] [EXPERIMENT,EXPERIMENT,...]
       python benchmarks/devices.py rates [DEVICE] [DRAWS,DRAWS,...] [EXPERIMENT,EXPERIMENT,...]
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import torch
from replay import cases, measure, share_of_limit

from postmortem.replay import device as devices
from postmortem.replay import experiments
from postmortem.replay.protocol import Lab

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.replay.protocol import Replay

CPU_DRAWS = 1024
#: A measurement on the GPU that takes longer than this is not followed by one with more draws.
ENOUGH = 2.0
LONGEST_NAME = 60
NAMES = 4  # which argument names the experiments


def apart(one: Replay, other: Replay) -> tuple[float, float, float]:
    """By how much two replays differ: kept scenarios and share, both 0 to 1, and the medians' relative distance."""
    kept = abs(one.scenarios.kept - other.scenarios.kept) / max(one.scenarios.drawn, 1)
    share = abs((one.share or 0.0) - (other.share or 0.0))
    if one.effect is None or other.effect is None or one.effect.median == other.effect.median:
        return kept, share, 0.0
    was, now = one.effect.median, other.effect.median
    if not (math.isfinite(was) and math.isfinite(now)):
        return kept, share, 0.0 if math.isnan(was) and math.isnan(now) else math.inf
    return kept, share, abs(now - was) / max(abs(was), abs(now))


def verdicts(device: str, draws: int, names: Sequence[str]) -> int:
    """A row an experiment; how many replays have another verdict."""
    print(f"cpu beside {device}, {draws:,} draws\n\n| experiment | replays | other verdict | kept | share | median |")
    print("| --- | --- | --- | --- | --- | --- |")
    by_name: dict[str, list[tuple[Replay, Replay]]] = {name: [] for name in names}
    for name, rule, facts, asked in cases():
        if name not in by_name:
            continue
        labs = (Lab(device=one, draws=draws) for one in ("cpu", device))
        ours, theirs = (experiments.load(name).run(rule, facts, asked, lab).replays for lab in labs)
        by_name[name] += zip(ours, theirs, strict=True)
    changed = []
    for name, pairs in by_name.items():
        other = [(one, two) for one, two in pairs if one.verdict != two.verdict]
        changed += other
        kept, share, median = (
            max(column, default=0.0) for column in zip(*(apart(*pair) for pair in pairs), strict=True)
        )
        print(f"| `{name}` | {len(pairs)} | {len(other)} | {kept:.2g} | {share:.2g} | {median:.2g} |", flush=True)
    for one, two in changed:
        print(f"{one.rule} {one.mechanism} {one.family} {one.fix.knob}={one.fix.new} {one.claim[:LONGEST_NAME]!r}:")
        print(f"  cpu {one.verdict} {one.because}\n  {device} {two.verdict} {two.because}")
    return len(changed)


def rates(device: str, sizes: Sequence[int], names: Sequence[str]) -> None:
    """A row an experiment: two cores, the GPU at its busiest, and the quotient."""
    print("| experiment | two cores, scenarios/s | GPU, scenarios/s | times | draws | of the limit | peak GB | parts |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        if not (cores := measure(name, "cpu", CPU_DRAWS)):
            continue
        told: list[tuple[int, dict[str, float]]] = []
        for draws in sizes:
            told.append((draws, measure(name, device, draws)))
            torch.cuda.empty_cache()
            if told[-1][1]["seconds"] > ENOUGH:
                break
        draws, best = max(told, key=lambda one: one[1]["rate"])
        best |= share_of_limit(name, device, draws, best["seconds"])
        torch.cuda.empty_cache()
        what = "bytes" if best["bytes_bind"] else "operations"
        print(
            f"| `{name}` | {2 * cores['rate']:,.0f} | {best['rate']:,.0f} | {best['rate'] / cores['rate'] / 2:,.1f} "
            f"| {draws:,} | {best['share']:.0%} ({what}) | {best['peak'] / 1e9:.1f} | {best['parts']:.0f} |",
            flush=True,
        )
    print(f"\nThe GPU's limit: {best['copy'] / 1e9:,.0f} GB/s (copy), {best['matmul'] / 1e12:.1f} TFLOP/s (float32)")


if __name__ == "__main__":
    asked = dict(enumerate(sys.argv))
    where = devices.chosen(asked.get(2))
    which = asked[NAMES].split(",") if NAMES in asked else experiments.names()
    if asked.get(1) == "rates":
        rates(where, [int(text) for text in asked.get(3, "1024,16384,131072").split(",")], which)
    else:
        sys.exit(verdicts(where, int(asked.get(3, 1024)), which))
