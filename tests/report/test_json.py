"""The JSON output is strict, stable and by its published schema."""

from __future__ import annotations

import json as standard
from pathlib import Path

import jsonschema
import pytest

from postmortem.incident import Incident
from postmortem.report import json
from tests.report import factory

PUBLISHED = Path(__file__).parents[2] / "docs" / "incident.schema.json"


def _refuse(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize("name", ["normaliser", "distillation", "infinite_gradients", "explosion"])
def test_an_incident_is_strict_json_by_the_published_schema(name: str) -> None:
    incident, _ = getattr(factory, name)()
    data = standard.loads(json.render(incident), parse_constant=_refuse)
    schema = standard.loads(PUBLISHED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(data)


def test_the_published_schema_is_current() -> None:
    published = standard.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert published == json.schema(), "write postmortem.report.json.schema() to docs/incident.schema.json"


def test_the_schema_refuses_what_is_no_incident() -> None:
    incident, _ = factory.normaliser()
    data = standard.loads(json.render(incident))
    data["findings"][0]["severity"] = "dreadful"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json.schema())


def test_the_keys_that_others_build_on() -> None:
    data = standard.loads(json.render(factory.normaliser()[0]))
    assert data["verdicts"][0]["fix"] == {"knob": "eps", "from": 1e-5, "to": 1e-3, "origin": "rule"}
    assert data["root_causes"] == ["impossible/normalised-beyond-bound"]
    assert data["findings"][0]["evidence"][0]["line"] == 17
    assert data["replays"][1]["scenarios"] == {"drawn": 1024, "kept": 311}


def test_numbers_that_json_lacks_are_words_and_come_back_as_numbers() -> None:
    incident, _ = factory.infinite_gradients()
    first = incident.replays[0]
    assert first.effect is not None
    effect = first.effect.model_copy(update={"before_high": float("inf"), "low": float("-inf")})
    changed = incident.model_copy(update={"replays": [first.model_copy(update={"effect": effect})]})
    text = json.render(changed)
    written = standard.loads(text)
    assert written["replays"][0]["effect"]["before_high"] == "inf"
    assert written["findings"][0]["values"]["first"] == "inf"
    jsonschema.validate(written, json.schema())
    assert Incident.model_validate_json(text).replays[0].effect == effect


def test_json_is_ascii_and_inert_in_a_script_element() -> None:
    incident, _ = factory.normaliser()
    hostile = incident.model_copy(update={"summary": ["</script><!-- \x1b[31m \u202e", "²"]})
    text = json.render(hostile)
    assert text.isascii()
    assert "\x1b" not in text
    assert "</script" not in text
    assert "<!--" not in text
    assert standard.loads(text)["summary"] == ["</script><!-- \x1b[31m \u202e", "²"]
