"""How fast a log is read, beside a search for the same lines by ripgrep, and beside other tools.

Processes from their start to the last column, interleaved, on two processors, the log in the page cache; what each
reads is held against what the log holds. Prints a table in markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import logs
from approaches import FEW
from logs import Format

if TYPE_CHECKING:
    from collections.abc import Sequence

_HERE: Final = Path(__file__).parent
_PROCESSORS: Final = 2
#: Slow ones read a log of the same kind, so much smaller; of them, only what scales with size is told.
_SMALLER: Final = 25
_WITHOUT_KERNEL: Final = (("POSTMORTEM_KERNEL", "0"),)


@dataclass(frozen=True)
class Approach:
    """A way to read a log: a search by a program, or one of `approaches.py`."""

    title: str
    name: str
    env: tuple[tuple[str, str], ...] = ()
    slow: bool = False
    search: tuple[str, ...] = ()  # a program and its options, which counts lines
    needs: str = ""  # a package that is no part of this project

    @property
    def missing(self) -> str | None:
        """What must be installed first."""
        if self.search:
            return None if shutil.which(self.search[0]) else self.search[0]
        return self.needs if self.needs and find_spec(self.needs) is None else None

    def command(self, union: Path, log: Path) -> list[str]:
        """The command that reads `log`; `union` holds the expression to search for."""
        if self.search:
            return [*self.search, str(union), str(log)]
        return [sys.executable, str(_HERE / "approaches.py"), self.name, str(log)]


RIPGREP: Final = Approach("`rg -a -c -f`", "rg", search=("rg", "--no-unicode", "-a", "-c", "-f"))
APPROACHES: Final = (
    RIPGREP,
    Approach(
        "`grep -a -c -E -f`, in the C locale", "grep", (("LC_ALL", "C"),), search=("grep", "-a", "-c", "-E", "-f")
    ),
    Approach("`postmortem.read`, all five frames made", "frames"),
    Approach("the same, columns held, no frame made", "read"),
    Approach(f"five frames, {len(FEW)} dialects alone", "few"),
    Approach("five frames, without the kernel", "frames", _WITHOUT_KERNEL),
    Approach("columns held, without the kernel", "read", _WITHOUT_KERNEL),
    Approach("one `re` alternation, line by line", "alternation", slow=True),
    Approach("drain3: templates, no values", "drain3", slow=True, needs="drain3"),
    Approach("runmedic: its series, no checks", "runmedic", slow=True, needs="runmedic"),
)


@dataclass(frozen=True)
class Cost:
    """What one process cost until its columns were there: wall and CPU seconds, those from opening the log, bytes."""

    wall: float
    cpu: float
    reading: float
    peak: int
    columns: int


def main() -> None:
    """Measure what the options ask for, and print it."""
    options = _options()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_PROCESSORS])
    print(_machine(), end="\n\n")
    wanted = [one for one in APPROACHES if options.only in f"{one.name} {one.title}" or one is RIPGREP]
    for approach in wanted:
        if approach.missing:
            print(f"`{approach.missing}` is not installed here: left out.\n")
    wanted = [one for one in wanted if not one.missing]
    with tempfile.TemporaryDirectory() as folder:
        union = Path(folder) / "union"
        union.write_text(logs.UNION)
        for kind, megabytes in (("dense", options.mb), ("sparse", options.mb), ("sparse", 4 * options.mb)):
            large = megabytes > options.mb
            _compare(kind, megabytes, [one for one in wanted if not (large and one.slow)], union, options)
    if options.only in "analyze":
        _analyze(options)


def _compare(kind: str, megabytes: int, wanted: Sequence[Approach], union: Path, options: argparse.Namespace) -> None:
    """All approaches on one log, in turns, and their table."""
    sizes = {approach: max(1, megabytes // _SMALLER) if approach.slow else megabytes for approach in wanted}
    read = {size: logs.log(kind, size, options.folder) for size in sorted(set(sizes.values()))}
    for path, _ in read.values():
        _warm(path)
    costs: dict[Approach, list[Cost]] = {approach: [] for approach in wanted}
    for _ in range(options.repeat):
        for approach in wanted:
            path, truth = read[sizes[approach]]
            costs[approach].append(_cost(approach, approach.command(union, path), truth))
    print(f"{kind}, {megabytes:,} MB, medians of {options.repeat}; *: of {megabytes // _SMALLER} MB, scaled\n")
    heading = ["approach", "process, s", "CPU, s", "MB/s", "of rg", "open to columns, MB/s", "of rg", "peak RSS, MB"]
    heading.append("less frames, MB")
    print("|", " | ".join(heading), "|\n" + "| --- " * len(heading) + "|")
    speeds: dict[Approach, tuple[float, float]] = {}
    for approach, found in costs.items():
        size = read[sizes[approach]][0].stat().st_size / 1e6
        wall, cpu, reading = (
            statistics.median(getattr(one, what) for one in found) for what in ("wall", "cpu", "reading")
        )
        peak, columns = max(one.peak for one in found) / 1e6, max(one.columns for one in found) / 1e6
        speeds[approach] = size / wall, size / reading
        yardstick = speeds.get(RIPGREP)
        shares = [f"{mine / yardstick[0]:.3f}" if yardstick else "" for mine in speeds[approach]]
        rates = [f"{speed:,.0f}" for speed in speeds[approach]]
        row = [f"{wall:.2f}", f"{cpu:.2f}", rates[0], shares[0], rates[1], shares[1], f"{peak:,.0f}"]
        row.append(f"{peak - columns:,.0f}" if columns else "")
        if approach.slow:
            row = ["", "", "", "", *row[4:6], "", ""]
        row.insert(0, approach.title + " *" * approach.slow)
        print("|", " | ".join(row), "|")
    print()


def _cost(approach: Approach, command: Sequence[str], truth: logs.Truth) -> Cost:
    """Run a command once. What it found must be what the log holds, or the program ends."""
    started = time.perf_counter()
    wall, cpu, peak, output = _run(command, approach.env)
    if approach.search:
        if int(output) != truth.lines:
            sys.exit(f"{approach.title}: {output.strip()} lines, {truth.lines} are there")
        return Cost(wall, cpu, wall, peak, 0)
    read = json.loads(output)
    found = {name: Format(**numbers) for name, numbers in read["found"].items()}
    for name, there in truth.formats.items() if found else ():
        if not there.agrees(found[name]):
            sys.exit(f"{approach.title}: {name}: {found[name]}, there is {there}")
    return Cost(read["ended"] - started, read["cpu"], read["seconds"], read["peak"], read["columns"])


def _run(command: Sequence[str], env: Sequence[tuple[str, str]] = ()) -> tuple[float, float, int, str]:
    """Wall and CPU seconds of a process, its peak of resident memory in bytes, and what it printed."""
    environment = {**os.environ, "POLARS_MAX_THREADS": str(_PROCESSORS), **dict(env)}
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None  # noqa: S101 - asked for in the line above
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        sys.exit(f"{' '.join(command)}: ended with {process.returncode}")
    wall = time.perf_counter() - started
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output


def _analyze(options: argparse.Namespace) -> None:
    """A small log from the command line: nearly all of it is start-up."""
    path, _ = logs.log("ten", 1, options.folder)
    _warm(path)
    command = [sys.executable, "-m", "postmortem", "--no-config", "analyze", "--no-replay", str(path)]
    costs = [_run(command)[:2] for _ in range(options.repeat)]
    wall, cpu = (statistics.median(cost[which] for cost in costs) for which in (0, 1))
    print(f"`analyze --no-replay`, 1 MB of ten kinds of lines: {wall:.2f} s, {cpu:.2f} s of CPU time")


def _warm(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(2**24):
            pass


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = []
    for name in ("numpy", "polars", "duckdb", "pydantic", "drain3", "runmedic"):
        try:
            libraries.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    if program := shutil.which("rg"):
        libraries.append(
            subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
        )
    return (
        f"{model}, {os.cpu_count()} processors of which {_PROCESSORS} are used, {memory:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}, {', '.join(libraries)}"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=500, help="size of the logs; the largest has four times as much")
    parser.add_argument("--repeat", type=int, default=5, help="times that each is run; medians are shown")
    parser.add_argument(
        "--only", default="", help="approaches whose name or title holds this, beside ripgrep; or analyze"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "postmortem-benchmark", help="for the logs"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
