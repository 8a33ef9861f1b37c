"""A change that somebody states, held against two runs: did what it must move move, and could something else have?

A fix that acts changes what it acts on; what stayed where it was shows that the knob is not connected. Two changes
between two runs cannot be told apart by those runs. That a change acted does not make it the cure.
"""

from __future__ import annotations

from math import isfinite, sqrt
from typing import TYPE_CHECKING, Final

from postmortem import knobs
from postmortem.compare.comparison import StatedChange
from postmortem.fixes import value_of
from postmortem.report.numbers import figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.compare.comparison import ChangeWord, Parting, Reach, ScopeReach, SettingChange
    from postmortem.replay.protocol import Fix, Value

#: The knob whose two values and their effect fix what it is added to.
_ADDED: Final = "eps"


def judge(
    fix: Fix,
    stated: tuple[str | None, str | None],
    settings: Sequence[SettingChange],
    partings: Sequence[Parting],
    reaches: Sequence[Reach],
) -> StatedChange:
    """What became of `fix`. `stated` is what the two logs say of its knob, `settings` are those that differ."""
    said, contradicted = _stated(fix, stated)
    moves = knobs.load().moves.get(fix.knob, knobs.Moves())
    metrics = [each for each in partings if each.metric in {*moves.metrics, fix.knob}]
    tensors = [each for each in reaches if each.op in moves.tensors]
    quantities = {_metric(each): (each.parts, each.because) for each in metrics}
    quantities |= {f"largest |{each.tensor}|": (each.moved, each.because) for each in tensors}
    moved = [name for name, (what, _) in quantities.items() if what]
    stayed = [name for name, (what, _) in quantities.items() if what is False]
    beside = [each for each in settings if each.cause and each.key != fix.knob]
    others = [f"{each.key} {each.before} -> {each.after}" for each in beside if None not in {each.before, each.after}]
    alone = [each.key for each in beside if None in {each.before, each.after}]
    verdict: ChangeWord = "not_established"
    if contradicted:
        verdict = "contradicted"
    elif stayed and not moved:
        verdict = "not_connected"
    elif moved:
        verdict = "confounded" if others else "acted"
    because = [*said, *(f"{name}: {why}" for name, (_, why) in quantities.items())]
    if not quantities:
        what = ", ".join([*moves.metrics, *(f"tensors that are {op}d" for op in moves.tensors)])
        because.append(f"both logs would have to print what {fix.knob} moves: {what or 'nothing is known of it'}")
    if others and moved:
        because.append(f"{' and '.join(others)} as well: two changes between two runs cannot be told apart by them")
    if alone:
        because.append(f"only one log states {', '.join(alone)}: whether it changed too is not known")
    if fix.knob == _ADDED and not contradicted:
        because += [line for each in tensors for line in _law(fix, each)]
    return StatedChange(
        fix=fix, verdict=verdict, should_move=list(quantities), moved=moved, others=others, because=because
    )


def _stated(fix: Fix, stated: tuple[str | None, str | None]) -> tuple[list[str], bool]:
    """What the logs say of the knob, and whether that contradicts the change."""
    said, contradicted = [], False
    for place, text, claimed in (("first", stated[0], fix.old), ("second", stated[1], fix.new)):
        if text is None:
            said.append(f"the {place} log does not state {fix.knob}")
        elif claimed is not None and not _same(value_of(text), claimed):
            contradicted = True
            said.append(f"the {place} log states {fix.knob} = {text}, not {figure(claimed)}")
        else:
            said.append(f"the {place} log states {fix.knob} = {text}")
    return said, contradicted


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-9 * max(abs(one), abs(other))
    return one == other


def _metric(parting: Parting) -> str:
    return parting.metric if parting.split is None else f"{parting.metric} of {parting.split}"


def _law(fix: Fix, reach: Reach) -> list[str]:
    """What two values of eps and their effect say of what eps was added to.

    Of x / (s + eps) two points give s = (new - r old) / (r - 1), r being before over after; of x / sqrt(v + eps)
    they give v = (new - r^2 old) / (r^2 - 1). The z-score at eps = 0 then needs z^2 + 1 values (Samuelson).
    """
    old, new = fix.old, fix.new
    if not (isinstance(old, float) and isinstance(new, float) and 0 <= old < new):
        return []
    name = f"largest |{reach.tensor}|"
    factors = [scope.before / scope.after for scope in reach.scopes]
    most = new / old if old else float("inf")
    outside = [factor for factor in factors if not 1 < factor <= most]
    if outside:
        line = (
            f"{name}: a divisor of std + eps divides by 1 to {_short(most)} times as much after the change; "
            f"{_range(outside)} is outside, so eps is not all that changed"
        )
        return [line]
    needs = [_needed(scope, old, new) for scope in reach.scopes]
    sizes = [size for _, size in needs if isfinite(size)]
    line = f"{name}: if eps, added to the std, did this, the std is {_range([std for std, _ in needs])}"
    if sizes:
        line += (
            f", and the value without eps needs a vector of at least {figure(min(sizes))} numbers with |w| <= 1, b = 0 "
            "and no residual"
        )
    lines = [line]
    if max(factors) > sqrt(most):
        root = f"eps under the root moves it by {_short(sqrt(most))} times at most, so it does not stand there"
        lines.append(f"{name}: {root}")
    return lines


def _needed(scope: ScopeReach, old: float, new: float) -> tuple[float, float]:
    """The std that two points need, and the size of a vector that has the z-score which follows."""
    factor = scope.before / scope.after
    std = (new - factor * old) / (factor - 1)
    score = scope.before * (std + old) / std if std > 0 else float("inf")
    return std, score * score + 1


def _short(value: float) -> str:
    """A derived value with the digits that two readings of a log can carry."""
    return figure(float(f"{value:.3g}"))


def _range(values: Sequence[float]) -> str:
    low, high = _short(min(values)), _short(max(values))
    return low if low == high else f"{low} to {high}"
