"""What a directory's schema says about attributes: which there are, and which entries of some classes may have."""

from collections.abc import Iterable
from typing import Any

from sync.errors import SourceError
from sync.sources.ldap.library import ldap3
from sync.sources.ldap.search import Searches


def refuse_unknown(searches: Searches, attributes: Iterable[str]) -> None:
    """Raises a `SourceError` for an attribute that the directory does not know, or knows by another name.

    It is asked about those that no entry has: a name with a slip in it would be blank for everybody. When the schema
    can't be read nothing is said.
    """
    schema = _schema(searches)
    if schema is None or not schema.attribute_types:
        return
    for attribute in attributes:
        name = attribute.partition(";")[0]
        if name not in schema.attribute_types:
            reason = f"attribute '{name}' is not known to this directory"
            raise SourceError(searches.place, reason, "correct its name in 'attributes'")
        proper = [str(one) for one in schema.attribute_types[name].name or ()]
        if proper and name.lower() != proper[0].lower():
            reason = f"attribute '{name}' is called '{proper[0]}' by this directory"
            raise SourceError(searches.place, reason, f"write '{proper[0]}' in 'attributes'")


def attributes_of(searches: Searches, classes: Iterable[str]) -> tuple[str, ...]:
    """The attributes that entries of these object classes may have, sorted; none when the schema can't be read."""
    schema = _schema(searches)
    if schema is None or not schema.object_classes:
        return ()
    found: set[str] = set()
    done: set[str] = set()
    waiting = list(classes)
    while waiting:
        name = waiting.pop().lower()
        if name in done or name not in schema.object_classes:
            continue
        done.add(name)
        one = schema.object_classes[name]
        found.update(one.must_contain or (), one.may_contain or ())
        waiting += one.superior or ()
        waiting += _auxiliary(schema, one.oid)
    return tuple(sorted(found, key=str.lower))


def _auxiliary(schema: Any, oid: str) -> list[str]:
    rules = schema.dit_content_rules or {}
    return list(rules[oid].auxiliary_classes or ()) if oid in rules else []


def _schema(searches: Searches) -> Any:
    connection = searches.connection
    server = connection.server
    if server.schema is None:
        server.get_info = ldap3.SCHEMA
        searches.guarded(connection.refresh_server_info)
    return server.schema
