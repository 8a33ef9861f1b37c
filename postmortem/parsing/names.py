"""What logs call things, and the one name used here: `formats/names.yaml` as look-ups."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from postmortem import cache as cachefile
from postmortem import yamltext
from postmortem.parsing import pattern
from postmortem.parsing.pattern import skeleton

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Names that a log uses again and again; a log that makes up names cannot make this grow.
_REMEMBERED: Final = 65_536
_DIGIT: Final = re.compile(r"[0-9]")
FORMATS: Final = Path(__file__).parent.parent / "formats"
_FILE: Final = FORMATS / "names.yaml"
#: Sections of that file: spellings of a name, and mere words.
_LOOKED_UP: Final = ("metrics", "settings", "splits", "counters", "operations")
_WORDS: Final = ("plain", "taken", "together", "evaluated", "grouped", "gathered", "held")
_AS_THEY_ARE: Final = ("worded",)


class Metric(NamedTuple):
    """A metric's name here, the split that its own name carried, and whether the name is a known one."""

    name: str
    split: str | None
    known: bool


#: Letters of a split and of a metric that are told apart without anything between them.
_SHORTEST_SPLIT: Final = 3
_SHORTEST_METRIC: Final = 3
#: The split that is written as two words.
_TWO_WORDS: Final = "held_out_"
#: What a letter stands for beside a split: `L_tr`, `A_va`.
_LETTERS: Final = {"l": "loss", "a": "accuracy"}
#: Where a new word begins in a name of words run together.
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NUMBERED: Final = re.compile(r"_[0-9]$")
#: What a counter's name may end with: `Game number`, `batch_idx`, `batch_id`, `batch i`.
_ORDINAL: Final = re.compile(r"(?<=[a-z])_(?:number|idx|index|id|i)$")
#: A letter and a digit, which is no number of a rank or a fold: `L1`, `d2`, `s2s`.
_NORM: Final = re.compile(r"[a-z][0-9][a-z]?")
#: The numbers that stand for a dtype: `precision=16`.
_BITS: Final = frozenset({"8", "16", "32", "64"})


