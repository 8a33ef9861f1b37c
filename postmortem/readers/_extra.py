"""Libraries that only one kind of file needs: imported when such a file is read."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from pathlib import Path


def need(module: str, extra: str, path: Path) -> Any:  # noqa: ANN401 - a module without types
    """The module. PostmortemError says which extra of this package brings it."""
    try:
        return import_module(module)
    except ImportError:
        library = module.partition(".")[0]
        raise PostmortemError(
            f"{path}: reading it needs {library}, which is not installed; pip install 'postmortem[{extra}]'"
        ) from None
