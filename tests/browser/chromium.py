"""Headless Chromium, for tests: what a page becomes when a browser shows it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

#: A line that the page itself put into the console, by what Chromium writes around it.
_CONSOLE = re.compile(r"CONSOLE[:(]\d+.*")


@dataclass(frozen=True, slots=True)
class Shown:
    """A page after it was loaded."""

    dom: str
    console: list[str]


def program() -> str:
    """The browser. Without one these tests cannot run, and say what to do."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    assert found is not None, "no Chromium here; apt-get install chromium, or leave make browser out"
    return found


def show(page: Path, *options: str) -> Shown:
    """Load a page, let two seconds of its time pass, and take what it has become."""
    done = _run(page, "--dump-dom", "--virtual-time-budget=2000", "--enable-logging=stderr", "--v=0", *options)
    return Shown(done.stdout, _CONSOLE.findall(done.stderr))


def picture(page: Path, path: Path, *options: str, width: int = 1300, height: int = 2000) -> Path:
    """A screenshot of a page."""
    _run(page, f"--screenshot={path}", f"--window-size={width},{height}", "--hide-scrollbars", *options)
    return path


def _run(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [program(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    return subprocess.run([*command, *options, page.as_uri()], capture_output=True, text=True, check=True, timeout=120)


def _main(log: str, path: str) -> None:
    """The beginning of a report in both themes, side by side, as one small picture."""
    from postmortem.analysis import analyze
    from postmortem.report.outputs import Target, html

    with TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(html.render(*analyze(log), Target()), encoding="utf-8")
        themes = ("--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0")
        halves = [
            Image.open(picture(page, Path(folder) / f"{place}.png", theme, width=900, height=1150))
            for place, theme in enumerate(themes)
        ]
        both = Image.new("RGB", (sum(half.width for half in halves), halves[0].height))
        for place, half in enumerate(halves):
            both.paste(half, (place * half.width, 0))
        both.quantize(64).save(path, optimize=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
