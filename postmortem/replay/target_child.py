"""The process that a user's function runs in: `python -m postmortem.replay.target_child MODULE:NAME PIPE [BYTES]`.

Reads calls from stdin and writes answers to the descriptor PIPE, a JSON line each. What the function prints goes
nowhere, whatever it raises becomes an answer, and BYTES of address space are all that it gets.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def main(name: str, pipe: int, limit: str) -> None:
    """Answer calls until there are no more."""
    if limit:
        resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
    os.set_inheritable(pipe, False)  # noqa: FBT003 - what the function starts has no business with it
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - sys.path holds text
    function: Callable[..., Any] | None = None
    for line in sys.stdin:
        try:
            if function is None:
                function = _found(name)
            call = json.loads(line)
            answer: dict[str, object] = {"quantities": _numbers(function(call["knobs"], call["seed"]))}
        except BaseException as error:  # noqa: BLE001 - a stranger's code may raise anything, SystemExit too
            answer = {"error": f"raised {type(error).__name__}: {error}".rstrip(": ")}
        os.write(pipe, json.dumps(answer).encode() + b"\n")


def _found(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    function: Any = import_module(module)
    for part in attribute.split("."):
        function = getattr(function, part)
    return function  # type: ignore[no-any-return]  # whatever it is, it will be called


def _numbers(returned: object) -> dict[str, str] | None:
    """Each number as text, since JSON has neither nan nor infinities. Scalars of numpy and torch are numbers."""
    if not isinstance(returned, dict):
        return None
    return {str(name): _number(name, value) for name, value in returned.items()}


def _number(name: object, value: Any) -> str:  # noqa: ANN401 - a stranger's value
    if isinstance(value, str | bytes):
        raise TypeError(f"{name} is text, and no number")
    return repr(float(value))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
