"""The lab's answer as markdown: for each experiment its verdicts, and the effect of each fix with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.lab.replayed import Replayed
    from postmortem.replay.protocol import Verdict
    from postmortem.report.registry import Target
    from postmortem.report.replayed._sections import Section

SUFFIXES: Final = (".md", ".markdown")
_TEXT: Final = 2_000  # characters of any text


def render(replayed: Replayed, target: Target) -> str:
    """All of it, every text escaped; with `verbose` each seed's replays, and the priors."""
    from postmortem.report.escape import code, markdown
    from postmortem.report.mask import scrub
    from postmortem.report.replayed import _sections

    replayed = scrub(replayed)
    lines = [f"# Replays for {code(replayed.of, _TEXT)}", "", f"*{markdown(_sections.where(replayed), _TEXT)}*"]
    for section in _sections.sections(replayed, verbose=target.verbose):
        lines += _section(section)
    others = [(verdict, verdict.rule) for verdict in _sections.others(replayed)]
    if others:
        lines += ["", "## Without a replay of their own", "", "| rule | fix | verdict | because |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [f"| {code(rule)} {_verdict_cells(verdict)}" for verdict, rule in others]
    lines += _listed("The next run must show", [prediction.statement for prediction in replayed.predictions])
    lines += _listed("Do next", replayed.measure_next)
    lines += _listed("Brought nothing back", [f"{lost.what}: {lost.because}" for lost in replayed.lost])
    return "\n".join(lines) + "\n"


def _section(section: Section) -> Iterator[str]:
    from postmortem.report.escape import markdown
    from postmortem.report.replayed import _sections

    yield from ("", f"## {markdown(section.experiment)}: {markdown(section.question, _TEXT)}")
    for claim, verdicts in section.claims.items():
        yield from ("", f"### {markdown(claim, _TEXT)}?", "", "| fix | verdict | because |", "| --- | --- | --- |")
        yield from (_verdict_cells(verdict) for verdict in verdicts)
        shown = [(verdict, record) for verdict in verdicts for record in section.behind(verdict)]
        if shown:
            yield ""
        for verdict, record in shown:
            told = f"{_sections.mechanism(record)}: {_sections.outcome(record)}"
            yield f"- {_fix(verdict)}: {markdown(told, _TEXT)}"
    notes = [
        *(f"Ruled out: {reason}" for reason in section.ruled_out),
        *(f"Drawn: {name}: {text}" for name, text in section.priors),
        *([f"Cannot show: {section.cannot_show}"] if section.cannot_show else []),
    ]
    for text in notes:
        yield from ("", markdown(text, _TEXT))


def _verdict_cells(verdict: Verdict) -> str:
    from postmortem.report.escape import markdown

    return f"| {_fix(verdict)} | **{verdict.verdict.replace('_', ' ')}** | {markdown(verdict.because, _TEXT)} |"


def _fix(verdict: Verdict) -> str:
    from postmortem.report.escape import code
    from postmortem.report.fix import turn

    return code(turn(verdict.fix), _TEXT)


def _listed(title: str, entries: Sequence[str]) -> Iterator[str]:
    from postmortem.report.escape import markdown

    if entries:
        yield from ("", f"## {title}", "")
        yield from (f"- {markdown(entry, _TEXT)}" for entry in entries)
