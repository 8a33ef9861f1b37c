"""YAML texts: what they hold, and where it stands, so that an error can name the line.

The library is imported when a text is read: mostly what was read before has been kept, and takes less time.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml


class NotYamlError(ValueError):
    """A text that is no YAML: why, and the line that shows it."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


def load(text: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    """What a text holds. NotYamlError; ValueError for a text that has other characters, or values that cannot be."""
    import yaml

    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 - a safe one
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise NotYamlError(str(error.problem), line) from None
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


@cache
def _loader() -> type[yaml.SafeLoader]:
    import yaml

    found: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where it is there
    return found


def line_of(text: str, place: tuple[Any, ...]) -> int:
    """The line, from 1, of the field at `place` in a YAML text; of the deepest one that exists."""
    import yaml

    try:
        node = yaml.compose(text, Loader=_loader())
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
