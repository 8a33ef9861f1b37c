"""The pages of `docs/rules/`: one for each rule that ships, and their index. `make docs` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from postmortem.report.rule import index, page
from postmortem.rules.catalogue import SHIPPED, Entry
from postmortem.rules.check import judged
from postmortem.rules.rule import SHIPPED as FOLDER
from postmortem.rules.rule import load_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.rules.rule import Rule


def write(folder: Path) -> None:
    """Write all pages below a folder, and remove those of rules that are no more."""
    rules, errors = load_folder(FOLDER)
    assert not errors, errors  # noqa: S101 - the tests say what is wrong with a rule that ships
    pages = {Path("README.md"): contents(rules)} | {Path(f"{rule.id}.md"): of(rule, rules) for rule in rules}
    for stale in {path.relative_to(folder) for path in folder.rglob("*.md")} - set(pages):
        (folder / stale).unlink()
    for path, text in pages.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def of(rule: Rule, rules: Sequence[Rule]) -> str:
    """The page of a rule, as it stands two folders below `docs/`."""
    (hit,) = judged(rule, rule.tests.fires[0].log).hits
    return page(
        Entry(rule, SHIPPED),
        rules,
        values=hit.rows[0],
        link=lambda other: f"../{other}.md",
        source=f"Written in [`rules/{rule.id}.yaml`](../../../rules/{rule.id}.yaml).",
    )


def contents(rules: Sequence[Rule]) -> str:
    """The index of all pages, as it stands in `docs/rules/`."""
    return index(rules, link=lambda rule: f"{rule}.md")
