"""A rule as a page to read: what its finding means, what it does not prove, what to do next, with example lines.

One template makes the page of `docs/rules/` and that of the terminal.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from postmortem.report import escape, jinja
from postmortem.report.jinja import Safe
from postmortem.report.numbers import figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from postmortem.rules.catalogue import Entry
    from postmortem.rules.rule import Case, NearMiss, Rule

#: A longer example shows its first lines, and those around its evidence.
_ROOM: Final = 14
_HEAD: Final = 3
_AROUND: Final = 1


def page(
    entry: Entry,
    known: Iterable[Rule],
    *,
    values: Mapping[str, object] | None = None,
    whole: bool = False,
    link: Callable[[str], str] | None = None,
    source: str = "",
) -> str:
    """The page as markdown.

    `known` are all rules, some of which explain or refute this one; `values` are those of a finding of the first
    example, and fill the rule's texts; `whole` adds the query and the quiet logs. `link` gives the address of another
    rule's page by its id, `source` says as markdown where the rule is written: by default, its file and origin.
    """
    rule = entry.rule
    environment = jinja.environment()
    environment.filters |= {
        "excerpt": partial(_excerpt, whole=whole),
        "exact": lambda number: format(number, ".10g"),
        "figure": figure,
        "filled": lambda text: rule.filled(text, values) if values is not None else text,
        "link": partial(_link, address=link),
        "query": lambda text: Safe(escape.fence(text.splitlines(), language="sql")),
        "sentence": lambda text: text if text.endswith((".", "?", "!")) else f"{text}.",
        "stated": _stated,
    }
    text = environment.get_template("rule.md.j2").render(
        rule=rule,
        example=values is not None,
        whole=whole,
        varies=[name for name in ("role", "severity", "confidence") if re.search(rf"(?i)\bAS {name}\b", rule.detect)],
        needs=_needs(rule),
        relations=_relations(rule, known),
        source=Safe(source or ", ".join(map(escape.code, dict.fromkeys([str(rule.path), entry.origin])))),
    )
    return text.rstrip() + "\n"


def index(rules: Sequence[Rule], link: Callable[[str], str]) -> str:
    """The list of all rules by family as markdown, with links to their pages."""
    families: dict[str, list[Rule]] = {}
    for rule in sorted(rules, key=lambda rule: rule.id):
        families.setdefault(rule.id.partition("/")[0], []).append(rule)
    environment = jinja.environment()
    environment.filters["link"] = partial(_link, address=link)
    text = environment.get_template("rules.md.j2").render(count=len(rules), families=list(families.items()))
    return text.rstrip() + "\n"


def _relations(rule: Rule, known: Iterable[Rule]) -> list[tuple[str, list[str]]]:
    """What this rule's finding says of others, and others' of it."""
    known = list(known)
    found = [
        ("explains", {*rule.explains, *(other.id for other in known if rule.accounts_for(other))}),
        ("refutes as a cause", rule.refutes),
        ("is explained by", [other.id for other in known if other.accounts_for(rule)]),
        ("is refuted as a cause by", [other.id for other in known if rule.id in other.refutes]),
    ]
    return [(words, sorted(others)) for words, others in found if others]


def _needs(rule: Rule) -> list[tuple[str, list[str]]]:
    """What a log must hold for the rule to be evaluated, and what it is quiet without."""
    wanted, quiet = rule.requires, rule.quiet_without
    found = [
        ("Needs frames", wanted.frames),
        ("Needs columns", wanted.columns),
        ("Needs metrics", wanted.metrics),
        ("Needs settings", wanted.settings),
        ("Is quiet without any of the frames", quiet.frames),
        ("Is quiet without any of the events", quiet.events),
    ]
    return [(words, [name.replace("|", " or ") for name in names]) for words, names in found if names]


def _excerpt(case: Case | NearMiss, *, whole: bool) -> Safe:
    """The lines of an example with their numbers, those of the evidence marked."""
    lines, evidence = case.log.splitlines(), set(getattr(case, "lines", ()))
    shown = set(range(1, len(lines) + 1))
    if len(lines) > _ROOM and not whole:
        near = {line + step for line in evidence or {len(lines)} for step in range(-_AROUND, _AROUND + 1)}
        shown &= near | set(range(1, _HEAD + 1))
    width = len(str(len(lines)))
    text: list[str] = []
    for number, line in enumerate(lines, start=1):
        if number in shown:
            text.append(f"{'>' if number in evidence else ' '} {number:>{width}}  {line}")
        elif number - 1 in shown:
            text.append(f"  {'':>{width}}  ...")
    return Safe(escape.fence(text))


def _link(rule: str, address: Callable[[str], str] | None) -> Safe:
    return Safe(escape.code(rule) if address is None else f"[{escape.code(rule)}]({address(rule)})")


def _stated(value: str | float | None) -> str:
    """A knob's value; `$eps` stands for what the log says of it."""
    if value is None:
        return "any"
    if isinstance(value, str):
        return f"the log's {value[1:]}" if value.startswith("$") else value
    return figure(value)
