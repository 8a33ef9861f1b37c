"""How long a user waits: --help, a judgement by laws, and one with replays, beside what Python and the imports take.

All are timed in one run, interleaved, as medians: their ratios carry over to another machine, the seconds do not.
Usage: python benchmarks/start.py [ROUNDS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

LOGS = Path(__file__).parent.parent / "sample_logs"
LOG = LOGS / "job-7204342.log"
OTHERS = ("kd-run-3", "asr-teacher", "cascade-epoch-8", "mlm-diagnostic")
POSTMORTEM = [sys.executable, "-m", "postmortem"]
COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "import click": [sys.executable, "-c", "import click"],
    "postmortem --help": [*POSTMORTEM, "--help"],
    "import polars, duckdb, pydantic, yaml, rich": [
        sys.executable,
        "-c",
        "import polars, duckdb, pydantic, yaml, rich.console",
    ],
    "analyze --no-replay": [*POSTMORTEM, "analyze", "--no-replay", str(LOG)],
    "import torch": [sys.executable, "-c", "import torch"],
    "analyze": [*POSTMORTEM, "analyze", str(LOG)],
    **{f"analyze {name}": [*POSTMORTEM, "analyze", str(LOGS / f"{name}.log")] for name in OTHERS},
}
PYTHON = "python"


def main(rounds: int) -> None:
    """Print the median seconds of each command, and how many times as long as an empty Python it takes."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print("| command | median s | times an empty Python |\n| --- | --- | --- |")
    for name, median in medians.items():
        print(f"| `{name}` | {median:.3f} | {median / medians[PYTHON]:.1f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
