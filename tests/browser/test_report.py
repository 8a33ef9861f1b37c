"""The HTML report in Chromium: it is shown, its console is silent, its themes hold, and nothing of a log runs in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from postmortem.analysis import analyze
from postmortem.compare.runs import compare
from postmortem.report.comparisons import html as compared
from postmortem.report.outputs import Target, html
from tests.browser import chromium
from tests.report import factory, pages

if TYPE_CHECKING:
    from collections.abc import Sequence

LOGS = sorted((Path(__file__).parents[2] / "sample_logs").glob("*.log"))
LIGHT, DARK = "--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0"
#: What a script would leave behind: a title, an element, a line in the console.
HOSTILE = (
    "</pre></style></title></svg><script>document.title='owned';console.log('owned')</script>"
    "<img src=x onerror=\"document.body.innerHTML='owned'\"><svg onload=alert(1)>"
    "<iframe src='javascript:alert(1)'></iframe>"
)


@cache
def report(log: Path) -> str:
    return html.render(*analyze(str(log)), Target())


def written(folder: Path, text: str) -> Path:
    page = folder / "report.html"
    page.write_text(text, encoding="utf-8")
    return page


def corner(picture: Path) -> tuple[int, ...]:
    """The colour of the paper, beside what is written on it."""
    pixel = Image.open(picture).convert("RGB").getpixel((3, 900))
    assert isinstance(pixel, tuple)
    return tuple(int(value) for value in pixel)


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_the_report_of_each_sample_is_shown_and_its_console_is_silent(log: Path, tmp_path: Path) -> None:
    shown = chromium.show(written(tmp_path, report(log)))
    assert shown.console == []
    # a browser repairs what is broken: what it made of the page is what was written
    assert pages.shape(pages.parsed(shown.dom)) == pages.shape(pages.parsed(report(log)))


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_both_themes_have_their_paper_and_their_ink(log: Path, tmp_path: Path) -> None:
    page = written(tmp_path, report(log))
    for theme, paper in ((LIGHT, (255, 255, 255)), (DARK, (20, 23, 27))):
        picture = chromium.picture(page, tmp_path / "page.png", theme)
        assert corner(picture) == paper
        assert _contrast(picture) > 10


def _contrast(picture: Path) -> float:
    """The contrast of the lightest and the darkest of the page, by WCAG 2: 21 at most."""
    shades = [shade for shade, count in enumerate(Image.open(picture).convert("L").histogram()) if count]
    return (_luminance(shades[-1]) + 0.05) / (_luminance(shades[0]) + 0.05)


def _luminance(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize(
    ("chosen", "system", "paper"), [("dark", LIGHT, (20, 23, 27)), ("light", DARK, (255, 255, 255))]
)
def test_the_readers_choice_wins_over_the_systems(
    chosen: str, system: str, paper: Sequence[int], tmp_path: Path
) -> None:
    text = report(LOGS[0]).replace('id="theme-auto" checked', 'id="theme-auto"')
    text = text.replace(f'id="theme-{chosen}"', f'id="theme-{chosen}" checked')
    picture = chromium.picture(written(tmp_path, text), tmp_path / "page.png", system)
    assert corner(picture) == tuple(paper)


def test_nothing_of_a_hostile_incident_runs(tmp_path: Path) -> None:
    incident, run = factory.normaliser()
    page = written(tmp_path, html.render(factory.hostile(incident, HOSTILE), run, Target()))
    shown = chromium.show(page)
    assert shown.console == []
    dom = pages.parsed(shown.dom)
    assert dom.query("title")[0].to_text() != "owned"
    assert dom.query("body")[0].to_text() != "owned"
    pages.assert_inert(dom)


def test_nothing_of_a_hostile_log_runs(tmp_path: Path) -> None:
    log = tmp_path / "hostile.log"
    log.write_text(
        f"eps = 1e-5 {HOSTILE}\nLayer 3: XV output: min=-2500, max=40960 {HOSTILE}\n"
        f"RuntimeError: {HOSTILE}\nstep 1: {HOSTILE}=1.0 loss=nan\n"
    )
    shown = chromium.show(written(tmp_path, html.render(*analyze(str(log), replay=False), Target())))
    assert shown.console == []
    assert "owned" in shown.dom  # it is shown, as text
    pages.assert_inert(pages.parsed(shown.dom))


def test_the_policy_stops_a_script_that_got_in(tmp_path: Path) -> None:
    """The second wall: even unescaped, it would not run."""
    text = report(LOGS[0]).replace("<main>", "<main><script>document.title='owned'</script>")
    shown = chromium.show(written(tmp_path, text))
    assert any("Content Security Policy" in line for line in shown.console)
    assert pages.parsed(shown.dom).query("title")[0].to_text() != "owned"


def test_a_report_prints(tmp_path: Path) -> None:
    page = written(tmp_path, report(LOGS[0]))
    chromium._run(page, f"--print-to-pdf={tmp_path / 'report.pdf'}")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_a_comparison_is_shown_and_its_console_is_silent(tmp_path: Path) -> None:
    logs = [str(LOGS[0].with_name(f"distill-t{temperature}.log")) for temperature in (6, 2)]
    text = compared.render(compare(logs, stated=("temperature=6:2",)), Target())
    shown = chromium.show(written(tmp_path, text))
    assert shown.console == []
    assert pages.shape(pages.parsed(shown.dom)) == pages.shape(pages.parsed(text))
