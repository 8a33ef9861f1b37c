"""The one exception a user sees: what is wrong, where, and what to do, in one line."""

from __future__ import annotations


class PostmortemError(Exception):
    """A log, rule, format or option that cannot be used. The command line prints it and exits with 2."""
