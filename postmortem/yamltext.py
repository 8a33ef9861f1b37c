"""Where things stand in a YAML text, so that an error can name the line."""

from __future__ import annotations

from typing import Any, Final

import yaml

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def line_of(text: str, place: tuple[Any, ...]) -> int:
    """The line, from 1, of the field at `place` in a YAML text; of the deepest one that exists."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except RecursionError:  # nested more deeply than anything that is looked for
        return 1
    line = 1
    for key in place:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            break
    return line
