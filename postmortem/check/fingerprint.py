"""What names a finding from one check to the next, wherever its lines stand: its rule, and what they say.

Line numbers, the file's name and its place are no part of it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postmortem.rules.finding import Finding

#: The scheme's name, as in SARIF's partialFingerprints: another one makes all findings new.
SCHEME = "ruleAndEvidence/v1"


def fingerprint(finding: Finding) -> str:
    """32 hexadecimal digits."""
    said = [" ".join(piece.text.split()) for piece in finding.evidence] or [finding.message]
    return hashlib.sha256("\n".join([finding.rule, *said]).encode("utf-8", "replace")).hexdigest()[:32]
