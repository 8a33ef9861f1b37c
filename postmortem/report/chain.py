"""The causal chain as a graph: which finding explains which, and which speaks against which as a cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.rules.finding import Finding, Role

#: More links are no picture any more, and Mermaid draws 500 at most.
_MOST: Final = 200


class Link(NamedTuple):
    """One finding says something of another; both are rule ids."""

    cause: str
    effect: str
    kind: Literal["explains", "refutes"]


class Chain(NamedTuple):
    """The findings that are linked, in the order of the report, and their links."""

    roles: dict[str, Role]  # by rule id
    links: list[Link]
    left_out: int  # links beyond what a picture can hold


def chain(findings: Sequence[Finding]) -> Chain:
    """The links between the findings of an incident: only to rules that were found."""
    roles = {finding.rule: finding.role for finding in findings}
    kinds: tuple[Literal["explains", "refutes"], ...] = ("explains", "refutes")
    links = [
        Link(cause, finding.rule, kind)
        for finding in findings
        for kind, causes in zip(kinds, (finding.explained_by, finding.refuted_by), strict=True)
        for cause in causes
        if cause in roles
    ]
    shown = links[:_MOST]
    linked = {rule for link in shown for rule in (link.cause, link.effect)}
    return Chain({rule: role for rule, role in roles.items() if rule in linked}, shown, len(links) - len(shown))
