"""The JSON Schema of the configuration, with which editors complete, explain and check it."""

import json
from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from sync.config.model import Settings
from sync.config_base.descriptions import description
from sync.config_base.durations import duration_text

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with descriptions of settings, and defaults of durations such as `90s`.

    For defaults pydantic ignores the serializer of the type, and would write `PT90S`.
    """

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        """Return the schema of a model, with what each setting is for."""
        model = super().model_schema(schema)
        for name, about in model.get("properties", {}).items():
            if text := description(schema["cls"], name):
                about.setdefault("description", text)
        return model

    def encode_default(self, dft: Any) -> Any:
        """Return a default as JSON."""
        return duration_text(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the settings, with descriptions and defaults."""
    schema = Settings.model_json_schema(schema_generator=_Generator)
    schema["title"] = "inspera-sync"
    schema["description"] = f"The configuration file of inspera-sync. {Settings.__doc__}"
    return {"$schema": DIALECT, **schema}


def schema_text() -> str:
    """Return the text of `config/schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
