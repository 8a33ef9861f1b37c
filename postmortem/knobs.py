"""What is known of settings and metrics before any log is read: `knobs.yaml` as look-ups."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from postmortem import yamltext


class Moves(BaseModel):
    """What a knob moves: metrics by name, tensors by the operation that gives them."""

    model_config = ConfigDict(extra="forbid")

    metrics: list[str] = []
    tensors: list[str] = []


class Knobs(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    moves: dict[str, Moves]
    rescales: dict[str, list[str]]  # setting -> metrics that it puts on another scale
    names: frozenset[str]  # settings that name or place a run
    clock: frozenset[str]  # metrics of the machine and the clock


@cache
def load() -> Knobs:
    """The shipped file."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return Knobs.model_validate(yamltext.load(text))
