"""The outputs of a comparison, one a file: the module `markdown` is `compare --format markdown`.

Each holds `SUFFIXES` and `render(compared, target)`, which gives the text, and imports nothing heavy before it renders.
"""

from __future__ import annotations

from typing import Final

from postmortem.report.registry import Registry, Target

__all__ = ["COMPARISONS", "Target"]

COMPARISONS: Final = Registry(__name__, __path__)
