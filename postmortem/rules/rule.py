"""A rule file: what it looks for, what that means, and its proof. Loading says file, line and reason when it breaks."""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from postmortem import yamltext
from postmortem.errors import PostmortemError
from postmortem.rules.finding import Confidence, Role, Severity, VerdictWord
from postmortem.rules.query import Query, read
from postmortem.yamltext import NotYamlError, line_of

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The rules of this project: inside the package when installed, beside it in a checkout.
_PACKAGE: Final = Path(__file__).parent
SHIPPED: Final = next(
    (path for path in (_PACKAGE / "shipped", _PACKAGE.parent.parent / "rules") if path.is_dir()),
    _PACKAGE / "shipped",
)


#: Bytes of a rule file; the largest that ships has 6 kB.
_LARGEST: Final = 200_000


class _Part(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid", populate_by_name=True)


class Requires(_Part):
    """What must be in the log for the rule to be evaluated at all. `a|b` asks for one of the two."""

    frames: list[str] = []  # frames and signals that must hold a row
    columns: list[str] = []  # columns of the first frame that must hold a value
    metrics: list[str] = []
    settings: list[str] = []


class QuietWithout(_Part):
    """What a rule looks for. A log that has none of it was checked, and the query need not run."""

    frames: list[str] = []  # frames and signals: one of them must hold a row
    events: list[str] = []  # kinds of events


class Param(_Part):
    """A threshold: its value, unit, and the reason for that value."""

    default: float = Field(allow_inf_nan=False)
    unit: str
    why: str
    least: float | None = None  # what may be set instead; by itself, whatever a number of this unit can be
    most: float | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most that it can be set to: a share is one of a whole, and what begins above 0 stays so."""
        low = self.least if self.least is not None else 0.0 if self.default >= 0 else -math.inf
        high = self.most if self.most is not None else 1.0 if self.unit == "share" and self.default <= 1 else math.inf
        return low, high


class RuleFix(_Part):
    """A fix that follows from this cause. `$name` is a value of the finding; `times` multiplies the old value."""

    knob: str
    old: str | float | None = Field(default=None, alias="from")
    new: str | float | None = Field(default=None, alias="to")
    times: float | None = None

    @model_validator(mode="after")
    def _one_target(self) -> RuleFix:
        if (self.new is None) == (self.times is None):
            raise ValueError(f"fix of {self.knob}: give either `to` or `times`")
        return self


class Judge(_Part):
    """What this rule's law says of any fix of a knob, whoever proposes it."""

    knob: str
    claim: str
    verdict: VerdictWord
    because: str  # formatted with the finding's values


class Promise(_Part):
    """What a metric of the next log shows where this cause is gone. `$name`: a value of the finding, or a parameter."""

    metric: str  # by its canonical name, or the log's
    split: str | None = None  # train, eval, test; null: the training's, or all where the log names none
    must: Literal["every", "first", "last", "any"] = "last"
    low: str | float | None = None
    high: str | float | None = None
    says: str  # formatted with the same

    @model_validator(mode="after")
    def _one_end(self) -> Promise:
        if self.low is None and self.high is None:
            raise ValueError(f"prediction of {self.metric}: give `low`, `high` or both")
        return self


class Case(_Part):
    """A log that fires the rule, with the lines of evidence, or one that has nothing of it."""

    log: str
    lines: list[int] = []


class NearMiss(_Part):
    """A log that almost fires the rule: it differs from one that does in a single thing, which decides."""

    log: str
    but: str  # that thing


class Cases(_Part):
    """The rule's proof."""

    fires: list[Case] = Field(min_length=1)
    near: list[NearMiss] = []
    quiet: list[Case] = Field(min_length=1)


class Rule(_Part):
    """A rule. Its id is its path below the rules' folder: `amp/scaler-startup`."""

    id: str
    path: Path
    title: str
    role: Role
    severity: Severity
    confidence: Confidence
    requires: Requires = Field(default_factory=Requires)  # a default would be copied in depth for each rule
    quiet_without: QuietWithout = Field(default_factory=QuietWithout)
    params: dict[str, Param] = {}
    detect: str
    message: str
    #: One that contributes, and that no experiment tests, is the root cause where no other is found. `only`: what a run
    #: came to, which is no more than context where a cause is found. False: never.
    alone: bool | Literal["only"] = True
    explains: list[str] = []  # findings that this one accounts for
    weaker_than: list[str] = []  # findings that say more of the same: they, and what explains them, explain it
    refutes: list[str] = []  # findings that cannot be the cause where this one stands
    judges: list[Judge] = []
    experiment: str | None = None
    fixes: list[RuleFix] = []
    next: list[str] = []  # what to measure next, formatted with the finding's values
    predicts: list[Promise] = []  # what a cured run shows, beside that the rule finds nothing
    why: str
    not_proof: str
    false_positives: str
    references: list[str]
    tests: Cases
    _query: Query | None = PrivateAttr(default=None)

    @field_validator("experiment")
    @classmethod
    def _exists(cls, name: str | None) -> str | None:
        if name is not None and name not in (known := _experiments()):
            raise ValueError(f"no experiment {name!r}; there are {', '.join(known)}")
        return name

    @property
    def query(self) -> Query:
        """What its SQL says. PostmortemError for what no rule may ask for."""
        if self._query is None:
            self._query = read(self.detect)
        return self._query

    def values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What its texts may name: its parameters, and a row's values."""
        return {name: param.default for name, param in self.params.items()} | dict(row)

    def filled(self, text: str, row: Mapping[str, Any]) -> str:
        """One of its texts, with these values."""
        return fill(text, self.values(row))

    def untold(self, row: Mapping[str, Any]) -> str | None:
        """A name in what it says, and in what is to be done next, that stands for nothing."""
        said, known = "\n".join((self.message, *self.next)), self.values(row)
        return next((found[1] for found in _FIELD.finditer(said) if found[1] not in known), None)

    def accounts_for(self, other: Rule) -> bool:
        """Whether this finding explains another one, or a stronger form of that."""
        stronger = set(other.weaker_than)
        return other.id in self.explains or (other.id != self.id and not stronger.isdisjoint((self.id, *self.explains)))

    def know(self, said: Query) -> None:
        """Take what its SQL says from where it was kept."""
        self._query = said


@cache
def _experiments() -> tuple[str, ...]:
    from postmortem.replay import experiments

    return tuple(experiments.names())


def load(path: Path, root: Path) -> Rule:
    """The rule in a file below `root`, read once until the file changes. PostmortemError: file, line and reason."""
    try:
        known = path.stat()
    except OSError as error:
        raise PostmortemError(f"{path}: cannot be read: {error}") from None
    if known.st_size > _LARGEST:
        raise PostmortemError(f"{path}:1: larger than {_LARGEST // 1000:,} kB, which is no rule")
    return _load(path, root, known.st_size, known.st_mtime_ns)


@lru_cache(maxsize=4096)
def _load(path: Path, root: Path, size: int, changed: int) -> Rule:
    del size, changed  # they tell this state of the file from others
    try:
        text = path.read_text(encoding="utf-8")
        data = yamltext.load(text)
    except NotYamlError as error:
        raise PostmortemError(f"{path}:{error.line}: not YAML: {error}") from None
    except RecursionError:
        raise PostmortemError(f"{path}:1: not YAML that a rule needs: it is nested too deeply") from None
    except (OSError, ValueError) as error:
        raise PostmortemError(f"{path}:1: cannot be read: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict):
        raise PostmortemError(f"{path}:1: a rule is a mapping of fields, this is {type(data).__name__}")
    rule_id = path.relative_to(root).with_suffix("").as_posix()
    try:
        return Rule.model_validate({**data, "id": rule_id, "path": path})
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"])) or "rule"
        raise PostmortemError(f"{path}:{line_of(text, detail['loc'])}: {place}: {detail['msg']}") from None


def load_folder(root: Path) -> tuple[list[Rule], list[str]]:
    """All rules below a folder, and one line for each file that is none. PostmortemError if there is no folder."""
    if not root.is_dir():
        raise PostmortemError(f"{root}: no folder of rules; check the path")
    rules, errors = [], []
    for path in sorted(root.rglob("*.yaml")):
        try:
            rules.append(load(path, root))
        except PostmortemError as error:
            errors.append(str(error))
    return rules, errors


_FIELD: Final = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
#: A width or a precision of so many digits makes a text as long as it says.
_WIDE: Final = re.compile(r"[0-9]{3}")
#: What reads badly once the values are in: a step that the log does not count, and one of what is named in the plural.
_SMOOTHED: Final = (
    (re.compile(r"\bbefore step unknown\b"), "before it"),
    (re.compile(r"\bAt step unknown, "), ""),
    (re.compile(r",? \(?(?:first )?(?:(?:at|after|from|up to) )?step unknown(?: on\b)?\)?"), ""),
    (re.compile(r" \(unknown to unknown\)"), ""),
    (
        re.compile(r"(?<![\d.,])1 (attempt|evaluation|halving|iteration|line|step|term|time|update|value|warning)s\b"),
        r"1 \1",
    ),
)


def fill(template: str, values: dict[str, Any]) -> str:
    """A rule's text with its values. Only plain names are looked up; a missing value reads `unknown`.

    A step that is missing is not spoken of.
    """

    def one(found: re.Match[str]) -> str:
        value = values.get(found[1])
        if value is None:
            return "unknown"
        if _WIDE.search(found[2] or ""):
            return str(value)
        try:
            return format(value, found[2] or "")
        except (ValueError, TypeError):
            return str(value)

    text = _FIELD.sub(one, template)
    for pattern, better in _SMOOTHED:
        text = pattern.sub(better, text)
    return text
