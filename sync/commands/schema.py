"""`schema`: the JSON Schemas of the configuration and of reports, and the settings' reference."""

from pathlib import Path

from sync import report
from sync.config import reference_text, schema_text
from sync.console import put, use_json_escapes, write
from sync.exit_codes import Exit


def schema(*, markdown: bool, of_reports: bool = False) -> Exit:
    """Print the schema, or the reference as Markdown."""
    if markdown:
        put(reference_text())
        return Exit.OK
    use_json_escapes()
    write(report_schema_text() if of_reports else schema_text())
    return Exit.OK


def report_schema_text() -> str:
    """Return the JSON Schema of a report in JSON."""
    return (Path(report.__file__).parent / "report.schema.json").read_text(encoding="utf-8")
