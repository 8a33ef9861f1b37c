"""Runs rules over a run's frames: what one may not do is refused, what takes too long stopped, and both are named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, get_args

from postmortem import objectives, stand_in
from postmortem.errors import PostmortemError, StoppedError
from postmortem.rules.finding import Confidence, Role, Severity
from postmortem.rules.possible import Asked, possible
from postmortem.rules.rule import SHIPPED
from postmortem.rules.sandbox import Limits, Sandbox
from postmortem.rules.tables import AT_ONCE, Tables
from postmortem.yamltext import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import polars as pl

    from postmortem.rules.database import Answer
    from postmortem.rules.query import Query
    from postmortem.rules.rule import Rule
    from postmortem.run import Run

#: Columns by which a row says otherwise than its rule, and what they may say.
_WORDS: Final = {"role": get_args(Role), "severity": get_args(Severity), "confidence": get_args(Confidence)}
#: Why a rule is not checked whose signal has nothing: what it is computed from is there, and shows nothing of the kind.
TOO_FEW: Final = "too few values for "
#: Beyond this no line number is one.
_LAST_LINE: Final = 2**62


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fired: its rows of evidence, the most telling first."""

    rule: Rule
    rows: list[dict[str, Any]]
    numbered: tuple[int, ...] | None = None  # the lines of evidence, where the rows name them within their files
    left_out: int = 0  # further rows, which were not kept
    cut: int = 0  # values that were longer than what is kept

    @property
    def lines(self) -> list[int]:
        """All lines of evidence, in the order in which the rule gives its rows, each once."""
        if self.numbered is not None:
            return list(self.numbered)
        lines = (line for row in self.rows for line in (row.get("lines") or [row["line"]]) if line is not None)
        return list(dict.fromkeys(lines))


@dataclass(slots=True)
class Outcome:
    """What a set of rules says of a run."""

    hits: list[Hit] = field(default_factory=list)
    not_checked: list[tuple[str, str]] = field(default_factory=list)  # rule id, reason
    errors: list[str] = field(default_factory=list)  # file, line, reason

    def add(self, other: Outcome) -> None:
        """What another set says of the same run, behind what this one says."""
        self.hits += other.hits
        self.not_checked += other.not_checked
        self.errors += other.errors


