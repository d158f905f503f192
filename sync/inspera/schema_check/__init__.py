"""The comparison of our calls, and of what we assume, with a tenant's own schema."""

from sync.inspera.schema_check.assumptions import Assumption, SchemaFinding, Settled, settle
from sync.inspera.schema_check.compare import ComparedCall, Match, compare
from sync.inspera.schema_check.schema import Schema, SchemaError

__all__ = [
    "Assumption",
    "ComparedCall",
    "Match",
    "Schema",
    "SchemaError",
    "SchemaFinding",
    "Settled",
    "compare",
    "settle",
]
