"""Which mechanisms were tried, and what each would have had to supply: one entry a mechanism and family."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postmortem.replay.protocol import Replay


class Tried(NamedTuple):
    """A mechanism: whether a bound or a search rules it out, and why, or what it would need."""

    name: str
    ruled_out: bool
    reason: str
    needs: str  # the part of the reason that is about what it would have to supply; may be empty


def tried(replays: Iterable[Replay]) -> list[Tried]:
    """The mechanisms of these replays in their order, each once."""
    entries: dict[tuple[str, str, str | None], Tried] = {}
    for replay in replays:
        name = replay.mechanism.replace("_", " ") + (f", {replay.family}" if replay.family else "")
        ruled_out = replay.verdict == "not_reproduced"
        kept = f"{replay.scenarios.kept:,} of {replay.scenarios.drawn:,} scenarios show the log's numbers"
        parts = [replay.because if ruled_out else kept, replay.needs]
        entry = Tried(name, ruled_out, "; ".join(part for part in parts if part), replay.needs)
        entries.setdefault((replay.experiment, replay.mechanism, replay.family), entry)
    return list(entries.values())