@dataclass(frozen=True, eq=False)
class Names:
    """Look-ups from normalised spellings to canonical names. What was looked up once is remembered."""

    metrics: Mapping[str, str]
    settings: Mapping[str, str]
    splits: Mapping[str, str]
    counters: Mapping[str, str]
    operations: Mapping[str, str]
    plain: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    together: frozenset[str] = frozenset()
    evaluated: frozenset[str] = frozenset()
    grouped: frozenset[str] = frozenset()
    gathered: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    worded: Mapping[str, str] = field(
        default_factory=dict
    )  # settings, and an expression for the words that they may be

    def qualifies(self, word: str) -> bool:
        """True where a word before a known name makes it another's: `value loss`, `L1 loss`. Not so `INFO loss`."""
        key = normalise(word)
        parts = key.split("_")
        named = all(part.isalpha() for part in parts) or _NORM.fullmatch(key) is not None
        return named and not any(part in self.plain or part in self.counters or part in self.splits for part in parts)

    @lru_cache(maxsize=_REMEMBERED)  # noqa: B019 - as for `metric`
    def counter(self, name: str) -> str | None:
        """What a name counts: `Training Epoch`, `INFO step`; not so `total steps`, which is an amount."""
        key = normalise(name)
        if key not in self.counters:
            key = _ORDINAL.sub("", key)
        while key not in self.counters:
            head, _, key = key.partition("_")
            if head in self.splits and self.counters.get(key) == "epoch":
                break
            # how long it took: `time this epoch`
            if head == "time" and self.counters.get(key.rpartition("_")[2]) == "epoch":
                return None
            if not key or head == "total" or not (head in self.plain or self.splits.get(head) == "train"):
                return None
        return self.counters[key]

    def is_split(self, word: str) -> bool:
        """True for `val`, and for one of several, as boosters count them: `valid_1`."""
        return _NUMBERED.sub("", normalise(word)) in self.splits

    @lru_cache(maxsize=_REMEMBERED)  # noqa: B019 - there is one Names, and it lives as long as the program
    def metric(self, name: str) -> Metric:
        """`val/Loss` is the metric loss of split eval; a name nobody knows stays itself, normalised."""
        key = normalise(name).removesuffix("_is")  # `Loss is: 0.5`
        if key in self.metrics:
            return Metric(self.metrics[key], None, known=True)
        if key in self.evaluated:
            return Metric(key, "eval", known=True)
        if of_foreign := self._split_before_foreign(name):
            return of_foreign
        if in_group := self._in_group(name):
            return in_group
        return self._of_split(key) or self._run_together(name, key) or Metric(key, None, known=False)

    def _in_group(self, name: str) -> Metric | None:
        """What stands behind the group that a tracker puts it in: `losses/entropy`, `rollout/ep_rew_mean`."""
        group, _, rest = name.partition("/")
        key = normalise(group)
        # `time/epoch` is how long one takes
        if not rest or group.endswith(" ") or key not in self.grouped | self.gathered or self.counter(rest):
            return None
        inner = self.metric(rest)
        return inner if inner.known or key in self.grouped else None

    def _split_before_foreign(self, name: str) -> Metric | None:
        """`train` before a name that has no ASCII in it, which is all that tells it from others."""
        word, blank, rest = name.strip().partition(" ")
        if not blank or not word.isascii() or set(skeleton(rest)) - set("? ") or normalise(word) not in self.splits:
            return None
        inner = self.metric(rest)
        return Metric(inner.name, self.splits[normalise(word)], inner.known)

    def _of_split(self, key: str) -> Metric | None:
        """A metric with a split before or behind it: `val_loss`, `validation_main_loss`, `loss_val`."""
        head, _, tail = key.partition("_")
        if key.startswith(_TWO_WORDS):  # `held-out loss`
            head, tail = key[: len(_TWO_WORDS) - 1], key[len(_TWO_WORDS) :]
        if head in self.splits and tail and tail not in self.splits:  # `Train / Val` is neither's
            inner = self.metric(_LETTERS.get(tail, tail))
            if not inner.known and (of_set := self.metric(tail.removeprefix("set_"))).known:  # `test set accuracy`
                inner = of_set
            return Metric(inner.name if inner.known else tail, self.splits[head], inner.known)
        # `avg_val_loss` is the only one of its split as often as `val_loss` is
        if head in self.taken and (inner := self.metric(tail)).split == "eval" and inner.known:
            return inner
        head, _, tail = key.rpartition("_")
        if tail not in self.splits or tail in self.plain:
            return self._around_split(key.split("_"))
        if not head:  # `train 4.2 | val 4.3` measures what nobody says
            return Metric(key, self.splits[tail], known=False)
        inner = self.metric(_LETTERS.get(head, head))
        return Metric(inner.name, self.splits[tail], known=True) if inner.known and not inner.split else None

    def _around_split(self, words: list[str]) -> Metric | None:
        """A known metric whose words stand around a split: `kd_val_loss`, `d_train_loss`, `current_test_error`."""
        for at in range(1, len(words) - 1):
            if words[at] in self.splits and words[at] not in self.plain:
                before, rest = [word for word in words[:at] if word not in self.plain], words[at + 1 :]
                if not before:
                    return self.metric("_".join(words[at:]))
                named = [_LETTERS.get(rest[0], rest[0])] if len(rest) == 1 else rest
                inner = self.metric("_".join([*before, *named]))
                if inner.known and inner.split is None:
                    return inner._replace(split=self.splits[words[at]])
        return None

    def _run_together(self, name: str, key: str) -> Metric | None:
        """A known metric in a name without blanks: `TrainLoss`, `valloss`, `Validierungsverlust`, and Chinese."""
        if (humps := _HUMP.sub("_", name)) != name and (inner := self.metric(humps)).known:
            return inner
        for at in range(_SHORTEST_SPLIT, len(key) - _SHORTEST_METRIC + 1):
            if (split := self.splits.get(key[:at])) and key[at:] in self.metrics:
                return Metric(self.metrics[key[at:]], split, known=True)
        if key.isascii():
            return None
        if own := self._behind_plain(key):
            return Metric(own, None, known=True)
        words = [word for word in self.splits if not word.isascii() and word in key]
        whole = max(words, key=len, default="")  # `the test set` has `test` in it
        if not words or not all(word in whole for word in words):
            return None
        rest = key.partition(whole)[2]
        ends = [self.metrics[rest[at:]] for at in range(len(rest)) if rest[at:] in self.metrics]
        return Metric(ends[0], self.splits[whole], known=True) if ends else None

    def _behind_plain(self, key: str) -> str | None:
        """The metric that stands behind nothing but words that make it no other's: Chinese for `current mean loss`."""
        at = next((at for at in range(1, len(key)) if key[at:] in self.metrics), None)
        rest = key[:at].strip("_") if at else ""
        while rest and (word := next((word for word in self._foreign_plain if rest.startswith(word)), None)):
            rest = rest.removeprefix(word).strip("_")
        return None if at is None or rest else self.metrics[key[at:]]

    @cached_property
    def _foreign_plain(self) -> list[str]:
        return sorted((word for word in self.plain if not word.isascii()), key=len, reverse=True)

    @cached_property
    def _numbered(self) -> frozenset[str]:
        """The known spellings that hold a digit, each digit as 0."""
        return frozenset(
            _DIGIT.sub("0", spelling)
            for known in (self.metrics, self.settings, self.counters)
            for spelling in known
            if _DIGIT.search(spelling)
        )

    def digits_matter(self, name: str) -> bool:
        """True where `name` with other digits may be a name that somebody knows: top3, for top1."""
        if not _DIGIT.search(name):
            return False
        key = _DIGIT.sub("0", normalise(name))
        head, _, tail = key.partition("_")
        return key in self._numbered or (head in self.splits and tail in self._numbered)

    @lru_cache(maxsize=_REMEMBERED)  # noqa: B019
    def setting(self, name: str) -> str | None:
        """The canonical name of a setting, or None where nobody knows it."""
        *held, last = name.split(".")
        own = last if held and all(normalise(part) in self.held for part in held) else name
        return self.settings.get(normalise(own)) or self.settings.get(normalise(_HUMP.sub("_", own)))

    def states(self, name: str, value: str) -> bool:
        """Whether a number is what a setting of that name may be: no `optimizer: 812.5`, which is a time."""
        setting = self.setting(name)
        return setting is not None and (setting not in self.worded or value in _BITS)


