"""Templates of markdown: every value that one prints is escaped, unless a filter has made it markdown already."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from postmortem.report import escape

_EXCERPT = 240  # characters of a line of the log
_TEXT = 2_000  # characters of any other text


class Safe(str):
    """Text that is markdown already."""

    __slots__ = ()


def environment() -> Environment:
    """What loads the templates of this package, with the filters that all of them use."""
    made = Environment(
        loader=PackageLoader("postmortem.report"),
        autoescape=False,  # noqa: S701 - the output is markdown: `finalize` escapes every value for that
        finalize=_escaped,
        undefined=StrictUndefined,
        trim_blocks=False,
        keep_trailing_newline=False,
    )
    made.filters |= {
        "code": lambda text: Safe(escape.code(str(text), _EXCERPT)),
        "words": lambda text: text.replace("_", " "),
    }
    return made


def _escaped(value: object) -> object:
    if isinstance(value, Safe):
        return value
    return escape.markdown(value, _TEXT) if isinstance(value, str) else value
