"""Lines of evidence across the files of a run: one numbering for rules, and the way back to file and line."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.rules.finding import Evidence
from postmortem.run import Run
from postmortem.sources.excerpt import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from postmortem.incident import Log
    from postmortem.rules.engine import Hit

#: Characters of a line that a report shows.
_WIDTH: Final = 400
#: Lines before and after a line of evidence, to show where it stands.
_AROUND: Final = 2


class Lines:
    """The lines of all files of a run, numbered through in the order of its files."""

    def __init__(self, run: Run) -> None:
        self._run = run
        #: After so many lines each file ends.
        self._ends = list(accumulate(log.lines for log in run.logs))

    def joined(self) -> Run:
        """The run with lines numbered through, so that a line is one of one file."""
        run = self._run
        if len(run.logs) == 1:
            return run
        starts = dict(zip((log.path for log in run.logs), [0, *self._ends], strict=False))
        shift = pl.col("file").replace_strict(starts, return_dtype=pl.Int64)
        frames = {name: frame.with_columns(pl.col("line") + shift) for name, frame in run.frames().items()}
        return Run(frames, run.logs)

    def localised(self, hits: Iterable[Hit]) -> list[Hit]:
        """The hits with each row's line as that of its own file, as their messages name it."""
        return [
            replace(hit, rows=[row | {"line": self._own(row["line"])} for row in hit.rows], numbered=tuple(hit.lines))
            if all("line" in row for row in hit.rows)
            else hit
            for hit in hits
        ]

    def _own(self, line: int | None) -> int | None:
        if line is None:
            return None
        return self.place(line)[1]

    def _file(self, line: int) -> int:
        return min(bisect_left(self._ends, line), len(self._ends) - 1)

    def place(self, line: int) -> tuple[str, int]:
        """The file of a line that is numbered through, and its number there."""
        index = self._file(line)
        return self._run.logs[index].path, line - self._start(index)

    def ends(self) -> Iterable[tuple[int, Log]]:
        """The last line of each file, numbered through, and the file."""
        return zip(self._ends, self._run.logs, strict=True)

    def _start(self, index: int) -> int:
        """How many lines stand in the files before this one."""
        return self._ends[index] - self._run.logs[index].lines

    def evidence(self, lines: Iterable[int]) -> Mapping[int, Evidence]:
        """What stands in these lines, numbered through, and in the lines around each."""
        found: dict[int, Evidence] = {}
        by_file: dict[int, set[int]] = {}
        for line in lines:
            by_file.setdefault(self._file(line), set()).add(line)
        for index, wanted in by_file.items():
            log, start = self._run.logs[index], self._start(index)
            own = {line - start for line in wanted}
            texts = self._records(log.path, own) if log.binary else self._texts(log, own)
            for line in own:
                found[line + start] = Evidence(
                    file=log.path,
                    line=line,
                    text=texts.get(line, ""),
                    before=[texts[near] for near in range(line - _AROUND, line) if near in texts],
                    after=[texts[near] for near in range(line + 1, line + _AROUND + 1) if near in texts],
                )
        return found

    def _texts(self, log: Log, lines: set[int]) -> dict[int, str]:
        """These lines of a text log and those around them, as far as there are any."""
        around = {line + way for line in lines for way in range(-_AROUND, _AROUND + 1)}
        within = {line for line in around if 1 <= line <= log.lines}
        return excerpt(log.path, within, self._run.line_index.get(log.path, ()), _WIDTH)

    def _records(self, path: str, records: set[int]) -> dict[int, str]:
        """What the records of a binary file say, from the frames: their bytes are nothing to read."""
        metrics = self._run.metrics.filter((pl.col("file") == path) & pl.col("line").is_in(list(records)))
        texts: dict[int, list[str]] = {}
        for line, name, text in metrics.select("line", "source_name", "text").iter_rows():
            texts.setdefault(line, []).append(f"{name}={text}")
        return {line: ", ".join(said)[:_WIDTH] for line, said in texts.items()}
