"""The device that replays run on."""

from __future__ import annotations

import importlib.util
from typing import Final

from postmortem.errors import PostmortemError

HOW_TO_GET_TORCH: Final = "unavailable: torch is not installed; pip install 'postmortem[replay]' brings it"
#: Whatever there is where the work is done, which may be another machine.
BEST: Final = "best"


def has_torch() -> bool:
    """Whether replays can run here at all."""
    return importlib.util.find_spec("torch") is not None


def chosen(device: str | None) -> str:
    """The device of that name; without one cuda where there is one. PostmortemError for one that is not here."""
    import torch

    if device is None or device == BEST:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise PostmortemError(f"--device {device}: no device has this name; write cpu or cuda") from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise PostmortemError(f"--device {device}: torch sees no GPU here; leave the option out or write cpu")
    if kind not in {"cpu", "cuda"}:
        raise PostmortemError(f"--device {device}: replays run on cpu and on cuda")
    return device
