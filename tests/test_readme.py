"""The README and the page of commands show what the command says."""

from __future__ import annotations

import re
from pathlib import Path

from docs import build
from postmortem.parsing import dialects

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_page_of_commands_is_current() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    assert page == build.commands()  # `make docs` writes it
    assert "## postmortem rules test\n" in page


def test_the_help_and_the_output_are_current() -> None:
    # figures of a replay may differ in their last digit on another processor; what is said may not
    said, shown = (re.sub(r"[0-9][0-9,.e+-]*", "0", text) for text in (build.readme(README), README))
    assert said == shown
    assert README.count("Usage: postmortem [OPTIONS]") == README.count("Root cause  impossible/") == 1


def test_the_count_of_dialects_is_current() -> None:
    assert f"{len(dialects.shipped().all)} dialects in `postmortem/formats/`" in README
