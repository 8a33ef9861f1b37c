"""From counts to a verdict: the share in which a claim holds, and what that share allows to say."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from postmortem.replay.protocol import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from postmortem.replay.protocol import Replay
    from postmortem.rules.finding import VerdictWord

#: Fewer reproduced scenarios than this carry no verdict.
FEWEST_KEPT: Final = 64
#: A claim that holds in more than this share is confirmed; in less than one minus it, refuted.
CONFIRMED_ABOVE: Final = 0.9
REFUTED_BELOW: Final = 0.1
_FAMILIES_NAMED: Final = 2


def clopper_pearson(held: int, kept: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share, `held` of `kept`, at confidence `level` (Clopper and Pearson, 1934)."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = 0.0 if held == 0 else float(betaincinv(held, kept - held + 1, tail))
    high = 1.0 if held == kept else float(betaincinv(held + 1, kept - held, 1 - tail))
    return low, high


def word(share: float, kept: int) -> VerdictWord:
    """The verdict that a `share` of `kept` reproduced scenarios carries."""
    if kept < FEWEST_KEPT:
        return "inconclusive"
    if share > CONFIRMED_ABOVE:
        return "confirmed"
    if share < REFUTED_BELOW:
        return "refuted"
    return "inconclusive"


def pool(replays: Iterable[Replay]) -> list[Verdict]:
    """One verdict per rule, fix and claim: that of the mechanisms that reproduce the log, if they agree."""
    groups: dict[tuple[str, str, str], list[Replay]] = defaultdict(list)
    for replay in replays:
        groups[replay.rule, replay.fix.model_dump_json(), replay.claim].append(replay)
    verdicts = []
    for group in groups.values():
        words = {replay.verdict for replay in group if replay.verdict != "not_reproduced"}
        verdict: VerdictWord = words.pop() if len(words) == 1 else "inconclusive" if words else "not_reproduced"
        verdicts.append(
            Verdict(
                rule=group[0].rule,
                fix=group[0].fix,
                claim=group[0].claim,
                verdict=verdict,
                basis="replay",
                because=_because(group),
            )
        )
    return verdicts


def across(by_seed: Mapping[int, Sequence[Verdict]]) -> list[Verdict]:
    """The verdicts of several seeds as one each: one that hangs on the seed is inconclusive."""
    groups: dict[tuple[str, str, str], dict[int, Verdict]] = defaultdict(dict)
    for seed, verdicts in by_seed.items():
        for verdict in verdicts:
            groups[verdict.rule, verdict.fix.model_dump_json(), verdict.claim][seed] = verdict
    agreed = []
    for group in groups.values():
        first = next(iter(group.values()))
        said: dict[VerdictWord, list[int]] = defaultdict(list)
        for seed, verdict in group.items():
            said[verdict.verdict].append(seed)
        if len(said) > 1:
            words = "; ".join(
                f"{word.replace('_', ' ')} with {', '.join(map(str, seeds))}" for word, seeds in said.items()
            )
            first = first.model_copy(update={"verdict": "inconclusive", "because": f"hangs on the seed: {words}"})
        elif len(group) > 1:
            first = first.model_copy(update={"because": f"{first.because}; the same with each of {len(group)} seeds"})
        agreed.append(first)
    return agreed


def _because(group: list[Replay]) -> str:
    """In a line: in what share of the scenarios the claim holds, mechanism by mechanism, and which cannot be it."""
    families = Counter(replay.mechanism for replay in group)
    said: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for replay in group:
        if replay.verdict == "not_reproduced":
            what = "cannot show the log's numbers"
        elif not replay.scenarios.drawn:
            what = replay.because.rpartition(": ")[2]
        elif replay.share is None:
            what = "too few scenarios show the log's numbers"
        else:
            what = f"holds in {replay.share:.0%}"
        said[what][replay.mechanism].append(replay.family or "")
    return "; ".join(
        f"{', '.join(_named(name, which, families[name]) for name, which in mechanisms.items())}: {what}"
        for what, mechanisms in sorted(said.items(), reverse=True)
    )


def _named(mechanism: str, families: list[str], of: int) -> str:
    """A mechanism with its families: by name where they are few, else by their number."""
    name = mechanism.replace("_", " ")
    if families == [""]:
        return name
    if len(families) <= _FAMILIES_NAMED:
        return f"{name} ({', '.join(families)})"
    return f"{name} ({len(families)} of {of} families)"
