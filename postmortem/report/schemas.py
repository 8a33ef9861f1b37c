"""The published schemas of the JSON outputs: `python -m postmortem.report.schemas FOLDER` writes them anew."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from postmortem.compare.comparison import Comparison
from postmortem.incident import Incident
from postmortem.lab.replayed import Replayed
from postmortem.report.json import schema
from postmortem.verify.verification import Verification

if TYPE_CHECKING:
    from pydantic import BaseModel

MODELS: dict[str, type[BaseModel]] = {
    "comparison": Comparison,
    "incident": Incident,
    "replayed": Replayed,
    "verification": Verification,
}


def write(folder: Path) -> None:
    """One `<name>.schema.json` a model."""
    for name, model in MODELS.items():
        text = json.dumps(schema(model), indent=2) + "\n"
        (folder / f"{name}.schema.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
