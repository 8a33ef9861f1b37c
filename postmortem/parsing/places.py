"""What a record says of where its rows belong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postmortem.parsing.rows import Place
    from postmortem.parsing.template import Placing, Span


def placed_by(base: Place, placing: Placing, record: bytes) -> Place:
    """`base` with what the record itself says."""
    said: dict[str, object] = {"dialect": placing.dialect}
    if placing.step is not None:
        said |= {"step": int(placing.step.read(record)), "step_unit": placing.step_unit}
    if placing.epoch is not None:
        said["epoch"] = number_of(placing.epoch, record)
    if placing.rank is not None:
        said["rank"] = int(placing.rank.read(record))
    said |= {name: span.text(record) for name in ("ts", "job") if (span := getattr(placing, name)) is not None}
    return replace(base, **said)  # type: ignore[arg-type]  # columns by name


def number_of(span: Span | None, record: bytes) -> float | None:
    """The number that a record prints there, or none."""
    return None if span is None else float(span.read(record))
