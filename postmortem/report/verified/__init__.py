"""The outputs of `postmortem verify`, one a file, found by being there: `render(verification, target)`."""

from __future__ import annotations

from typing import Final

from postmortem.report.registry import Registry

OUTPUTS: Final = Registry(__name__, __path__)
