"""The progress bar that a log ends in, short of its end.

Bars of nothing but a count are states, not values, and their lines stay out of the frames. Where the last thing that a
log holds is one of them, it tells how far the program had come.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.rows import Place

if TYPE_CHECKING:
    from postmortem.parsing.collect import Collector

#: What of a log's end is looked at; a bar's last state is shorter.
TAIL: Final = 4096
#: As tqdm writes it: `| 33/15625 [36:51<289:24:03, 66.8s/it]`, where no more is known `0/99 [00:00<?, ?it/s]`.
_BAR: Final = re.compile(
    r"(?<![\d.])(?P<done>\d{1,15})/(?P<total>\d{1,15}) \[(?P<spent>[\d:]+)<[\d:?]+, [^\]]*\]?"
    r"(?:\x1b\[[\d;]*[A-Za-z]|\W)*$"
)
_STATES: Final = re.compile(rb"[\r\n]")


def note(log: Collector, tail: bytes) -> None:
    """Add the event of a bar that is not full, if that is the last that `tail`, the log's end, holds."""
    text = tail.rstrip()
    if not text:
        return
    state = _STATES.split(text)[-1].decode("utf-8", "replace")
    if (bar := _BAR.search(state)) and int(bar["done"]) < int(bar["total"]):
        line = log.lines - max(tail[len(text) :].count(b"\n") - tail.endswith(b"\n"), 0)
        begins = log.size - len(tail) + text.rfind(b"\n") + 1
        place = Place(file=log.file, job=log.job, line=line, offset=begins, rank=log.rank)
        found = {"done": int(bar["done"]), "total": int(bar["total"]), "spent": bar["spent"]}
        log.rows.event(place, "bar_unfinished", state.strip(), found, {})
