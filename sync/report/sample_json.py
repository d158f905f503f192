"""A sample as JSON, for programs."""

import json
from typing import Any

from sync.report.sampled import MappedRecord, Sample, SampledRow, Shown, ShownTime
from sync.text.masking import masked


def sample_json(sample: Sample, status: int) -> str:
    """Return the sample as one JSON document; a field left alone is null, a time has its zone."""
    document = {
        "source": sample.source,
        "place": sample.place,
        "columns": list(sample.columns),
        "rows": [_row(row) for row in sample.rows],
        "problems": [masked(text) for text in sample.problems],
        "notes": list(sample.notes),
        "exit_status": int(status),
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def _row(row: SampledRow) -> dict[str, Any]:
    return {
        "place": row.place,
        "read": dict(row.cells),
        "feeds": [_record(record) for record in row.records],
    }


def _record(record: MappedRecord) -> dict[str, Any]:
    return {
        "feed": record.feed,
        "kind": record.kind,
        "outcome": record.outcome,
        "joined": dict(record.joined),
        "record": {name: _value(value) for name, value in record.fields.items()},
        "row_errors": [
            {
                "field": row_error.field,
                "reason": masked(row_error.reason),
                "remedy": masked(row_error.remedy),
            }
            for row_error in record.row_errors
        ],
    }


def _value(value: Shown) -> Any:
    if not isinstance(value, ShownTime):
        return value
    return {"utc": value.utc} | ({"local": value.local, "zone": value.zone} if value.zone else {})
