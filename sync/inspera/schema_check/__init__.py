"""A tenant's own schema, held against the calls that we make (vendor contract, Checking against a tenant's schema)."""

from sync.inspera.schema_check.compare import Compared, Match, compare
from sync.inspera.schema_check.schema import NotASchema, Schema

__all__ = ["Compared", "Match", "NotASchema", "Schema", "compare"]
