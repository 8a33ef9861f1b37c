"""The examples of the documentation run, and print what stands beneath them."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: The end of a fenced block is no output.
FENCED = re.compile(r"```python\n(>>> .*?)```", re.DOTALL)


@pytest.mark.parametrize("page", ["docs/python.md"])
def test_the_examples_print_what_is_shown(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = "\n".join(FENCED.findall((ROOT / page).read_text()))
    examples = doctest.DocTestParser().get_doctest(blocks, {}, page, page, 0)
    told: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples, out=told.append)
    assert result.attempted == blocks.count(">>> ") > 0
    assert result.failed == 0, "".join(told)
