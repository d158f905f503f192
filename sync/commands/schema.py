"""`schema`: the JSON Schema of the configuration, or the reference of its settings."""

from sync.config import reference_text, schema_text
from sync.console import put, use_json_escapes, write
from sync.exit_codes import Exit


def schema(*, markdown: bool) -> Exit:
    """Print the schema, or the reference as Markdown."""
    if markdown:
        put(reference_text())
    else:
        use_json_escapes()
        write(schema_text())
    return Exit.OK
