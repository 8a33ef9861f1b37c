"""A step of the user's own in the lab: each value of a knob beyond the first is a fix."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from postmortem.errors import PostmortemError
from postmortem.lab import alone
from postmortem.lab.laboratory import Bench, Results
from postmortem.replay import judge
from postmortem.replay.device import HOW_TO_GET_TORCH, has_torch
from postmortem.replay.protocol import Answer, Fix, Verdict
from postmortem.replay.trial import StepTrial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.lab.replayed import Replayed
    from postmortem.replay.protocol import Value

_TARGET: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_KNOB: Final = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<values>[^,=\s]+(?:,[^,=\s]+)*)")


def replay_step(
    target: str,
    bench: Bench,
    *,
    knobs: Sequence[str],
    expects: Sequence[str],
    shows: Sequence[str] = (),
    seconds: float = 60.0,
    memory_gb: float | None = None,
) -> Replayed:
    """Replay `target`, `package.module:function`, with each knob `name=value,value` turned from its first value.

    `expects` are the claims and `shows` the symptom, in the grammar of `postmortem.replay.expectation`; a seed is a
    scenario, and `bench.lab.draws` says how many. `seconds` are for one call. PostmortemError for what cannot be
    read, and for a step that fails with its knobs as they are; with one turned, that fix is inconclusive.
    """
    started = time.perf_counter()
    if not has_torch():
        raise PostmortemError(HOW_TO_GET_TORCH)
    from postmortem.replay.expectation import parse
    from postmortem.replay.own_step import Step

    if not _TARGET.fullmatch(target):
        raise PostmortemError(f"--target {target}: write package.module:function")
    values = _knobs(knobs)
    fixes = [
        Fix(knob=name, old=first, new=new, origin="user") for name, (first, *others) in values.items() for new in others
    ]
    if not fixes or not expects:
        raise PostmortemError(
            "--target needs a knob to turn and a claim: --knob NAME=AS_IT_IS,OTHER and --expect 'loss decreases by 10%'"
        )
    step = Step(
        target=target,
        knobs={name: first for name, (first, *_) in values.items()},
        shows=tuple(parse(text, "--shows") for text in shows),
        expects=tuple(parse(text, "--expect") for text in expects),
        seconds=seconds,
        memory_gb=memory_gb,
    )
    if relative := next((one.text for one in step.shows if one.compares), None):
        raise PostmortemError(f"--shows {relative!r}: the symptom stands before any fix; compare it with a number")
    groups = [(fix,) for fix in fixes] if bench.executor.apart else [tuple(fixes)]
    pieces = [StepTrial(step, group, bench.lab) for group in groups]
    results = Results()
    for piece, outcome in zip(pieces, bench.executor.run(pieces), strict=True):
        if isinstance(outcome, Answer):
            results.answers[piece.title] = [outcome]
            results.together.append(outcome)
            results.verdicts += [*judge.pool(outcome.replays), *outcome.unjudged]
            results.failed |= {f"{verdict.fix.knob}={verdict.fix.new}": verdict.because for verdict in outcome.unjudged}
            continue
        results.lost.append(outcome)
        results.verdicts += [
            Verdict(
                rule=target, fix=fix, claim=one.text, verdict="inconclusive", basis="replay", because=outcome.because
            )
            for fix in piece.fixes
            for one in step.expects
        ]
    return alone.report(target, bench, results, verdicts=results.verdicts, state="ran", started=started)


def _knobs(options: Sequence[str]) -> dict[str, list[Value]]:
    knobs: dict[str, list[Value]] = {}
    for option in options:
        found = _KNOB.fullmatch(option)
        if found is None:
            raise PostmortemError(f"--knob {option}: write NAME=AS_IT_IS,OTHER, for instance lr=1e-3,1e-4")
        if found["name"] in knobs:
            raise PostmortemError(f"--knob {option}: {found['name']} has its values already; list all of them once")
        knobs[found["name"]] = [_value(text) for text in found["values"].split(",")]
    return knobs


def _value(text: str) -> Value:
    try:
        return float(text)
    except ValueError:
        return text
