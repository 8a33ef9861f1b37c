"""The fixes to be judged: those that follow from a finding, those that the log proposes, and the user's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from postmortem.causes import settled, values_of
from postmortem.errors import PostmortemError
from postmortem.parsing.names import load as load_names
from postmortem.replay.protocol import Fix, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from postmortem.replay.protocol import Value
    from postmortem.rules.engine import Hit
    from postmortem.rules.rule import RuleFix

_OPTION: Final = re.compile(r"(?P<knob>[A-Za-z_]\w*)=(?P<values>[^\s=]+)$")
#: The claim of a fix of which nobody said what it is to change.
_CHANGES: Final = "this changes what the log shows"
#: Different spellings of one dtype.
_DTYPES: Final = {
    "float16": "fp16", "half": "fp16", "16-mixed": "fp16", "bfloat16": "bf16", "bf16-mixed": "bf16",
    "float32": "fp32", "float": "fp32", "no": "fp32", "32-true": "fp32", "float64": "fp64", "double": "fp64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """For each finding by its rule: the fixes to judge. `idle` are those of which no finding has the knob."""

    by_rule: dict[str, list[Fix]]
    idle: list[Fix]


def parse(option: str) -> Fix:
    """`eps=1e-5:1e-3` or `eps=1e-3`. PostmortemError for any other form."""
    found = _OPTION.match(option)
    if found is None:
        raise PostmortemError(f"--fix {option}: write KNOB=OLD:NEW or KNOB=NEW, for instance eps=1e-5:1e-3")
    *old, new = found["values"].split(":")
    if len(old) > 1 or not new or "" in old:
        raise PostmortemError(f"--fix {option}: one old value and one new one, for instance eps=1e-5:1e-3")
    return Fix(knob=_knob(found["knob"]), old=value_of(old[0]) if old else None, new=value_of(new), origin="user")


def proposed(events: pl.DataFrame) -> list[Fix]:
    """The fixes that lines of the log propose."""
    fixes = []
    for text in events.filter(events["kind"] == "proposed_fix")["fields"]:
        fields = json.loads(text)
        old = value_of(fields["from"]) if "from" in fields else None
        fixes.append(Fix(knob=_knob(fields["knob"]), old=old, new=value_of(fields["to"]), origin="log"))
    return fixes


def plan(hits: Sequence[Hit], extra: Sequence[Fix]) -> Plan:
    """Which fixes to judge for which finding. A fix that two sources name is judged once.

    A finding that another one accounts for is judged by the fixes that the log or the user proposes, not by its own.
    """
    explained = settled(hits)
    by_rule: dict[str, list[Fix]] = {}
    used: set[Fix] = set()
    for hit in hits:
        own = [fix for spec in hit.rule.fixes if (fix := _resolve(spec, hit)) is not None]
        knobs = {spec.knob for spec in hit.rule.fixes} | {judge.knob for judge in hit.rule.judges}
        olds = {fix.knob: fix.old for fix in own}
        chosen: dict[tuple[str, Value], Fix] = {}
        for fix in extra:
            if fix.knob in knobs:
                used.add(fix)
                old = fix.old if fix.old is not None else olds.get(fix.knob)
                chosen[fix.knob, fix.new] = fix.model_copy(update={"old": old})
        for fix in own if hit.rule.id not in explained else ():
            chosen.setdefault((fix.knob, fix.new), fix)
        if chosen:
            by_rule[hit.rule.id] = list(chosen.values())
    return Plan(by_rule, [fix for fix in extra if fix not in used])


def by_law(hits: Sequence[Hit], plan_: Plan) -> list[Verdict]:
    """What the laws behind the findings say of the fixes that are planned, whoever's they are."""
    verdicts = []
    for hit in hits:
        for judge in hit.rule.judges:
            named: dict[tuple[Value, Value], tuple[str, Fix]] = {}
            for rule, fixes in plan_.by_rule.items():
                for fix in fixes:
                    if fix.knob == judge.knob:
                        named.setdefault((fix.old, fix.new), (rule, fix))
            verdicts += [
                Verdict(
                    rule=rule,
                    fix=fix,
                    claim=judge.claim,
                    verdict=judge.verdict,
                    basis="law",
                    because=hit.rule.filled(judge.because, values_of(hit)),
                )
                for rule, fix in named.values()
            ]
    verdicts += [
        Verdict(
            rule="none",
            fix=fix,
            claim=_CHANGES,
            verdict="inconclusive",
            basis="law",
            because=f"nothing that this log shows has {fix.knob} as its knob, so nothing here can judge it",
        )
        for fix in plan_.idle
    ]
    return verdicts


def unjudged(plan_: Plan, verdicts: Sequence[Verdict], why: Mapping[str, str], otherwise: str) -> list[Verdict]:
    """A verdict of `inconclusive` for every planned fix that nothing has judged, with the reason of its rule."""
    judged = {(verdict.fix.knob, verdict.fix.new) for verdict in verdicts}
    return [
        Verdict(
            rule=rule,
            fix=fix,
            claim=_CHANGES,
            verdict="inconclusive",
            basis="replay",
            because=f"not replayed: {why.get(rule, otherwise)}",
        )
        for rule, fixes in plan_.by_rule.items()
        for fix in fixes
        if (fix.knob, fix.new) not in judged
    ]


def _resolve(spec: RuleFix, hit: Hit) -> Fix | None:
    """A rule's fix with the finding's values; None where `times` has nothing to multiply, or nothing changes."""
    old = _looked_up(spec.old, hit)
    if spec.times is not None:
        if not isinstance(old, float):
            return None
        new: Value = float(f"{old * spec.times:.6g}")
    else:
        new = _looked_up(spec.new, hit)
    return None if new == old else Fix(knob=spec.knob, old=old, new=new, origin="rule")


def _looked_up(given: str | float | None, hit: Hit) -> Value:
    if isinstance(given, str) and given.startswith("$"):
        given = values_of(hit).get(given[1:])
    if given is None:
        return None
    return value_of(given) if isinstance(given, str) else float(given)


def value_of(text: str) -> Value:
    """A number, or a word in one spelling: `bf16` for `torch.bfloat16`."""
    try:
        return float(text)
    except ValueError:
        return _DTYPES.get(text.lower().removeprefix("torch."), text.lower())


def _knob(name: str) -> str:
    return load_names().setting(name) or name.lower()
