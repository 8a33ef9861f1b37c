"""The figures of an incident, one a file. Each needs its own data, and is left out where there is none."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.figure import Figure

    from postmortem.incident import Incident
    from postmortem.run import Run


def draw(incident: Incident, run: Run) -> dict[str, Figure]:
    """The figures for which `incident` and `run` hold data, by name, in the order of a report."""
    import numpy as np

    from postmortem.report.figures import concentration, curves, decomposition, effects, ranges

    # a log may print 1e308 beside 1e-320: such an axis overflows, and is drawn all the same
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        drawn = {
            "curves": curves.draw(incident, run),
            "ranges": ranges.draw(incident, run),
            "decomposition": decomposition.draw(incident, run),
            "concentration": concentration.draw(incident, run),
            **effects.draw(incident),
        }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def write(drawn: Mapping[str, Figure], folder: Path) -> dict[str, Path]:
    """Write figures as PNG files into `folder`, made if there are any: paths by title.

    OSError if the folder or a file cannot be written.
    """
    from postmortem.report.figures.style import save

    paths = {}
    for name, figure in drawn.items():
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        save(figure, path)
        paths[" ".join(figure.get_suptitle().split())] = path
    return paths
