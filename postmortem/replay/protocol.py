"""What an experiment is asked and what it answers. Free of torch, so that reports work without it.

A fix turns one knob. An experiment holds the mechanisms that compete to explain one symptom, keeps the
scenarios in which each mechanism shows the logged numbers, turns the knob there, and tests claims.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from postmortem.rules.finding import VerdictWord

Value = float | str | None


class _Record(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, ser_json_inf_nan="strings")


class Fix(_Record):
    """One knob, turned from one value to another. `from` may be unknown: then it is null."""

    model_config = ConfigDict(
        defer_build=True, extra="forbid", frozen=True, ser_json_inf_nan="strings", populate_by_name=True
    )

    knob: str
    old: Value = Field(default=None, alias="from")
    new: Value = Field(alias="to")
    origin: Literal["rule", "log", "user"] = "rule"


class Effect(_Record):
    """What the fix does to one quantity over the kept scenarios: medians and central 95 % intervals."""

    quantity: str  # with its unit, readable: "largest |output|"
    low: float
    median: float
    high: float
    before_low: float
    before_median: float
    before_high: float


class Scenarios(_Record):
    """How many scenarios were drawn, and in how many the mechanism showed the logged numbers."""

    drawn: int
    kept: int


class Replay(_Record):
    """The answer of one mechanism (and family) to one claim about one fix."""

    experiment: str
    mechanism: str
    family: str | None = None
    rule: str
    fix: Fix
    claim: str
    verdict: VerdictWord
    share: float | None  # of the kept scenarios in which the claim holds
    share_low: float | None = None  # its 95 % Clopper-Pearson interval
    share_high: float | None = None
    effect: Effect | None
    scenarios: Scenarios
    device: str
    dtype: str
    seed: int
    seconds: float
    because: str
    parts: int = 1  # in which the scenarios were drawn: more than one where the device's memory does not hold them
    needs: str = ""  # what the mechanism would have to supply, and what its bound allows; the same for all fixes


class Beside(_Record):
    """The steps at which another metric goes wrong: is above a limit, or not finite where there is none."""

    metric: str
    above: float | None = None


class Rows(_Record):
    """Of which rows of the next log's frames a prediction speaks: its `where`, for a machine."""

    frame: Literal["metrics", "tensors"] = "metrics"  # the prediction's metric: a canonical name, or a tensor's
    must: Literal["every", "first", "last", "any"] = "every"  # which of the rows must lie between its ends
    scope: str | None = None  # of a metric: of one stage or layer; null: the run's own, or all where there is none
    split: str | None = None  # of a metric: train, eval, test; null: the training's, or all where there is none
    first_step: int | None = None  # counted as the log counts, up to where its counter starts again
    last_step: int | None = None
    beside: Beside | None = None


class Reach(_Record):
    """How far the judged log had come when the fault showed: a log that ends before that says nothing of a cure."""

    counter: Literal["step", "epoch"] | None  # null: it counts neither; then any value of a training will do
    count: float | None


class Prediction(_Record):
    """What the next log shows if what is believed is right, for a person and for `verify`."""

    id: str
    metric: str
    where: str
    low: float | None
    high: float | None
    assumptions: list[str]
    statement: str
    basis: Literal["law", "replay", "rule"]
    rows: Rows | None = None  # null: only a person can tell which rows are meant, unless it is `silent`
    silent: bool = False  # that `rule` names no cause in the next log; then no value of `metric` is spoken of
    reaches: Reach | None = None  # how far a log must come to show it; null: any log that shows the rows does
    rule: str = ""  # whose finding it is about; `Experiment.run` fills it in
    fix: Fix | None = None  # the change under which it holds; null: whatever the cure is
    was: float | None = None  # what the judged log showed there: one that acts on it moves it away from that


class Prior(_Record):
    """A quantity that the log does not fix, the range it is drawn from, and why that range."""

    name: str
    text: str
    because: str


class Verdict(_Record):
    """What is to be believed of one claim about one fix."""

    rule: str
    fix: Fix
    claim: str
    verdict: VerdictWord
    basis: Literal["law", "replay"]
    because: str


Fact = float | str | bool | None


@dataclass(frozen=True, slots=True)
class Lab:
    """Where and how an experiment runs."""

    device: str = "cpu"
    seed: int = 0
    draws: int = 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """All that one experiment says of one finding."""

    replays: tuple[Replay, ...]
    predictions: tuple[Prediction, ...] = ()
    measure_next: tuple[str, ...] = ()
    priors: tuple[Prior, ...] = ()
    cannot_show: str = ""
    question: str = ""
    failed: str = ""  # why some fixes, or all, could not be replayed
    unjudged: tuple[Verdict, ...] = ()  # the verdict on each such fix, where it is known which


class Lost(_Record):
    """A part of the work that brought nothing back, and why."""

    what: str
    because: str
