"""A figure as SVG inside a page: colours of the page's theme, names of its own, nothing that reaches outside it."""

from __future__ import annotations

import re
import warnings
from io import StringIO
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np

from postmortem.report.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG: Final = "http://www.w3.org/2000/svg"
_LINK: Final = "http://www.w3.org/1999/xlink"
#: Colours that a page sets by its theme: what is drawn dark on white must be light on black.
_THEMED: Final = {
    style.BLUE: "var(--blue)",
    style.SKY: "var(--sky)",
    style.GREEN: "var(--green)",
    style.ORANGE: "var(--orange)",
    style.RED: "var(--red)",
    style.GREY: "var(--muted)",
    style.INK: "var(--ink)",
    "#000000": "var(--ink)",
    style.SHADE: "var(--bar)",
    style.GRID: "var(--grid)",
    "#ffffff": "var(--paper)",
}
_COLOUR: Final = re.compile("|".join(map(re.escape, _THEMED)), re.IGNORECASE)
_BY_LOWER: Final = {colour.lower(): variable for colour, variable in _THEMED.items()}
#: What matplotlib writes for all of a drawing, in a style sheet that would hold for the whole page.
_FOR_ALL: Final = {"stroke-linejoin": "round", "stroke-linecap": "butt", "fill": "var(--ink)"}


def inline(sheet: Figure, name: str) -> str:
    """`sheet` as an `svg` element for an HTML page, titled with its message; no other figure there has its `name`."""
    drawn = StringIO()
    with (
        np.errstate(all="ignore"),
        warnings.catch_warnings(),
        mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}),
    ):
        warnings.simplefilter("ignore", UserWarning)
        sheet.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    root = ET.fromstring(drawn.getvalue())  # noqa: S314 - matplotlib wrote it just now
    for parent in list(root.iter()):
        for child in [*parent.findall(f"{{{_SVG}}}metadata"), *parent.findall(f"{{{_SVG}}}style")]:
            parent.remove(child)
    for element in root.iter():
        for key, value in element.attrib.items():
            element.set(key, _own(key, value, name))
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {**_FOR_ALL, "role": "img", "aria-labelledby": f"{name}-title"}
    title = ET.Element(f"{{{_SVG}}}title", {"id": f"{name}-title"})
    title.text = " ".join(sheet.get_suptitle().split())
    root.insert(0, title)
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _LINK)
    return ET.tostring(root, encoding="unicode")


def _own(key: str, value: str, name: str) -> str:
    """An attribute with colours of the theme, and with ids that no other figure has."""
    if key == "id":
        return f"{name}-{value}"
    if key == f"{{{_LINK}}}href":
        return value.replace("#", f"#{name}-", 1)
    value = value.replace("url(#", f"url(#{name}-")
    return _COLOUR.sub(lambda colour: _BY_LOWER[colour[0].lower()], value)
