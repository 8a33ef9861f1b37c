"""HTML pages, for tests: parsed as strictly as browsers are lenient."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from justhtml import JustHTML

if TYPE_CHECKING:
    from collections.abc import Iterator


def parsed(text: str) -> JustHTML:
    """The page, as it stands. JustHTML's StrictModeError for anything that is no well-formed HTML."""
    return JustHTML(text, sanitize=False, strict=True)


def elements(page: JustHTML) -> Iterator[Any]:
    """All elements of a page."""
    yield from page.query("*")


def attributes(element: Any) -> dict[str, str]:  # noqa: ANN401 - whatever the parser calls an element
    """The attributes of an element; one without a value has an empty one."""
    return {name: value or "" for name, value in (element.attrs or {}).items()}


def shape(page: JustHTML) -> Counter[str]:
    """How many elements there are of each kind: what text in them must not change."""
    return Counter(element.name for element in elements(page))


def assert_inert(page: JustHTML) -> None:
    """Nothing in the page runs, loads or leads anywhere."""
    assert not {"script", "iframe", "object", "embed", "link", "img", "base", "form"} & shape(page).keys()
    for element in elements(page):
        for name, value in attributes(element).items():
            assert not name.startswith("on"), (name, value)
            assert name not in {"src", "srcset", "action", "formaction"}, (name, value)
            if name.endswith("href"):
                assert value.startswith("#"), (name, value)
            assert "url(" not in value.replace("url(#", ""), (name, value)
    ids = [attributes(element)["id"] for element in elements(page) if "id" in attributes(element)]
    assert len(ids) == len(set(ids))
