"""The split that a record measures, where its names do not say so: `Test Loss: 0.15 Acc: 0.95`, `DEV : loss 0.5`."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Pair

#: Characters in which a record says of what split it is.
_HEAD: Final = 120
#: Something in brackets; a word, with the dots and colons of a module's name and line.
_TOKEN: Final = re.compile(r"\[(?P<inside>[^\[\]]*)\]|(?P<word>[A-Za-z_](?:[\w.]|:[0-9])*)")
#: A measure of the n-th set of a split.
_NUMBERED: Final = re.compile(r"(?P<set>(?P<split>[A-Za-z]+)_[0-9])[\s/_-](?P<name>.+)")
#: What belongs to the run, whatever a line measures.
_OF_THE_RUN: Final = frozenset({"lr", "grad_norm", "loss_scale", "param_norm", "throughput", "step_time"})
_RESOURCE: Final = re.compile(r"(?i)time|duration|elapsed|eta\b|speed|mem|sec|best|momentum|lr\b")


def with_splits(text: str, pairs: Sequence[Pair], names: Names) -> list[Pair]:
    """The pairs of a record, with the split before the name of each that has none and is of one."""
    pairs = _one_set(pairs, names)
    own = [names.metric(pair.key).split for pair in pairs]
    split = None if any(own) else _named_first(text[: pairs[0].at[0]][:_HEAD], names) if pairs else None
    bare = Counter(pair.key for pair, its in zip(pairs, own, strict=True) if its is None)
    apart = False  # the split is a word of its own, which more than one name may follow
    found = []
    for pair, its in zip(pairs, own, strict=True):
        if its is not None:
            word, blank, _ = pair.key.partition(" ")
            split, apart = (word, True) if blank else (its, False)
            found.append(pair)
        elif split and (apart or not any(own) or bare[pair.key] > 1) and _of_a_split(pair.key, names):
            found.append(pair._replace(key=f"{split} {pair.key}"))
        else:
            found.append(pair)
    return found


def _one_set(pairs: Sequence[Pair], names: Names) -> Sequence[Pair]:
    """Boosters number the sets that they validate on, `valid_1 auc`: of one alone the number says nothing."""
    found = [_NUMBERED.fullmatch(pair.key) for pair in pairs]
    sets = {each["set"] for each in found if each and names.is_split(each["split"])}
    if len(sets) != 1:
        return pairs
    return [
        pair._replace(key=f"{each['split']} {each['name']}") if each and each["set"] in sets else pair
        for pair, each in zip(pairs, found, strict=True)
    ]


def _of_a_split(key: str, names: Names) -> bool:
    return names.metric(key).name not in _OF_THE_RUN and _RESOURCE.search(key) is None


def _named_first(head: str, names: Names) -> str | None:
    """The split that a record begins with, or that stands alone in brackets: `Validation: `, `[valid] `."""
    found = None
    for token in _TOKEN.finditer(head):
        word = (token["word"] or token["inside"]).strip().lower()
        if word in names.splits and word not in names.plain:
            found = word
            if not word.endswith("ing"):
                return found
            continue  # `Evaluating train: ` is of the training
        if token["word"] and not (word in names.plain or "." in word or ":" in word):
            break
    return found
