"""What was verified, as markdown: a table of predictions and one of fixes for each log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postmortem.report.registry import Target
    from postmortem.verify.verification import Verification, Verified

SUFFIXES: Final = (".md", ".markdown")
_TEXT: Final = 2_000  # characters of any text
_EXCERPT: Final = 240  # characters of a line of the log


def render(verification: Verification, target: Target) -> str:
    """All of it; every text is escaped."""
    from postmortem.report import escape
    from postmortem.report.mask import scrub

    del target
    verification = scrub(verification)
    judged = ", ".join(escape.code(path, _TEXT) for path in verification.judged)
    lines = [
        "# Predictions held against the next run",
        "",
        f"Of {escape.code(verification.against, _TEXT)}, which judged {judged}.",
    ]
    for log in verification.logs:
        lines += ["", *_log(log)]
    return "\n".join(lines) + "\n"


def _log(log: Verified) -> Iterable[str]:
    from postmortem.report import escape
    from postmortem.report.fix import turn

    yield f"## {escape.markdown(log.path, _TEXT)}"
    yield ""
    if log.note:
        yield f"*{escape.markdown(log.note, _TEXT)}*"
        yield ""
    yield "| outcome | prediction | seen | line |"
    yield "| --- | --- | --- | --- |"
    for checked in log.predictions:
        line = "; ".join(f"{piece.line}: {escape.code(piece.text, _EXCERPT)}" for piece in checked.evidence)
        yield (
            f"| **{checked.outcome.replace('_', ' ')}** | {escape.markdown(checked.prediction.statement, _TEXT)} "
            f"| {escape.markdown(checked.because, _TEXT)} | {line} |"
        )
    if log.fixes:
        yield ""
        yield "| fix | made here | outcome | because |"
        yield "| --- | --- | --- | --- |"
        for turned in log.fixes:
            yield (
                f"| {escape.code(turn(turned.fix), _TEXT)} | {turned.made.replace('_', ' ')} "
                f"| **{turned.outcome.replace('_', ' ')}** | {escape.markdown(turned.because, _TEXT)} |"
            )
    if log.also_changed:
        yield ""
        yield "Also changed; two changes between two runs cannot be told apart by them:"
        yield ""
        for change in log.also_changed:
            key, was, now = (escape.code(text, _TEXT) for text in (change.key, change.was, change.now))
            yield f"- {key}: {was} -> {now}"
