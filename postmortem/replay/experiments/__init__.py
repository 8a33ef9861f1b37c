"""The experiments: one question a file. A module `gain_cascade` holds the experiment `gain-cascade`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from postmortem.replay.experiment import Experiment


def names() -> list[str]:
    """The names of all experiments, sorted. Imports none of them."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def check(name: str) -> None:
    """PostmortemError names the experiments there are if none has that name. Imports none of them."""
    if name not in names():
        raise PostmortemError(f"no experiment {name!r}; there are {', '.join(names())}")


def load(name: str) -> Experiment:
    """The experiment of that name. PostmortemError as for `check`."""
    check(name)
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    experiment: Experiment = module.EXPERIMENT
    return experiment
