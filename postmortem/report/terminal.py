"""The first screen: what happened, why we believe it, what to do, what the next run must show."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from rich.text import Text

from postmortem.report.escape import cut, visible
from postmortem.report.mask import scrub
from postmortem.report.mechanisms import tried
from postmortem.report.numbers import figure, kinds
from postmortem.report.phrases import distinct, turn
from postmortem.report.text_page import LONGEST, STYLES
from postmortem.summary import is_alarm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from postmortem.incident import Ignored, Incident, Job, Moment
    from postmortem.replay.protocol import Prediction, Replay, Verdict
    from postmortem.report.text_page import Page
    from postmortem.rules.finding import Evidence, Finding

_ROLES: Final = {
    "root_cause": "Root cause",
    "contributing": "Contributing",
    "consequence": "Consequence",
    "masking": "Masking",
    "benign": "Benign",
    "context": "Context",
}
_HEADING: Final = "bold"
_FAINT: Final = "dim"
#: What fits one screen; `verbose` shows all.
_FINDINGS: Final = 3  # of one role
_EVIDENCE: Final = 3  # lines of a root cause
_MESSAGE: Final = 2  # lines of a finding that is no root cause
_REASON: Final = 4  # lines of why a fix is judged so
_MECHANISMS: Final = 3  # that cannot show the log's numbers, or could
_STEPS: Final = 6  # of what to do next
_IGNORED: Final = 3  # findings that are ignored, and ignores that were not needed
_RULES: Final = 30  # that are named together


def render(incident: Incident, page: Page, *, verbose: bool = False) -> None:
    """Print `incident`; `verbose` leaves nothing out."""
    _Screen(scrub(incident), page, verbose=verbose).show()


class _Screen:
    def __init__(self, incident: Incident, page: Page, *, verbose: bool) -> None:
        self.incident = incident
        self.page = page
        self.verbose = verbose

    def show(self) -> None:
        self._logs()
        self._root_causes()
        self._other_findings()
        self._fixes()
        if self.verbose:
            self._replays()
        self._listed("Do next", self.incident.measure_next, most=_STEPS)
        self._listed("The next run must show", [_promised(p) for p in self.incident.predictions])
        if self.verbose:
            self._listed("Timeline", [_moment(moment) for moment in self.incident.timeline])
        self._listed("Ignored", [_ignored(one) for one in self.incident.ignored], most=_IGNORED, lines=_MESSAGE)
        unneeded = [f"{one.ignore}: {one.because}" for one in self.incident.unused_ignores]
        self._listed("Ignored in vain", unneeded, most=_IGNORED, lines=_MESSAGE)
        self._not_checked()
        self._rule_errors()

    def _logs(self) -> None:
        logs, jobs = self.incident.logs, [_job(job) for job in self.incident.jobs]
        together = len(logs) == len(jobs) == 1
        for log in logs:
            facts = [*jobs] if together else []
            facts += [f"{figure(log.lines)} {'records' if log.binary else 'lines'}, {figure(log.unread_lines)} unread"]
            facts += [f"{figure(log.cut_lines)} read in part"] if log.cut_lines else []
            facts += [f"dialects: {', '.join(log.dialects)}"] if log.dialects else []
            facts += ["the last line has no end"] if log.truncated else []
            facts += [f"left out: {kinds(log.left_out)}"] if log.left_out else []
            facts += [f"stopped: {visible(log.stopped)}"] if log.stopped else []
            name = cut(visible(PurePath(log.path).name), 60)
            self.page.paragraph(" · ".join(facts), indent=2, start=Text(f"{name}   ", _HEADING))
        if self.incident.left_out:
            count, first = len(self.incident.left_out), self.incident.left_out[0]
            name = visible(PurePath(first.path).name)
            self.page.paragraph(
                f"{figure(count)} other files not read, as {name}: {visible(first.because)}", indent=2, style=_FAINT
            )
        for job in [] if together else jobs:
            self.page.paragraph(job, indent=2, start=Text())

    def _root_causes(self) -> None:
        causes = [finding for finding in self.incident.findings if self._is_cause(finding)]
        if not causes:
            if any(is_alarm(finding) for finding in self.incident.findings):
                self._heading("Root cause", "not established", "bold yellow")
            else:
                self._heading("No fault shown", "", "bold green")
            self.page.paragraph(" ".join(self.incident.summary), indent=2)
        for finding in causes:
            reason = f"  {finding.confidence}" + (f" ({finding.note})" if finding.note else "")
            self._heading("Root cause", finding.rule, "bold red", reason)
            self.page.paragraph(finding.message, indent=2)
            self._evidence(finding, _EVIDENCE)

    def _other_findings(self) -> None:
        others = [finding for finding in self.incident.findings if not self._is_cause(finding)]
        order = list(_ROLES)
        others.sort(key=lambda finding: order.index(finding.role))
        if others:
            self.page.blank()
        for role, group in groupby(others, key=lambda finding: finding.role):
            findings = list(group)
            shown = findings if self.verbose else findings[:_FINDINGS]
            for place, finding in enumerate(shown):
                label = _ROLES[role] if place == 0 else ""
                self._finding(finding, label)
            if len(findings) > len(shown):
                names = ", ".join(finding.rule for finding in findings[len(shown) :])
                self.page.paragraph(f"and {names}", indent=14, style=_FAINT, lines=1)

    def _finding(self, finding: Finding, label: str) -> None:
        where = f" {_lines(finding.evidence)}" if finding.evidence else ""
        note = f" ({finding.note})" if finding.note else ""
        self.page.paragraph(
            f" {finding.message}{note}",
            indent=14,
            start=Text.assemble((f"{label:<14}", _HEADING), (visible(finding.rule), "cyan"), (where + " ", _FAINT)),
            lines=None if self.verbose else _MESSAGE,
        )
        if self.verbose:
            self._evidence(finding, None, indent=16)

    def _fixes(self) -> None:
        verdicts = distinct(self.incident.verdicts)
        where = _where(self.incident.replays) or f"replay: {self.incident.environment.replay}"
        if not verdicts:
            self._heading("Fixes tested", f"none · {where}", _FAINT)
            return
        self._heading("Fixes tested", where, _FAINT)
        width = min(34, max(len(turn(verdict.fix)) for verdict in verdicts))
        for claim in dict.fromkeys(verdict.claim for verdict in verdicts):
            self.page.paragraph(f"{claim}?", indent=2, style="italic", lines=1)
            asked = [verdict for verdict in verdicts if verdict.claim == claim]
            for fix in dict.fromkeys(turn(verdict.fix) for verdict in asked):
                self._judged(fix, [verdict for verdict in asked if turn(verdict.fix) == fix], width)
        mechanisms = tried(self.incident.replays)
        out = [one.reason for one in mechanisms if one.ruled_out]
        left = [f"{one.name}: {one.needs}" for one in mechanisms if one.needs and not one.ruled_out]
        self._listed("Ruled out", out, most=_MECHANISMS, lines=_MESSAGE)
        self._listed("Not ruled out", left, most=_MECHANISMS, lines=_MESSAGE)

    def _judged(self, fix: str, verdicts: Sequence[Verdict], width: int) -> None:
        """What a law and the replays say of one fix, the fix and a word that stays the same said once."""
        said = ""
        for verdict in verdicts:
            word = verdict.verdict.replace("_", " ")
            start = Text.assemble(f"    {cut(visible(fix), width):<{width}}  ", (f"{word:<15}", STYLES[word]))
            basis = "by law: " if verdict.basis == "law" else "by replay: " if said else ""
            self.page.paragraph(
                basis + verdict.because,
                indent=8,
                start=None if word == said else start,
                lines=None if self.verbose else _REASON,
            )
            said = word

    def _replays(self) -> None:
        for replay in self.incident.replays:
            kept = f"{figure(replay.scenarios.kept)} of {figure(replay.scenarios.drawn)} scenarios kept"
            family = f", {replay.family}" if replay.family else ""
            self.page.paragraph(
                f"{replay.mechanism}{family}: {turn(replay.fix)}: {replay.because} ({kept}, {replay.dtype})",
                indent=4,
                style=_FAINT,
            )

    def _listed(self, title: str, entries: Sequence[str], *, most: int | None = None, lines: int | None = None) -> None:
        """Entries under a title: at most so many, each in at most so many lines, unless all is asked for."""
        if not entries:
            return
        self.page.blank()
        shown = entries if self.verbose else entries[:most]
        indent = len(title) + 2
        for place, entry in enumerate(shown):
            label = f"{title}  " if place == 0 else " " * indent
            self.page.paragraph(
                entry, indent=indent, start=Text(label, _HEADING), lines=None if self.verbose else lines
            )
        if len(entries) > len(shown):
            self.page.paragraph(f"and {len(entries) - len(shown)} more (--verbose)", indent=indent, style=_FAINT)

    def _not_checked(self) -> None:
        missing = self.incident.not_checked
        if not missing:
            return
        self.page.blank()
        reasons = Counter(item.because for item in missing).most_common()
        kinds = ", ".join(f"{because} ({figure(count)})" if count > 1 else because for because, count in reasons[:3])
        more = "" if len(reasons) <= 3 else ", and other reasons"  # noqa: PLR2004 - the three just shown
        hint = "" if self.verbose else "  (--verbose lists them)"
        self.page.paragraph(
            f"{figure(len(missing))} {'rule' if len(missing) == 1 else 'rules'}: {kinds}{more}{hint}",
            indent=13,
            start=Text("Not checked  ", _HEADING),
        )
        if self.verbose:
            for because, count in reasons:
                rules = [item.rule for item in missing if item.because == because]
                for first in range(0, len(rules), _RULES):
                    said = f"{because} ({figure(count)}): " if first == 0 else ""
                    self.page.paragraph(said + ", ".join(rules[first : first + _RULES]), indent=4, style=_FAINT)

    def _rule_errors(self) -> None:
        self._listed("Rules not usable", self.incident.rule_errors)

    def _is_cause(self, finding: Finding) -> bool:
        return finding.rule in self.incident.root_causes

    def _evidence(self, finding: Finding, most: int | None, indent: int = 4) -> None:
        shown = finding.evidence[:most]
        several = len(self.incident.logs) > 1
        for evidence in shown:
            file = f"{PurePath(evidence.file).name} " if several else ""
            self.page.paragraph(
                evidence.text,
                indent=indent,
                start=Text(f"{' ' * indent}{file}line {figure(evidence.line)}   ", _FAINT),
                lines=1,
            )
        left = finding.pieces - len(shown)
        if left > 0:
            self.page.paragraph(f"and {figure(left)} more", indent=indent, style=_FAINT)

    def _heading(self, title: str, subject: str, style: str, rest: str = "") -> None:
        self.page.blank()
        start = Text.assemble((f"{title}  ", _HEADING), (visible(subject, LONGEST), style))
        self.page.paragraph(rest, indent=12, start=start)


def _ignored(one: Ignored) -> str:
    until = f", until {one.until}" if one.until else ""
    return f"{one.finding.rule} {_lines(one.finding.evidence)}: {one.reason}{until}. {one.finding.message}"


def _lines(evidence: Iterable[Evidence]) -> str:
    numbers = list(dict.fromkeys(piece.line for piece in evidence))
    shown = ", ".join(figure(number) for number in numbers[:_EVIDENCE])
    more = "…" if len(numbers) > _EVIDENCE else ""
    return f"{'line' if len(numbers) == 1 else 'lines'} {shown}{more}"


def _moment(moment: Moment) -> str:
    step = "" if moment.step is None else f", step {figure(moment.step)}"
    return f"line {figure(moment.line)}{step}{f', {moment.ts}' if moment.ts else ''}: {moment.what}"


def _job(job: Job) -> str:
    facts = [job.state, job.node and f"on {job.node}"]
    facts += [None if job.exit_code is None else f"exit code {job.exit_code}"]
    facts += [None if job.signal is None else f"signal {job.signal}"]
    facts += [job.limit and f"time limit {job.limit}"]
    told = ", ".join(fact for fact in facts if fact)
    return f"job {job.job}" + (f" ({told})" if told else "")


def _promised(prediction: Prediction) -> str:
    assumed = ", ".join(prediction.assumptions)
    return prediction.statement + (f" (assuming {assumed})" if assumed else "")


def _where(replays: Sequence[Replay]) -> str:
    if not replays:
        return ""
    devices, types = ({getattr(replay, name) for replay in replays} for name in ("device", "dtype"))
    drawn = sorted({replay.scenarios.drawn for replay in replays})
    most = figure(drawn[0]) if len(drawn) == 1 else f"{figure(drawn[0])} to {figure(drawn[-1])}"
    return f"{', '.join(sorted(devices))}, {' and '.join(sorted(types))}, {most} scenarios"
