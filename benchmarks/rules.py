"""What rules take beside reading: all rules on the frames of a log, and the reading of it to frames, in one process.

Both are measured in one run, each log in a process of its own, as medians: their ratio carries over to another machine,
the seconds do not. Usage: python benchmarks/rules.py [--mb 500] [--repeat 3] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import logs

_KINDS: Final = ("dense", "sparse")


@dataclass(frozen=True)
class Cost:
    """What one log took: wall seconds, and bytes of resident memory at most."""

    values: int  # rows of metrics
    read: float  # to all five frames
    rules: float  # with all signals that they ask for
    ran: int  # rules that could be evaluated
    peak: int


def measure(log: str) -> Cost:
    """The cost of a log, in this process. The rules are loaded before: that is part of a start."""
    from postmortem import reading
    from postmortem.evidence import Lines
    from postmortem.rules import catalogue
    from postmortem.rules.engine import Engine

    rules, errors = catalogue.rules()
    started = time.perf_counter()
    run = reading.read(log)
    run.frames()
    read = time.perf_counter()
    outcome = Engine(Lines(run).joined()).run(rules)
    judged = time.perf_counter()
    if errors or outcome.errors:
        sys.exit("\n".join([*errors, *outcome.errors]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Cost(run.metrics.height, read - started, judged - read, len(rules) - len(outcome.not_checked), peak)


def main() -> None:
    """Measure a small and a large log of each kind, and print the table."""
    options = _options()
    heading = ("log", "values", "read, s", "rules, s", "rules / read", "rules evaluated", "peak RSS, MB")
    print("|", " | ".join(heading), "|\n" + "| --- " * len(heading) + "|")
    for kind in _KINDS:
        for megabytes in (1, options.mb):
            path, _ = logs.log(kind, megabytes, options.folder)
            costs = [_cost(path) for _ in range(options.repeat)]
            read, rules = (statistics.median(getattr(cost, what) for cost in costs) for what in ("read", "rules"))
            peak = max(cost.peak for cost in costs) / 1e6
            first = costs[0]
            row = (f"{kind}, {megabytes:,} MB", f"{first.values:,}", f"{read:.2f}", f"{rules:.2f}")
            print("|", " | ".join([*row, f"{rules / read:.2f}", f"{first.ran}", f"{peak:,.0f}"]), "|")


def _cost(path: Path) -> Cost:
    command = [sys.executable, __file__, "--measure", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return Cost(**json.loads(done.stdout))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=500, help="size of the large logs; the small ones have 1 MB")
    parser.add_argument("--repeat", type=int, default=3, help="times that each is measured; medians are shown")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "postmortem-benchmark", help="for the logs"
    )
    parser.add_argument("--measure", metavar="LOG", help="measure this log alone, and print JSON")
    return parser.parse_args()


if __name__ == "__main__":
    wanted = _options().measure
    if wanted:
        print(json.dumps(asdict(measure(wanted))))
    else:
        main()
