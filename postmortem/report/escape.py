"""Text from a log made harmless: it is shown, and never acts on a terminal, on markdown or on a graph.

Each function takes any text, and gives text that a second pass of `visible` leaves alone.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ELLIPSIS: Final = "…"
#: Punctuation that starts or ends something in GitHub's markdown wherever it stands.
_MARKUP: Final = re.compile(r"([\\`*\[\]<|~$])")
#: An underscore or ampersand means something only at the edge of a word, or before a name or number.
_EDGES: Final = re.compile(r"(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|&(?=[#0-9A-Za-z])")
#: What GitHub turns into a link although nobody marked it up.
_LINKS: Final = re.compile(r"(?i)(?<=https):(?=//)|(?<=http):(?=//)|(?<=ftp):(?=//)|(?<=www)\.")
#: What makes a heading, a list, a quotation or a rule when a line starts with it.
_STARTS: Final = re.compile(r"^(?:[#+\-=>]|\d+(?=[.)](?:\s|$)))")
#: What a quoted Mermaid label may hold as it is; all else is written as a character code.
_LABEL: Final = re.compile(r"[^0-9A-Za-z ./,_+=-]")


def visible(text: str, limit: int | None = None) -> str:
    r"""`text` on one line with nothing hidden in it, at most `limit` characters long.

    Control characters (C0, C1, ANSI escapes), bidirectional and zero-width ones, line ends and lone
    surrogates are written out as `\n`, `\x1b`, `\u202e`; a tab and any wide blank become a space.
    """
    if limit is not None:
        text = text[: limit + 1]
    if not text.isprintable():
        text = "".join(_shown(character) for character in text)
    return text if limit is None else cut(text, limit)


def cut(text: str, limit: int) -> str:
    """The first characters of `text`, `limit` at most, the last an ellipsis where something is left out."""
    return text if len(text) <= limit else text[: max(0, limit - 1)].rstrip() + _ELLIPSIS


def markdown(text: str, limit: int | None = None) -> str:
    """`text` as plain words in markdown, also inside a table cell: no markup, HTML, link or new line."""
    text = visible(text, limit).strip()
    text = _MARKUP.sub(r"\\\1", text)
    text = _EDGES.sub(lambda edge: "&amp;" if edge[0] == "&" else "\\" + edge[0], text)
    text = _LINKS.sub(lambda link: "\\" + link[0], text)
    return _STARTS.sub(_defused, text)


def code(text: str, limit: int | None = None) -> str:
    """`text` as a code span; as plain words where a span cannot hold it (backticks, a table's pipes)."""
    shown = visible(text, limit).strip()
    return f"`{shown}`" if shown and not set(shown) & {"`", "|"} else markdown(shown)


def fence(lines: list[str], limit: int | None = None, language: str = "text") -> str:
    """`lines` as a fenced block of markdown, each on one line; nothing in them can close the fence."""
    shown = [visible(line, limit) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return "\n".join([f"{ticks}{language}", *shown, ticks])


def mermaid(text: str, limit: int = 60) -> str:
    """`text` as a label between double quotes in a Mermaid graph."""
    return _LABEL.sub(lambda found: f"#{ord(found[0])};", visible(text, limit))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if character == "\t" or unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def _defused(start: re.Match[str]) -> str:
    """A leading list number keeps its digits: what a backslash must defuse is the full stop behind it."""
    return f"{start[0]}\\" if start[0].isdigit() else f"\\{start[0]}"
