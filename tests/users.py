"""What users bring, for tests: a dialect, a rule, and an installed package with an entry point."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

#: A line that the generic reader would not take for a loss.
LOG = "Zug 4: Verlust gleich 2,5 Punkte\n" * 3
DIALECT = """\
name: {name}
title: A trainer of one's own
source: the tests
means: {{step: update}}
names: {{verlust: loss}}
lines:
  - pattern: "Zug {{step:int}}: Verlust gleich {{verlust:num}},{{:int}} Punkte"
    frame: metrics
    sample: {{text: "Zug 4: Verlust gleich 2,5 Punkte", gives: {{step: 4, verlust: 2.0}}}}
"""
RULE = """\
title: There is a loss
role: context
severity: high
confidence: certain
requires: {metrics: [loss]}
detect: SELECT line, value FROM metrics WHERE name = 'loss'
message: "the loss is {value:.1f}"
why: it shows that the rule ran
not_proof: nothing
false_positives: none
references: []
tests:
  fires: [{log: "step 1: loss=2.5", lines: [1]}]
  quiet: [{log: "step 1: lr=0.5"}]
"""


def dialect(folder: Path, name: str = "mine") -> Path:
    """The file of a dialect that reads LOG."""
    path = folder / f"{name}.yaml"
    path.write_text(DIALECT.format(name=name))
    return path


def rules(folder: Path, name: str = "mine/rule") -> Path:
    """A folder with one rule, which fires wherever there is a loss."""
    path = folder / "rules" / f"{name}.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(RULE)
    return folder / "rules"


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, entry_points: str) -> Path:
    """The folder of a package `theirs`, importable and with these entry points; it holds a dialect and a rule."""
    site = folder / "site"
    package = site / "theirs"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import os\nHERE = os.path.dirname(__file__)\nNUMBER = 7\n")
    dialect(package, "theirs")
    rules(package, "theirs/rule")
    information = site / "theirs-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(entry_points)
    monkeypatch.delitem(sys.modules, "theirs", raising=False)
    monkeypatch.syspath_prepend(site)
    return package
