"""That a rule names no cause in the next log: asked of all rules together, since one may account for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postmortem import reach
from postmortem.rules import catalogue
from postmortem.rules.engine import TOO_FEW
from postmortem.verify.verification import Checked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from postmortem.incident import Incident
    from postmortem.replay.protocol import Prediction
    from postmortem.run import Run

#: As these a finding is no fault of a run: it is explained, refuted, or a remark.
_HARMLESS: Final = ("benign", "context")


class Judged:
    """The next log, as its rules judge it."""

    def __init__(self, incident: Incident, rule_folders: Sequence[Path]) -> None:
        ignored = [one.finding for one in incident.ignored]
        self._found = {finding.rule: finding for finding in [*incident.findings, *ignored]}
        # a signal without a row, of a log that comes as far, is silence too
        self._open = {one.rule: one.because for one in incident.not_checked if not one.because.startswith(TOO_FEW)}
        self._known = {rule.id for rule in catalogue.rules(rule_folders)[0]}

    def checked(self, prediction: Prediction, run: Run) -> Checked:
        """Whether the rule is as silent as predicted, in a log that comes as far as the judged one did."""
        rule = prediction.rule
        finding = self._found.get(rule)
        if finding is not None and finding.role not in _HARMLESS:
            return Checked(
                prediction=prediction,
                outcome="broken",
                because=f"found again ({finding.role.replace('_', ' ')}): {finding.message}",
                evidence=finding.evidence[:1],
            )
        if rule not in self._known:
            because = f"no rule {rule} is known here; --rules DIR names a folder that has it"
        elif open_ := self._open.get(rule, ""):
            because = open_
        elif short := reach.short(run, prediction.reaches) if prediction.reaches else "":
            because = short
        else:
            note = f"found as {finding.role} alone: {finding.note or finding.message}" if finding else "not found"
            return Checked(prediction=prediction, outcome="held", because=note)
        return Checked(prediction=prediction, outcome="not_seen", because=because)
