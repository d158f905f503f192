"""The configuration as a JSON Schema, by which editors complete, explain and check it."""

import json
from typing import Any

from sync.config.model import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The settings model as a JSON Schema (draft 2020-12), every setting with its description and default."""
    schema = Settings.model_json_schema()
    schema["title"] = "inspera-sync"
    schema["description"] = f"The configuration file of inspera-sync. {Settings.__doc__}"
    return {"$schema": DIALECT, **schema}


def schema_text() -> str:
    """The same as text, just as `config/schema.json` holds it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
