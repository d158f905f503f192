"""The comparison of our calls with a tenant's own schema."""

from sync.inspera.schema_check.compare import ComparedCall, Match, compare
from sync.inspera.schema_check.schema import Schema, SchemaError

__all__ = ["ComparedCall", "Match", "Schema", "SchemaError", "compare"]
