"""The schema of an LDAP server: which attributes exist, and which classes of entries have them."""

from collections.abc import Iterable
from typing import Any

from sync.errors import SourceError
from sync.sources.ldap.library import ldap3
from sync.sources.ldap.search import Searches


def refuse_unknown(searches: Searches, attributes: Iterable[str]) -> None:
    """Raise an error for an attribute that is not in the schema, or has another name there.

    It is for attributes that no entry has: a misspelt name would be blank for everyone. If the
    schema can't be read, all are accepted.

    Raises:
        SourceError: an attribute is unknown or has another name.
    """
    schema = _schema(searches)
    if schema is None or not schema.attribute_types:
        return
    for attribute in attributes:
        name = attribute.partition(";")[0]
        if name not in schema.attribute_types:
            reason = f"attribute '{name}' is not known to this LDAP server"
            raise SourceError(searches.place, reason, "correct its name in 'attributes'")
        proper = [str(known) for known in schema.attribute_types[name].name or ()]
        if proper and name.lower() != proper[0].lower():
            reason = f"attribute '{name}' is called '{proper[0]}' by this LDAP server"
            raise SourceError(searches.place, reason, f"write '{proper[0]}' in 'attributes'")


def attributes_of(searches: Searches, classes: Iterable[str]) -> tuple[str, ...]:
    """Return the attributes of these object classes, sorted; none if the schema can't be read."""
    schema = _schema(searches)
    if schema is None or not schema.object_classes:
        return ()
    names: set[str] = set()
    done: set[str] = set()
    waiting = list(classes)
    while waiting:
        name = waiting.pop().lower()
        if name in done or name not in schema.object_classes:
            continue
        done.add(name)
        class_ = schema.object_classes[name]
        names.update(class_.must_contain or (), class_.may_contain or ())
        waiting += class_.superior or ()
        waiting += _auxiliary(schema, class_.oid)
    return tuple(sorted(names, key=str.lower))


def _auxiliary(schema: Any, oid: str) -> list[str]:
    rules = schema.dit_content_rules or {}
    return list(rules[oid].auxiliary_classes or ()) if oid in rules else []


def _schema(searches: Searches) -> Any:
    connection = searches.connection
    server = connection.server
    if server.schema is None:
        server.get_info = ldap3.SCHEMA
        searches.run(connection.refresh_server_info)
    return server.schema
