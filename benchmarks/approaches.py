"""Ways to read a benchmark's log, each to be run in a process of its own: `approaches.py NAME LOG` prints JSON.

The JSON says how many seconds went from opening the log to having its columns, the CPU time and the peak of resident
memory of the process by then, the size of the columns, and, where the way reads values at all, what was found of the
four formats (see `logs.Truth`). What is counted to say that is not measured.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from logs import EVENTS, Format

if TYPE_CHECKING:
    from collections.abc import Callable

#: The dialects that read the four formats; the generic reader takes one of them.
FEW: Final = frozenset({"hf_trainer", "kd", "megatron_lm", "ttt"})
_NUMBER: Final = r"([-+]?(?:[0-9][0-9,]*\.?[0-9]*(?:[eE][-+]?[0-9]+)?|inf|nan))"
_LINES: Final = {
    "kd": rf"Step [0-9]+: Total Loss: {_NUMBER}, .*grad_norm={_NUMBER}",
    "hf": rf"\{{'loss': {_NUMBER}, .*'epoch': {_NUMBER}\}}",
    "meg": rf"iteration +[0-9]+/ *[0-9]+ \| consumed samples: .* \| lm loss: {_NUMBER} \| .*grad norm: {_NUMBER}",
    "layer": rf"Layer [0-9]+: \w+ output: min={_NUMBER}, max={_NUMBER}",
}


@dataclass
class Read:
    """What reading a log cost, and gave."""

    seconds: float
    ended: float = 0.0  # by the machine's clock of seconds
    cpu: float = 0.0  # seconds
    peak: int = 0  # bytes
    columns: int = 0  # bytes
    found: dict[str, Format] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ended, self.cpu = time.perf_counter(), time.process_time()
        self.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def postmortem(path: str, *, frames: bool, few: bool = False) -> Read:
    """`postmortem.read`, to its held columns or to the five frames made."""
    import polars as pl

    import postmortem.reading
    from postmortem.parsing import dialects

    if few:
        chosen = dialects.Dialects(one for one in dialects.shipped().all if one.name in FEW)
        dialects.shipped = lambda: chosen  # type: ignore[assignment]
    started = time.perf_counter()
    run = postmortem.reading.read(path)
    made = run.frames() if frames else {}
    read = Read(time.perf_counter() - started)
    read.columns = sum(int(frame.estimated_size()) for frame in made.values())
    metrics, tensors = run.metrics, run.tensors
    loss = metrics.filter(pl.col("source_name") == "Total Loss")
    norm = metrics.filter(pl.col("source_name") == "grad_norm").join(loss, on="line", how="semi")
    hf = metrics.filter((pl.col("dialect") == "hf_trainer") & (pl.col("source_name") == "loss"))
    megatron = [metrics.filter(pl.col("source_name") == name)["value"] for name in ("lm loss", "grad norm")]
    read.found = {
        "kd": _format(loss["value"], norm["value"]),
        "hf": _format(hf["value"], hf["epoch"]),
        "meg": _format(*megatron),
        "layer": _format(tensors["max"], tensors["min"]),
    }
    return read


def _format(first: Any, second: Any) -> Format:  # noqa: ANN401 - two polars columns
    return Format(
        rows=len(first),
        first=float(first.filter(first.is_finite()).sum()),
        second=float(second.filter(second.is_finite()).sum()),
        nan=int(first.is_nan().sum()),
        inf=int(first.is_infinite().sum()),
    )


def alternation(path: str) -> Read:
    """A loop over lines with one regular expression of all patterns."""
    names = list(_LINES)
    union = re.compile("|".join([*_LINES.values(), *(re.escape(find) for find, _ in EVENTS)]))
    colour = re.compile(r"\x1b\[[0-9;]*m")
    values: dict[str, list[tuple[str, str]]] = {name: [] for name in names}
    started = time.perf_counter()
    with open(path, encoding="utf-8", errors="replace", newline="\n") as log:  # noqa: PTH123 - the plain loop
        for line in log:
            found = union.search(colour.sub("", line) if "\x1b" in line else line)
            if found and found.lastindex:
                last = found.lastindex
                values[names[last // 2 - 1]].append((found[last - 1], found[last]))
    read = Read(time.perf_counter() - started)
    for name, pairs in values.items():
        read.found[name] = Format()
        for one, other in pairs:
            first, second = (float(text.replace(",", "")) for text in (one, other))
            read.found[name].add(*((second, first) if name == "layer" else (first, second)))
    return read


def drain3(path: str) -> Read:
    """Templates of all lines, without masks and without parameters: the least that drain3 does."""
    drain = import_module("drain3.drain").Drain()
    started = time.perf_counter()
    with open(path, encoding="utf-8", errors="replace", newline="\n") as log:  # noqa: PTH123 - as above
        for line in log:
            drain.add_log_message(line)
    return Read(time.perf_counter() - started)


def runmedic(path: str) -> Read:
    """The series that its loader of text logs makes, without its checks."""
    from pathlib import Path

    load = import_module("runmedic.loaders.textlog").load
    started = time.perf_counter()
    load(Path(path))
    return Read(time.perf_counter() - started)


APPROACHES: Final[dict[str, Callable[[str], Read]]] = {
    "frames": partial(postmortem, frames=True),
    "read": partial(postmortem, frames=False),
    "few": partial(postmortem, frames=True, few=True),
    "alternation": alternation,
    "drain3": drain3,
    "runmedic": runmedic,
}

if __name__ == "__main__":
    print(json.dumps(asdict(APPROACHES[sys.argv[1]](sys.argv[2]))))
