"""Read the log of a training run, judge each proposed fix, and say what the next run must show.

>>> import postmortem
>>> run = postmortem.read("job.log")  # five polars frames; run.to_pandas()
>>> incident, run = postmortem.analyze("job.log", extra_fixes=["eps=1e-5:1e-3"])
>>> incident.root_causes, incident.verdicts  # a pydantic model; docs/incident.schema.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from postmortem.analysis import analyze
    from postmortem.reading import read

__all__ = ["__version__", "analyze", "read"]
__version__ = "0.1.0"

#: Where the public functions live; importing the package alone loads none of their libraries.
_HOMES = {"read": "postmortem.reading", "analyze": "postmortem.analysis"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the public name stands for
    """The public functions, imported when they are first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
