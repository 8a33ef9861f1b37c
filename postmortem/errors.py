"""The one exception a user sees: what is wrong, where, and what to do, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class PostmortemError(Exception):
    """A log, rule, format or option that cannot be used. The command line prints it and exits with 2."""


class NoLogError(PostmortemError):
    """A file that can be read and that holds nothing of a training run."""


class StoppedError(PostmortemError):
    """A rule's query that took too long, or too much memory."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """What to put behind a word that nobody knows: `; did you mean fail-on?`, or nothing where none is near."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
