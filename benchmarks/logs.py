r"""The benchmark's logs, and what is in them: metrics of four formats among noise.

`dense` is metrics in 70 % of its lines. `sparse` is metrics in 1 %, among NCCL and loader noise, with bars of \r, ANSI
colours, invalid bytes, rank prefixes and lines of 1 MB. `ten` is a small log of ten kinds of lines.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_EVENTS: Final = Path(__file__).with_name("events.yaml")
#: What tells a line of a format, and one of the rare lines, from all others.
EVENTS: Final[list[tuple[str, str]]] = [(find, line) for find, line in yaml.safe_load(_EVENTS.read_text("utf-8"))]
FORMATS: Final = {
    "kd": r"Step [0-9]+: Total Loss: ",
    "hf": r"\{'loss': ",
    "meg": r"iteration +[0-9]+/ *[0-9]+ \| consumed samples: .* \| lm loss: ",
    "layer": r"Layer [0-9]+: [A-Za-z0-9_]+ output: min=",
}
UNION: Final = "|".join([*FORMATS.values(), *(re.escape(find).replace("\\ ", " ") for find, _ in EVENTS)])

_BATCH: Final = 20_000  # lines written at once
_POOL: Final = 40_000  # different lines of noise
_RARE: Final = 0.001  # share of the dense log's lines, less the metrics
_SPARSE: Final = 210  # lines of each batch of the sparse log that are no noise
_LONG_LINE: Final = 1_000_000  # bytes
_LONG_LINE_EVERY: Final = 40_000_000  # bytes
_STEPS: Final = 500_000


@dataclass
class Format:
    """What a log holds of one format: lines, the finite sums of two columns, the nan and inf of the first."""

    rows: int = 0
    first: float = 0.0
    second: float = 0.0
    nan: int = 0
    inf: int = 0

    def add(self, first: float, second: float) -> None:
        """One line."""
        self.rows += 1
        self.nan += math.isnan(first)
        self.inf += math.isinf(first)
        self.first += first if math.isfinite(first) else 0.0
        self.second += second if math.isfinite(second) else 0.0

    def agrees(self, other: Format) -> bool:
        """True where counts are equal and sums too, but for the order in which they were added."""
        counts = (self.rows, self.nan, self.inf) == (other.rows, other.nan, other.inf)
        return counts and all(
            math.isclose(mine, theirs, rel_tol=1e-9)
            for mine, theirs in ((self.first, other.first), (self.second, other.second))
        )


@dataclass
class Truth:
    """What a log holds: each format, and how many of the rare lines."""

    formats: dict[str, Format] = field(default_factory=lambda: {name: Format() for name in FORMATS})
    events: int = 0

    @property
    def lines(self) -> int:
        """Lines that the union finds."""
        return self.events + sum(found.rows for found in self.formats.values())


class Writer:
    """Draws lines; the same seed, the same lines."""

    def __init__(self, seed: int = 11) -> None:
        self.random = Random(seed)  # noqa: S311 - figures of a log, no secret
        self.truth = Truth()
        self.step = 0

    def metric(self, name: str, *, ansi: bool = False) -> str:
        """The next line of a format."""
        self.step += 1
        write: Callable[[], tuple[str, str, str]] = {
            "kd": self._kd_in_colour if ansi else self._kd,
            "hf": self._hf,
            "meg": self._meg,
            "layer": self._layer,
        }[name]
        line, first, second = write()
        self.truth.formats[name].add(float(first.replace(",", "")), float(second))
        return line

    def event(self) -> str:
        """A rare line."""
        self.truth.events += 1
        return self.random.choice(EVENTS)[1]

    def _odd(self, text: str) -> str:
        """Now and then a value is nan or inf."""
        drawn = self.random.random()
        return "nan" if drawn < 0.001 else "inf" if drawn < 0.0015 else text  # noqa: PLR2004 - shares

    def _kd(self) -> tuple[str, str, str]:
        body, loss, norm = self._kd_body()
        return f"{self._time()} INFO {body.format(loss=loss)}", loss, norm

    def _kd_in_colour(self) -> tuple[str, str, str]:
        body, loss, norm = self._kd_body()
        shown = f"\x1b[31m{loss}\x1b[0m" if self.random.random() < 0.3 else loss  # noqa: PLR2004 - a share
        return f"\x1b[32m{self._time()}\x1b[0m \x1b[1mINFO\x1b[0m {body.format(loss=shown)}\x1b[0m", loss, norm

    def _kd_body(self) -> tuple[str, str, str]:
        draw = self.random.random
        loss, norm = self._odd(f"{draw() * 50:.2f}"), f"{draw() * 3:.2f}"
        lr = f"{draw() * 1e-3:.1e}" if draw() < 0.9 else "1e-05"  # noqa: PLR2004 - a share
        body = f"KD Raw: {draw() * 60:.4f}, Temperature²: 9.0, lr={lr}, grad_norm={norm}"
        return f"Step {self.step}: Total Loss: {{loss}}, {body}", loss, norm

    def _hf(self) -> tuple[str, str, str]:
        draw = self.random.random
        loss, epoch, norm = self._odd(f"{draw() * 5:.4f}"), f"{draw() * 3:.2f}", self._odd(f"{draw():.4f}")
        lr = round(draw() * 1e-4, 8)
        return f"{{'loss': {loss}, 'grad_norm': {norm}, 'learning_rate': {lr!r}, 'epoch': {epoch}}}", loss, epoch

    def _meg(self) -> tuple[str, str, str]:
        draw = self.random.random
        loss, norm = self._odd(f"{draw() * 5:.6E}"), f"{draw() * 3:.3f}"
        line = (
            f" iteration {self.step % _STEPS:8d}/{_STEPS:8d} | consumed samples: {self.step * 512:12d}"
            f" | elapsed time per iteration (ms): {draw() * 2000:.1f} | learning rate: {draw() * 1e-4:.3E}"
            f" | global batch size: {512:5d} | lm loss: {loss} | loss scale: 65536.0 | grad norm: {norm}"
            " | number of skipped iterations:   0 | number of nan iterations:   0 |"
        )
        return line, loss, norm

    def _layer(self) -> tuple[str, str, str]:
        draw = self.random.random
        high, low = str(int(draw() * 300_000)), str(-int(draw() * 100_000))
        if draw() < 0.02:  # noqa: PLR2004 - a share
            high = f"{int(draw() * 10 ** self.random.randrange(4, 18)):,}"
        name = self.random.choice(("XV", "XQ", "XK", "attn", "mlp"))
        return f"Layer {self.random.randrange(80)}: {name} output: min={low}, max={high}", high, low

    def _time(self) -> str:
        now = self.step
        day, hour, minute = 1 + now // 86_400_000 % 28, now // 3_600_000 % 24, now // 60_000 % 60
        return f"2026-04-{day:02d} {hour:02d}:{minute:02d}:{now // 1000 % 60:02d},{now % 1000:03d}"

    def noise(self, number: int) -> str:
        """One of twelve kinds of lines that no metric stands in."""
        draw, below = self.random.random, self.random.randrange
        host, rank = below(64), below(8)
        clock = f"2026-04-01 09:00:00,{number % 1000:03d}"
        nccl = f"gpu{host:03d}:{below(10**6)}:{below(10**6)} [{rank}] NCCL INFO"
        peer, bar = (rank + 1) % 8, "█" * rank + " " * (10 - rank)
        memory = [f"{draw() * 80:.2f}" for _ in range(3)]
        return (
            f"{nccl} Channel {below(32):02d}/32 : {rank}[{rank}] -> {peer}[{peer}] via P2P/CUMEM/read",
            f"{nccl} Trees [0] {rank}/-1/-1->{rank}->-1 [1] {rank + 1}/-1/-1->{rank}->-1",
            f"{clock} INFO loader worker {rank} fetched part-{below(99_999):05d}.tar in {draw() * 9:.3f}s (queue: 9)",
            f"{clock} DEBUG Step {number}: copying state to buffer, free={draw() * 80:.2f} GiB",
            f"Layer {below(80)}: weights initialised with std=0.02",
            f"  {rank}%|{bar}| {number}/{_STEPS} [{rank:02d}:{host % 60:02d}<11:11:11,  {draw() * 9:.2f}it/s]",
            f"INFO:root:memory allocated={memory[0]}GiB reserved={memory[1]}GiB peak={memory[2]}GiB util=17%",
            f"W0401 09:00:00.{number:06d} {host} torch/distributed/run.py:793] {'*' * 41}",
            "",
            f"[INFO|trainer.py:{below(3000)}] {clock} >> Number of trainable parameters = {below(10**10):,}",
            f"    hidden = self.layer{rank}(hidden, attention_mask=mask)  # {below(10**9):x}",
            f"tokenizing batch {number} of {10 * number} took {draw():.3f}s, loss of precision: none, step {number}",
        )[below(12)]


def _dense(writer: Writer) -> Iterator[bytes]:
    noise = [writer.noise(number) for number in range(_POOL)]
    names = list(FORMATS)
    while True:
        lines = []
        for _ in range(_BATCH):
            drawn = writer.random.random()
            if drawn < 0.7:  # noqa: PLR2004 - the share of metrics
                lines.append(writer.metric(names[int(drawn / 0.7 * len(names))]))
            elif drawn < 0.7 + _RARE:
                lines.append(writer.event())
            else:
                lines.append(noise[writer.random.randrange(_POOL)])
        yield ("\n".join(lines) + "\n").encode()


def _sparse(writer: Writer) -> Iterator[bytes]:
    pool = [_dressed(number, writer.noise(number)) for number in range(_POOL)]
    names, random = list(FORMATS), writer.random
    size = long_lines = 0
    while True:
        lines = random.choices(pool, k=_BATCH)
        for at in random.sample(range(_BATCH), _SPARSE):
            if random.random() < 0.05:  # noqa: PLR2004 - the share of rare lines
                line = writer.event()
            else:
                name = random.choice(names)
                line = writer.metric(name, ansi=random.random() < 0.3)  # noqa: PLR2004 - a share
                if name == "hf" and random.random() < 0.5:  # noqa: PLR2004 - a share
                    line = f"\r  5%|▌         | 60/1200 [00:10<03:10,  6.00it/s]\r{' ' * 60}\r{line}"
            lines[at] = _rank(random.randrange(64)) + line.encode() + b"\n"
        if size >= long_lines * _LONG_LINE_EVERY:
            long_lines += 1
            values = b"0.1234, -1.2345, "
            lines.append(b"tensor([" + values * (_LONG_LINE // len(values)) + b"])\n")
        block = b"".join(lines)
        size += len(block)
        yield block


def _dressed(number: int, line: str) -> bytes:
    """Of twenty lines one has a bar behind it, one is coloured, and a few hold invalid bytes; half have a rank."""
    text = line.encode()
    match number % 20:
        case 0:
            states = (f"{i:3d}%|{'█' * (i // 10)}| {i}/100 [00:{i % 60:02d}<00:10,  6.00it/s]" for i in range(20))
            text = "\r".join(["", *states]).encode()
        case 1:
            text = b"\x1b[34m" + text + b"\x1b[0m"
        case 2 if number % 200 == 2:  # noqa: PLR2004 - one in ten of them
            text += b" caf\xe9 \xff\xfe\x80"
    return _rank(number) + text + b"\n"


def _rank(number: int) -> bytes:
    return (b"", b"", b"[rank%d]: " % (number % 8), b"%d: " % (number % 64))[number % 4]


def _ten(writer: Writer) -> Iterator[bytes]:
    draw, below = writer.random.random, writer.random.randrange
    while True:
        lines = [writer.metric(name) for name in FORMATS]
        step = writer.step
        lines += [
            f"iter {step}: loss {draw() * 9:.4f}, time {draw() * 99:.2f}ms, mfu {draw() * 40:.2f}%",
            f"step: {step}  loss:  {draw() * 9:.4f}  memory: {draw() * 80:.2f}GiB(39.5%)  tps: {below(9000):,}",
            f"250/250 - 8s - {below(99)}ms/step - loss: {draw():.4f} - accuracy: {draw():.4f}",
            f"gpu{below(64):03d}:{below(10**6)}:{below(10**6)} [0] NCCL INFO Channel {below(32):02d}/32 : 0[0] -> 1[1]",
            f"Saving checkpoint to /data/runs/a/step-{step}",
            f" {below(100)}%|####      | {below(1200)}/1200 [00:10<03:10,  {draw() * 9:.2f}it/s]",
        ]
        yield ("\n".join(lines) + "\n").encode()


_KINDS: Final = {"dense": _dense, "sparse": _sparse, "ten": _ten}


def log(kind: str, megabytes: int, folder: Path) -> tuple[Path, Truth]:
    """A log of a kind and what it holds. One that an earlier run wrote is used again."""
    path = folder / f"{kind}-{megabytes}.log"
    record = path.with_suffix(".json")
    written_by = hashlib.sha256(Path(__file__).read_bytes() + _EVENTS.read_bytes()).hexdigest()
    if path.exists() and record.exists():
        known = json.loads(record.read_text("utf-8"))
        if known.pop("written_by") == written_by:
            formats = {name: Format(**found) for name, found in known["formats"].items()}
            return path, Truth(formats, known["events"])
    folder.mkdir(parents=True, exist_ok=True)
    writer, size = Writer(), 0
    with path.open("wb") as file:
        for block in _KINDS[kind](writer):
            size += file.write(block)
            if size >= megabytes * 1_000_000:
                break
    record.write_text(json.dumps({**asdict(writer.truth), "written_by": written_by}), "utf-8")
    return path, writer.truth
