"""The names of the calls that a sandbox has received, as the contract names them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

_NAMES = (
    ("POST /api/v1/users/student", "learner.save"),
    ("POST /api/v1/users", "staff.save"),
    ("GET /api/v1/users/external/*", "person.by_external_id"),
    ("GET /api/v1/users/search", "person.search"),
    ("POST /api/v1/test", "test.save"),
    ("GET /api/v1/test/search", "test.search"),
    ("GET /api/v1/test/*/candidates", "candidate.list"),
    ("GET /api/v1/test/*", "test.read"),
    ("POST /api/v1/test/*/options", "option.set"),
    ("POST /api/v1/test/*/committees", "committee.create"),
    ("DELETE /api/v1/test/*/committees", "committee.remove"),
    ("POST /api/v1/test/*/contributors", "contributor.assign"),
    ("DELETE /api/v1/test/*/contributors", "contributor.remove"),
    ("POST /api/v1/test/*/candidates", "candidate.assign"),
    ("DELETE /api/v1/test/*/candidates", "candidate.remove"),
    ("POST /api/v1/fileExport/order", "export.order"),
    ("GET /api/v1/fileExport/status/*", "export.status"),
    ("GET /export/*", "export.file"),
    ("POST /api/authenticate/token/", "token.fetch"),
)
"""Creating and updating a test are one call to the tenant, as are all that save a person."""


def count_calls(calls: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Count calls by name."""
    return Counter(_name(f"{call['method']} {call['path']}") for call in calls)


def _name(call: str) -> str:
    return next(name for pattern, name in _NAMES if fnmatchcase(call, pattern))
