"""The pseudonyms of people in the audit log, which nobody can resolve once a person is forgotten.

Each person has a random salt in a table of its own. A pseudonym is the key under that salt, and so
is the hash of their values. When the salt is deleted, the lines stay and name nobody.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from sync.records.base import Key, Kind
from sync.records.kinds import PEOPLE, PERSON_OF

SALT_BYTES = 32

_READ = text(
    "SELECT key, salt, pseudonym FROM audit_person WHERE kind = :kind AND key IN :keys"
).bindparams(bindparam("keys", expanding=True))
_ADD = text(
    "INSERT INTO audit_person (kind, key, salt, pseudonym) VALUES (:kind, :key, :salt, :pseudonym)"
)
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """A person in the audit log."""

    name: str
    salt: bytes

    def hash_of(self, content: str) -> str:
        """Return the hash of values of this person."""
        return hmac.digest(self.salt, content.encode(), "sha256").hex()


def person_of(kind: Kind, key: Key) -> tuple[Kind, str] | None:
    """Return the person that a record is, or belongs to."""
    if kind in PEOPLE:
        return kind, key[0]
    return (PERSON_OF[kind], key[1]) if kind in PERSON_OF else None


def plain_part(kind: Kind, key: Key) -> str:
    """Return the parts of a key that do not name a person."""
    if kind in PEOPLE:
        return ""
    return key[0] if kind in PERSON_OF else "/".join(key)


def hash_of(content: str) -> str:
    """Return the hash of values that belong to no person."""
    return hashlib.sha256(content.encode()).hexdigest()


def pseudonyms(
    connection: Connection, people: Collection[tuple[Kind, str]]
) -> Mapping[tuple[Kind, str], Pseudonym]:
    """Return the pseudonyms of people, and give one to those who have none; the caller commits."""
    found: dict[tuple[Kind, str], Pseudonym] = {}
    for kind in sorted({kind for kind, _ in people}):
        keys = sorted({key for of, key in people if of is kind})
        for start in range(0, len(keys), _CHUNK):
            values = {"kind": kind.value, "keys": keys[start : start + _CHUNK]}
            for key, salt, name in connection.execute(_READ, values):
                found[kind, key] = Pseudonym(name, bytes(salt))
        new = {key: _draw(kind, key) for key in keys if (kind, key) not in found}
        if new:
            rows = [
                {"kind": kind.value, "key": key, "salt": one.salt, "pseudonym": one.name}
                for key, one in new.items()
            ]
            connection.execute(_ADD, rows)
        found.update({(kind, key): one for key, one in new.items()})
    return found


def _draw(kind: Kind, key: str) -> Pseudonym:
    salt = secrets.token_bytes(SALT_BYTES)
    return Pseudonym(hmac.digest(salt, f"{kind}/{key}".encode(), "sha256").hex()[:32], salt)


def find_pseudonym(connection: Connection, kind: Kind, key: str) -> str | None:
    """Return the pseudonym of a person, if they have one."""
    row = connection.execute(_READ, {"kind": kind.value, "keys": [key]}).first()
    return str(row.pseudonym) if row else None


def forget(connection: Connection, kind: Kind, key: str) -> None:
    """Delete the salt of a person, so that nobody can tell who their lines are about."""
    connection.execute(
        text("DELETE FROM audit_person WHERE kind = :kind AND key = :key"),
        {"kind": kind.value, "key": key},
    )
