"""The HTML report: its order, what it shows, and that it is one well-formed file which does nothing."""

from __future__ import annotations

import pytest

from postmortem.report import figures, html
from tests.report import factory, pages

INCIDENTS = ["normaliser", "distillation", "infinite_gradients", "explosion", "long_run"]
HOSTILE = "</pre></title></style><script>alert(1)</script><img src=x onerror=alert(2)>\"'><b> &amp; javascript:alert(3)"


def rendered(name: str) -> str:
    incident, run = getattr(factory, name)()
    return html.render(incident, figures.draw(incident, run))


@pytest.mark.parametrize("name", INCIDENTS)
def test_the_page_is_well_formed_and_inert(name: str) -> None:
    page = pages.parsed(rendered(name))
    pages.assert_inert(page)
    (policy,) = [found["content"] for found in map(pages.attributes, page.query("meta")) if "http-equiv" in found]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def test_the_page_reads_from_the_verdict_to_the_versions() -> None:
    page = pages.parsed(rendered("normaliser"))
    assert [heading.to_text() for heading in page.query("h2")] == [
        "What to do next",
        "Timeline",
        "How the findings hang together",
        "Findings and their evidence",
        "Hypotheses: fixes and what is to be believed of them",
        "Figures",
        "Settings",
        "What was not checked",
        "With what",
    ]
    assert page.query(".verdict")[0].to_text().startswith("XV in layer 29 reaches 139,264")
    targets = [pages.attributes(link)["href"].removeprefix("#") for link in page.query("nav a")]
    assert targets == [pages.attributes(heading)["id"] for heading in page.query("h2")]


def test_evidence_folds_out_to_the_lines_around_it() -> None:
    incident, _ = factory.normaliser()
    first, *rest = incident.findings
    line = first.evidence[0].model_copy(update={"line": 17, "before": ["two before", "one before"], "after": ["next"]})
    changed = first.model_copy(update={"evidence": [line]})
    page = pages.parsed(html.render(incident.model_copy(update={"findings": [changed, *rest]})))
    (fold, *_) = page.query("article details")
    assert "job-7204342.log line 17" in fold.query("summary")[0].to_text()
    shown = fold.query("pre")[0].to_text(strip=False).splitlines()
    assert [row.split(maxsplit=1)[0] for row in shown] == ["15", "16", "17", "18"]
    assert fold.query("mark")[0].to_text().startswith("17")


def test_the_chain_is_drawn_with_a_box_per_finding_and_a_curve_per_link() -> None:
    page = pages.parsed(rendered("normaliser"))
    (drawing,) = page.query("figure.chain svg")
    assert [box.to_text() for box in drawing.query("text")] == [
        "impossible/normalised-beyond-bound",
        "norm/undersized-eps",
        "run/silent-exit",
    ]
    assert len(drawing.query("path.explains")) == len(drawing.query("path.refutes")) == 1


def test_each_figure_has_its_message_as_title_and_caption() -> None:
    page = pages.parsed(rendered("normaliser"))
    captions = [figure.query("figcaption")[0].to_text() for figure in page.query("#figures ~ figure")]
    titles = [figure.query("svg > title")[0].to_text() for figure in page.query("#figures ~ figure")]
    assert len(captions) == 2
    assert titles == captions
    assert captions[0].startswith("XV reaches 139,264 where 15.97 is possible")


@pytest.mark.parametrize("name", INCIDENTS)
def test_figures_take_the_colours_of_the_theme(name: str) -> None:
    page = pages.parsed(rendered(name))
    painted = {
        value
        for svg in page.query("figure svg")
        for element in svg.query("*")
        for name, value in pages.attributes(element).items()
        if name in {"style", "fill", "stroke"}
    }
    assert any("var(--ink)" in paint for paint in painted)
    assert not [paint for paint in painted if "#" in paint.replace("url(#", "")]


@pytest.mark.parametrize("name", INCIDENTS)
def test_hostile_text_changes_nothing_but_the_text(name: str) -> None:
    incident, _ = getattr(factory, name)()
    page = pages.parsed(html.render(factory.hostile(incident, HOSTILE)))
    pages.assert_inert(page)
    assert pages.shape(page) == pages.shape(pages.parsed(html.render(incident)))
    assert "<script>alert(1)</script>" in page.query(".verdict")[0].to_text()


def test_an_incident_without_anything_is_a_page() -> None:
    bare = factory.incident(factory.log("empty.log", 3), [])
    text = pages.parsed(html.render(bare)).to_text()
    for said in ("Nothing was found.", "No fix was judged.", "The log states none.", "Every rule was checked."):
        assert said in text
