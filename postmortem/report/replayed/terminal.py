"""The lab's answer on a screen: each experiment's question, its verdicts, and the effect of each fix with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.lab.replayed import Replayed
    from postmortem.replay.protocol import Verdict
    from postmortem.report.registry import Target
    from postmortem.report.replayed._sections import Section
    from postmortem.report.text_page import Page

SUFFIXES: Final = (".txt",)


def render(replayed: Replayed, target: Target) -> str:
    """What was asked, what came out and how sure that is; with `verbose` the priors too."""
    from postmortem.report.mask import scrub
    from postmortem.report.replayed import _sections
    from postmortem.report.text_page import Page

    replayed, page = scrub(replayed), Page.of(target)
    page.heading(replayed.of, _sections.where(replayed))
    for section in _sections.sections(replayed, verbose=target.verbose):
        _section(page, section)
    if others := _sections.others(replayed):
        page.heading("Without a replay of their own")
        for verdict in others:
            _verdict(page, verdict, f"{verdict.rule}: ")
    _listed(page, "The next run must show", [prediction.statement for prediction in replayed.predictions])
    _listed(page, "Do next", replayed.measure_next)
    _listed(page, "Brought nothing back", [f"{lost.what}: {lost.because}" for lost in replayed.lost])
    return page.text()


def _section(page: Page, section: Section) -> None:
    from postmortem.report.replayed import _sections

    page.heading(section.experiment, section.question)
    for claim, verdicts in section.claims.items():
        page.line(f"{claim}?", style="italic")
        for verdict in verdicts:
            _verdict(page, verdict)
            for record in section.behind(verdict):
                label = f"{_sections.mechanism(record)}: " if record.effect else ""
                page.line(_sections.outcome(record), indent=8, label=label, style="dim")
    for reason in section.ruled_out:
        page.line(reason, label="ruled out: ", style="dim")
    for name, text in section.priors:
        page.line(text, label=f"drawn: {name}: ", style="dim")
    if section.cannot_show:
        page.line(section.cannot_show, label="cannot show: ", style="dim")


def _verdict(page: Page, verdict: Verdict, label: str = "") -> None:
    from postmortem.report.fix import turn

    word = f"{verdict.verdict.replace('_', ' '):<15}"
    page.line(verdict.because, indent=4, label=f"{label}{turn(verdict.fix):<20}  ", word=word)


def _listed(page: Page, title: str, entries: Sequence[str]) -> None:
    if entries:
        page.heading(title)
        for entry in entries:
            page.line(entry)
