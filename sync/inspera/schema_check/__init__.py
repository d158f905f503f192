"""A tenant's own schema, held against the calls that we make.

Vendor contract, Checking against a tenant's schema.
"""

from sync.inspera.schema_check.compare import ComparedCall, Match, compare
from sync.inspera.schema_check.schema import Schema, SchemaError

__all__ = ["ComparedCall", "Match", "Schema", "SchemaError", "compare"]
