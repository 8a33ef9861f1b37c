"""What loggers put before a record: how grave it is, and who says it, in the order and with the marks of each."""

from __future__ import annotations

import re
from typing import Final

#: How grave a record is, as loggers of Python, of C++ and of a job's scheduler spell it.
LEVELS: Final = frozenset({"DEBUG", "INFO", "WARN", "Warn", "WARNING", "Warning", "ERROR", "CRITICAL", "FATAL"})
_LEVEL: Final = r"(?:DEBUG|INFO|WARNING|ERROR)"
#: `app - INFO - `, `INFO:root: `, `INFO | app:run:7 - `, `[INFO] app.run - `, `INFO: `. What is an error is a sentence
#: more often than a measurement, and counts only where the marks of a logger are on both sides of it.
PREFIX: Final = re.compile(
    rf"\s*(?:(?:(?P<logger>[\w.-]{{1,40}}) - )?{_LEVEL}\s*(?:- |\| (?:[\w.<>]+:){{1,2}}[0-9]+ - )"
    rf"|{_LEVEL}:[A-Za-z_][\w.]{{0,40}}:\s?"
    r"|\[?(?:DEBUG|INFO|WARNING)\]?(?:\s?[:|-]\s*|\s+)(?:[\w.:<>-]{1,60} - )?)"
)
#: In brackets, behind what it is called: `[train] [INFO] validation(4992) loss=0.5`.
IN_BRACKETS: Final = re.compile(rf"\[[\w.]+\]\s?\[{_LEVEL}\]")


def blanked(text: str) -> str:
    """`text` with as many blanks as a logger's prefix has characters."""
    found = PREFIX.match(text)
    return " " * found.end() + text[found.end() :] if found else text