class Engine:
    """The frames and signals of one run, and what rules say of them.

    Rules that ship with this package run in this process, all others in one of their own (`sandbox.py`).
    """

    def __init__(self, run: Run, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        frames = run.frames()
        metrics, self._loss = stand_in.named(frames["metrics"])
        self._frames = frames | {"metrics": metrics}
        self._tables = Tables(self._frames, self._limits.seconds)

    @property
    def signals(self) -> Mapping[str, pl.DataFrame]:
        """The frames and signals of the run by name, each signal computed once."""
        return self._tables.frames

    def run(self, rules: list[Rule]) -> Outcome:
        """Every rule, each by itself: one that breaks is named and the others go on."""
        outcome = Outcome()
        with self._tables.watch, Sandbox(self._tables.frame, self._limits) as sandbox:
            self._tables.ready([rule.detect for rule in rules])
            asked = [(rule, one) for rule in rules if (one := self._asked(rule, outcome)) is not None]
            may = possible([one for _, one in asked], self._tables)
            chosen = [one for one, met in zip(asked, may, strict=True) if met]
            self._answers(chosen, sandbox, outcome)
        return outcome

    def _answers(self, chosen: list[tuple[Rule, Asked]], sandbox: Sandbox, outcome: Outcome) -> None:
        """What each rule says, in their order. Half of the time is planning, which DuckDB does on the asking thread."""
        threads = ThreadPoolExecutor(AT_ONCE)
        try:
            ours = [threads.submit(self._judged, *each, self._tables) if each[1].trusted else None for each in chosen]
            for (rule, one), answer in zip(chosen, ours, strict=True):
                outcome.add(self._judged(rule, one, sandbox) if answer is None else answer.result())
        except BaseException:  # as of Ctrl-C
            self._tables.watch.stop()
            raise
        finally:
            threads.shutdown(cancel_futures=True)

    def _judged(self, rule: Rule, asked: Asked, place: Tables | Sandbox) -> Outcome:
        outcome = Outcome()
        with _blamed(rule, outcome):
            answer = self._answer(rule, asked, place)
            if rows := stand_in.said(answer.rows, self._loss):
                outcome.hits.append(Hit(rule, rows, None, answer.left_out, answer.cut))
        return outcome

    def _asked(self, rule: Rule, outcome: Outcome) -> Asked | None:
        """The rule's query, or None where this log has nothing for it."""
        with _blamed(rule, outcome):
            if reason := self._missing(rule):
                outcome.not_checked.append((rule.id, reason))
            elif not self._without(rule):
                query = self._query(rule)
                params = {name: rule.params[name].default for name in query.params}
                return Asked(query.needs, params, trusted=_ships(rule.path))
        return None

    def _missing(self, rule: Rule) -> str | None:
        """Why the rule cannot be evaluated on this log, or None."""
        for wanted, table, column in (
            (rule.requires.metrics, "metrics", "name"),
            (rule.requires.settings, "settings", "key"),
        ):
            there = self._tables.names(table, column) if wanted else set()
            for choice in wanted:
                asked = choice.split("|")
                if there.isdisjoint(asked) and not (objectives.ANY in asked and objectives.of(there)):
                    what = "" if choice == objectives.ANY else f"{table.removesuffix('s')} "
                    return f"no {what}{' or '.join(asked)} in this log"
        for name in rule.requires.frames:
            self._known(name, rule, "requires")
            if self._tables.frame(name).is_empty():
                return f"no {name} in this log" if name in self._frames else f"{TOO_FEW}{name}"
        for column in rule.requires.columns:
            name = rule.requires.frames[0]
            frame = self._tables.frame(name)
            if column not in frame.columns:
                raise PostmortemError(f"{_where(rule, 'requires')}: {name} has no column {column}")
            if frame[column].null_count() == frame.height:
                return f"no {column} of {name} in this log"
        return None

    def _without(self, rule: Rule) -> bool:
        """Whether the log has nothing of what the rule looks for, so that its query would return no row."""
        wanted = rule.quiet_without
        return bool(
            (wanted.frames or wanted.events)
            and self._tables.names("events", "kind").isdisjoint(wanted.events)
            and all(self._tables.frame(self._known(name, rule, "quiet_without")).is_empty() for name in wanted.frames)
        )

    def _answer(self, rule: Rule, asked: Asked, place: Tables | Sandbox) -> Answer:
        try:
            answer = place.answer(rule.detect, rule.query, asked.params)
        except StoppedError:
            raise
        except PostmortemError as error:
            raise PostmortemError(f"{_where(rule, 'detect')}: {error}") from None
        if answer.rows and (reason := _unfit(answer)):
            raise PostmortemError(f"{_where(rule, 'detect')}: {reason}")
        return answer

    def _query(self, rule: Rule) -> Query:
        try:
            query = rule.query
        except PostmortemError as error:
            raise PostmortemError(f"{_where(rule, 'detect')}: {error}") from None
        for name in sorted(set(query.tables) - set(query.own)):
            self._known(name, rule, "detect")
        if unknown := set(query.params) - set(rule.params):
            raise PostmortemError(f"{_where(rule, 'detect')}: ${min(unknown)} is no parameter of this rule")
        return query

    def _known(self, name: str, rule: Rule, place: str) -> str:
        if name not in self._tables:
            known = ", ".join(self._tables)
            raise PostmortemError(f"{_where(rule, place)}: no frame or signal {name!r}; there are {known}")
        return name


def _ships(path: Path) -> bool:
    """Whether a rule's file is one of this package's, whatever links lead to it."""
    return _shipped(path.resolve().parent if path.is_symlink() else path.parent)


@lru_cache(maxsize=4096)
def _shipped(folder: Path) -> bool:
    return folder.resolve().is_relative_to(SHIPPED.resolve())


@contextmanager
def _blamed(rule: Rule, outcome: Outcome) -> Iterator[None]:
    """What goes wrong within is told of this rule."""
    try:
        yield
    except PostmortemError as error:
        stopped = isinstance(error, StoppedError)
        outcome.errors.append(f"{_where(rule, 'detect')}: {error}" if stopped else str(error))
        outcome.not_checked.append((rule.id, str(error) if stopped else "the rule itself is broken"))


def _unfit(answer: Answer) -> str | None:
    """Why rows cannot be evidence, or None."""
    if "line" not in answer.columns:
        return "the query returns no column `line`"
    for row in answer.rows:
        lines = row.get("lines")
        for line in [row["line"], *(lines if isinstance(lines, list) else [lines])]:
            if line is not None and not (type(line) is int and 0 < line < _LAST_LINE):
                return f"{line!r} is no line of a log"
        for column, words in _WORDS.items():
            if row.get(column) is not None and row[column] not in words:
                return f"{row[column]!r} is no {column}; there are {', '.join(words)}"
    return None


def _where(rule: Rule, place: str) -> str:
    return f"{rule.path}:{line_of(rule.path.read_text(encoding='utf-8'), (place,))}"