@lru_cache(maxsize=_REMEMBERED)
def normalise(name: str) -> str:
    """Lower case; blanks, dashes, dots and slashes as one '_'; any non-ASCII run as '?', unless it is all there is."""
    text = skeleton(name)
    return re.sub(r"[\s./_-]+", "_", (name if set(text) <= set("? ") else text).strip().lower()).strip("_")


@cache
def load() -> Names:
    """The names in `formats/names.yaml`."""
    place = cachefile.place("names", (("names", __file__), ("pattern", pattern.__file__), (_FILE.name, _FILE)))
    with suppress(KeyError, TypeError):  # of what was not kept, or is damaged
        return _names(cachefile.kept(place))
    data = _read()
    cachefile.keep(place, data)
    return _names(data)


def _names(data: Mapping[str, Any]) -> Names:
    sections: dict[str, Any] = {section: data[section] for section in (*_LOOKED_UP, *_AS_THEY_ARE)}
    return Names(**sections | {section: frozenset(data[section]) for section in _WORDS})


def _read() -> dict[str, Any]:
    data = yamltext.load(_FILE.read_text(encoding="utf-8"))
    flat = {
        section: {normalise(str(alias)): name for name, aliases in data[section].items() for alias in aliases}
        for section in _LOOKED_UP
    }
    flat |= {section: data[section] for section in _AS_THEY_ARE}
    return flat | {section: [normalise(str(word)) for word in data[section]] for section in _WORDS}
