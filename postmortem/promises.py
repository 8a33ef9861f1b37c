"""What the next run must show of each cause that a log names: numbers that its rule gives, and that the rule is silent.

A finding that an experiment speaks of has the experiment's predictions, which are narrower.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from postmortem import reach
from postmortem.causes import values_of
from postmortem.replay.protocol import Prediction, Rows
from postmortem.rules.rule import fill
from postmortem.summary import is_alarm

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import polars as pl

    from postmortem.replay.protocol import Reach
    from postmortem.rules.engine import Hit
    from postmortem.rules.finding import Finding
    from postmortem.rules.rule import Rule

_WHICH: Final = {"every": "every value", "first": "the first value", "last": "the last value", "any": "some value"}


def made(
    findings: Sequence[Finding], hits: Sequence[Hit], metrics: pl.DataFrame, answered: Collection[str]
) -> list[Prediction]:
    """The predictions of the causes among `findings`, in their order.

    `hits` are what they come from, with lines as `metrics` has them; `answered` the rules that an experiment spoke of.
    """
    by_rule = {hit.rule.id: hit for hit in hits}
    promised: list[Prediction] = []
    for finding in _causes(findings):
        if finding.rule not in answered:
            hit = by_rule[finding.rule]
            reached = reach.of(metrics, max(hit.lines, default=None))
            promised += _numbers(hit, reached)
            promised.append(_silence(hit.rule, reached))
    return promised


def _causes(findings: Sequence[Finding]) -> list[Finding]:
    """The root causes; a suspected one that is an alarm counts where none is established."""
    blamed = [finding for finding in findings if finding.role == "root_cause"]
    return blamed or [finding for finding in findings if finding.role == "contributing" and is_alarm(finding)]


def _numbers(hit: Hit, reached: Reach) -> list[Prediction]:
    """What the rule promises in numbers, as far as the finding has those."""
    values = hit.rule.values(values_of(hit))
    found = []
    for number, promise in enumerate(hit.rule.predicts):
        metric, split = (_told(text, values) for text in (promise.metric, promise.split))
        low, high = (_end(end, values) for end in (promise.low, promise.high))
        if metric is not None and (low is not None or high is not None):
            found.append(
                Prediction(
                    id=f"{hit.rule.id}/{number}",
                    metric=metric,
                    where=f"{_WHICH[promise.must]}{f' of {split}' if split else ''}, {_so_far(reached)}",
                    low=low,
                    high=high,
                    assumptions=[],
                    statement=fill(promise.says, values),
                    basis="rule",
                    rows=Rows(must=promise.must, split=split),
                    rule=hit.rule.id,
                    reaches=reached,
                )
            )
    return found


def _told(text: str | None, values: dict[str, Any]) -> str | None:
    """A name as it stands, or the finding's value of that name."""
    told = values.get(text[1:]) if text and text.startswith("$") else text
    return None if told is None else str(told)


def _end(end: str | float | None, values: dict[str, Any]) -> float | None:
    """A number, or the finding's value of that name; None for one that is missing or not finite."""
    told = values.get(end.removeprefix("$")) if isinstance(end, str) else end
    return float(told) if isinstance(told, int | float) and math.isfinite(told) else None


def _silence(rule: Rule, reached: Reach) -> Prediction:
    return Prediction(
        id=rule.id,
        metric=rule.id,
        where=_so_far(reached),
        low=None,
        high=None,
        assumptions=[],
        statement=f"the log {_comes(reached)} without {rule.id}",
        basis="rule",
        silent=True,
        rule=rule.id,
        reaches=reached,
    )


def _comes(reached: Reach) -> str:
    return "shows a training" if reached.counter is None else f"reaches {reached.counter} {reached.count:,.6g}"


def _so_far(reached: Reach) -> str:
    return (
        "of a training" if reached.counter is None else f"as soon as {reached.counter} {reached.count:,.6g} is reached"
    )
