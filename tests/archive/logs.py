"""Small logs, and workers that are no processes, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from postmortem.archive.workers import Done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    Task = TypeVar("Task")
    Result = TypeVar("Result")

HEALTHY = "".join(f"step {step}: loss={3 - step / 100:.3f}, grad_norm=1.{step}\n" for step in range(50))
#: `impossible/normalised-beyond-bound`, critical, is its root cause.
FAILED = "eps = 1e-5\nLayer 3: XV output: min=-2500, max=40960\n"
CAUSE = "impossible/normalised-beyond-bound"
#: `config/effective-batch`, low.
LOW = "step 1: loss=2.0\nEffective batch size: 16 × 6 = 96 (for 3 GPUs)\n"


class Here:
    """Does tasks in this process, and counts them."""

    def __init__(self) -> None:
        self.tasks: list[object] = []

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Done[Task, Result]]:
        """As `Workers.run`."""
        for task in tasks:
            self.tasks.append(task)
            yield Done(task, function(task))


def write(folder: Path, **texts: str) -> Path:
    """Logs of these names, with `_` for `/`."""
    for name, text in texts.items():
        path = folder / f"{name.replace('_', '/')}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
