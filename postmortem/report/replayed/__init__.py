"""The outputs of `postmortem replay`, one a file, found by being there: `render(replayed, target)`."""

from __future__ import annotations

from typing import Final

from postmortem.report.registry import Registry

OUTPUTS: Final = Registry(__name__, __path__)
