"""What was verified, on a screen: for each log its predictions, its fixes, and what else changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.report.registry import Target
    from postmortem.verify.verification import Verification

SUFFIXES: Final = (".txt",)
_SHOWN: Final = 8  # changed settings, unless all is asked for


def render(verification: Verification, target: Target) -> str:
    """The broken first: they are what somebody has to act on."""
    from postmortem.report.fix import turn
    from postmortem.report.mask import scrub
    from postmortem.report.text_page import Page

    verification, page = scrub(verification), Page.of(target)
    for log in verification.logs:
        outcomes = [checked.outcome for checked in log.predictions]
        counts = ", ".join(
            f"{outcomes.count(word)} {word.replace('_', ' ')}" for word in ("broken", "held", "not_seen")
        )
        page.heading(log.path, f"against {verification.against}: {counts}" + (f"; {log.note}" if log.note else ""))
        for checked in sorted(log.predictions, key=lambda one: ("broken", "held", "not_seen").index(one.outcome)):
            word = f"{checked.outcome.replace('_', ' '):<10}"
            page.line(checked.prediction.statement, word=word)
            page.line(checked.because, indent=12, style="dim")
            for piece in checked.evidence:
                page.line(piece.text, indent=12, label=f"line {piece.line:,}   ", style="dim")
        for turned in log.fixes:
            if turned.made == "yes" or target.verbose:
                word = f"{turned.outcome.replace('_', ' '):<15}"
                page.line(turned.because, label=f"{turn(turned.fix):<20}  ", word=word)
        changes = log.also_changed if target.verbose else log.also_changed[:_SHOWN]
        if changes:
            page.line(
                "two changes between two runs cannot be told apart by them: "
                + ", ".join(f"{change.key} {change.was} -> {change.now}" for change in changes),
                label="also changed: ",
            )
    return page.text()
