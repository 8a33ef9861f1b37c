"""The incident as JSON: strict, plain ASCII, by the schema in docs/incident.schema.json.

JSON has no infinity and no nan, and null already says "unknown": non-finite numbers are the strings
"inf", "-inf" and "nan", which pydantic reads back as numbers wherever a number is declared.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final

from pydantic.json_schema import GenerateJsonSchema

from postmortem.incident import Incident
from postmortem.report.mask import scrub

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def render(said: BaseModel) -> str:
    """An incident, or what else is said, as JSON text with a final line end; inert in an HTML script element too."""
    return text(scrub(said).model_dump(by_alias=True))


def text(data: object) -> str:
    """Any data as such JSON text."""
    shown = json.dumps(_strict(data), allow_nan=False, indent=2)
    return shown.replace("</", "<\\/").replace("<!", "\\u003c!") + "\n"


def schema(model: type[BaseModel] = Incident) -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of what `render` gives for a model, published in docs/."""
    return {
        "$schema": _DIALECT,
        **model.model_json_schema(mode="serialization", by_alias=True, schema_generator=_Schema),
    }


class _Schema(GenerateJsonSchema):
    """Numbers as `render` writes them."""

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        return {"anyOf": [super().float_schema(schema), {"enum": ["inf", "-inf", "nan"]}]}


def _strict(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    return value
