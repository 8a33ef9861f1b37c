"""A dialect as a page to read: what it assumes, and each pattern with its sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from postmortem.parsing.catalogue import Entry
    from postmortem.parsing.dialect import Block, Line, Sample


def page(entry: Entry) -> Iterator[str]:
    """Its lines, as the file has them: not made harmless."""
    spec = entry.dialect
    yield f"{spec.name}: {spec.title}"
    yield f"source  {spec.source}"
    yield f"file    {spec.path}"
    yield f"from    {origin(entry)}"
    for heading, words in (
        ("What its counters and metrics mean", spec.means),
        ("What it calls otherwise than everybody", spec.names),
        ("What it prints where it has no value", spec.placeholders),
    ):
        if words:
            yield ""
            yield heading
            yield from (f"  {key}: {_shown(value)}" for key, value in words.items())
    for line in spec.lines:
        yield from _pattern(line.pattern, line.sample, _makes(line))
    for block in spec.blocks:
        yield from _pattern(block.starts, block.sample, f"{_makes(block)}, with the lines that follow:")
        for part in block.lines:
            yield from (f"    {text}" if text else "" for text in _pattern(part.pattern, part.sample))


def origin(entry: Entry) -> str:
    """Who brings a dialect, and whose it replaces."""
    return entry.origin + (f", replaces {entry.replaces}" if entry.replaces else "")


def _makes(line: Line | Block) -> str:
    """What becomes of a line: a row of a frame with its fixed columns, an event, metrics of its rest."""
    made = f"a row of {line.frame}" if line.frame != "place" else "the place of the lines that follow"
    if line.set:
        made += f" with {_fields(line.set)}"
    if event := getattr(line, "event", None):
        made += f"; an event {event}"
    if (lead := getattr(line, "lead", None)) is not None:
        made += f"; metrics {lead}... of what stands before it"
    if (rest := getattr(line, "rest", None)) is not None:
        made += f"; metrics {rest}... of what follows on the line"
    return made


def _pattern(pattern: str, sample: Sample, makes: str | None = None) -> Iterator[str]:
    yield ""
    yield pattern
    if makes is not None:
        yield f"  makes   {makes}"
    yield f"  sample  {sample.text.strip()}"
    if sample.gives:
        yield f"  gives   {_fields(sample.gives)}"


def _fields(values: Mapping[str, object]) -> str:
    return ", ".join(f"{key}={_shown(value)}" for key, value in values.items())


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
