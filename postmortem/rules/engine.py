"""Runs rules over a run's frames in a DuckDB that reaches nothing outside: no files, no network, no settings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import duckdb

from postmortem import signals
from postmortem.errors import PostmortemError
from postmortem.yamltext import line_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from postmortem.rules.rule import Rule
    from postmortem.run import Run

_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "memory_limit": "1GB",
    "threads": 2,
}
#: Rules ask for a configured value by its name: the last one stated counts.
_MACROS: Final = """
CREATE MACRO setting(name) AS (
  SELECT number FROM settings WHERE key = name AND number IS NOT NULL ORDER BY line DESC LIMIT 1);
CREATE MACRO setting_text(name) AS (
  SELECT value FROM settings WHERE key = name ORDER BY line DESC LIMIT 1);
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fired: its rows of evidence, the most telling first."""

    rule: Rule
    rows: list[dict[str, Any]]
    numbered: tuple[int, ...] | None = None  # the lines of evidence, where the rows name them within their files

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


class _Stream:
    """A frame as its Arrow stream: DuckDB scans it without a copy, and without pyarrow, which takes long to import."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


class Engine:
    """The frames and signals of one run as tables of a sealed database."""

    def __init__(self, run: Run) -> None:
        self._frames = run.frames()
        self._signals = signals.Signals(self._frames)
        self._database = duckdb.connect(":memory:", config=_CONFIG)
        for name, frame in self._frames.items():
            self._database.register(name, _Stream(frame))
        # millions of rows: looked through once, not once a rule
        self._metrics = set(self._frames["metrics"]["name"].unique())
        self._settings = set(self._frames["settings"]["key"].unique())
        self._database.execute(_MACROS)
        self._registered = set(self._frames)
        self._kinds = frozenset(self._frames["events"]["kind"].unique())
        self._database.execute("SET lock_configuration = true")

    @property
    def signals(self) -> Mapping[str, pl.DataFrame]:
        """The frames and signals of the run by name, each signal computed once."""
        return self._signals

    def run(self, rules: list[Rule]) -> Outcome:
        """Every rule, each by itself: one that breaks is named and the others go on."""
        outcome = Outcome()
        for rule in rules:
            try:
                if reason := self._missing(rule):
                    outcome.not_checked.append((rule.id, reason))
                    continue
                if not self._nothing_to_find(rule) and (rows := self._rows(rule)):
                    outcome.hits.append(Hit(rule, rows))
            except PostmortemError as error:
                outcome.errors.append(str(error))
                outcome.not_checked.append((rule.id, "the rule itself is broken"))
        return outcome

    def _missing(self, rule: Rule) -> str | None:
        """Why the rule cannot be evaluated on this log, or None."""
        for wanted, present, what in (
            (rule.requires.metrics, self._metrics, "metric"),
            (rule.requires.settings, self._settings, "setting"),
        ):
            for choice in wanted:
                if not present & set(choice.split("|")):
                    return f"no {what} {choice.replace('|', ' or ')} in this log"
        for name in rule.requires.frames:
            if self._frame(name, rule).is_empty():
                return f"no {name} in this log" if name in self._frames else f"too few values for {name}"
        for column in rule.requires.columns:
            frame = self._frame(rule.requires.frames[0], rule)
            if column not in frame.columns:
                raise PostmortemError(f"{_where(rule, 'requires')}: {rule.requires.frames[0]} has no column {column}")
            if frame[column].null_count() == frame.height:
                return f"no {column} of {rule.requires.frames[0]} in this log"
        return None

    def _nothing_to_find(self, rule: Rule) -> bool:
        """The log has nothing of what the rule looks for, so that its query would return no row."""
        wanted = rule.quiet_without
        if not wanted.frames and not wanted.events:
            return False
        return self._kinds.isdisjoint(wanted.events) and all(
            self._frame(name, rule).is_empty() for name in wanted.frames
        )

    def _frame(self, name: str, rule: Rule) -> pl.DataFrame:
        """A frame or signal, its signal made a table when it is first asked for."""
        if name in self._frames:
            return self._frames[name]
        frame = self._signals.get(name)
        if frame is None:
            known = ", ".join([*self._frames, *signals.names()])
            raise PostmortemError(f"{_where(rule, 'requires')}: no frame or signal {name!r}; there are {known}")
        if name not in self._registered:
            self._database.register(name, _Stream(frame))
            self._registered.add(name)
        return frame

    def _rows(self, rule: Rule) -> list[dict[str, Any]]:
        for name in signals.names():
            if re.search(rf"\b{name}\b", rule.detect):
                self._frame(name, rule)
        try:
            statements = self._database.extract_statements(rule.detect)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise PostmortemError(f"{_where(rule, 'detect')}: a rule is one SELECT statement and nothing else")
            params = {name: rule.params[name].default for name in statements[0].named_parameters}
            cursor = self._database.execute(statements[0], params)
            columns = [column[0] for column in cursor.description or []]
            rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        except KeyError as error:
            raise PostmortemError(f"{_where(rule, 'detect')}: ${error.args[0]} is no parameter of this rule") from None
        except duckdb.Error as error:
            reason = str(error).split("\n\n", maxsplit=1)[0].replace("\n", " ")
            raise PostmortemError(f"{_where(rule, 'detect')}: {reason}") from None
        if rows and "line" not in columns:
            raise PostmortemError(f"{_where(rule, 'detect')}: the query returns no column `line`")
        return rows


def _where(rule: Rule, place: str) -> str:
    return f"{rule.path}:{line_of(rule.path.read_text(encoding='utf-8'), (place,))}"
