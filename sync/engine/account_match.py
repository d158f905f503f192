"""The match of people with accounts: by external id, by login, then by email if configured.

An account that matches so, and of which names and email are others, is perhaps somebody else's: see
`unlike`.
"""

import re
from collections.abc import Mapping, Sequence
from unicodedata import normalize

from sync.engine.protocols import Target
from sync.errors import CallMissing, Refused
from sync.records.base import Key, Kind
from sync.records.changes import Fields
from sync.records.kinds import COMPARED, PERSON_OF
from sync.records.remote import RemotePerson
from sync.state.store import Store

_MOST_IDS = 5


def match_person(
    target: Target, wanted: Fields, *, by_email: bool = False
) -> tuple[RemotePerson | None, str]:
    """Return the account of this person, or why there is doubt.

    Neither when Inspera has nobody.

    With `by_email` an account with this address counts, when neither external id nor login leads to
    one: the vendor's own integrations match so, but only where no login id is given (vendor
    contract, Users API).

    Raises:
        CallError: Inspera could not be read.
    """
    found = target.find_person(str(wanted["auth_system"]), str(wanted["external_id"]))
    if found:
        same = found[0].username == wanted["username"]
        return _only(
            found,
            "external id",
            "" if same else "the account with this external id has another username",
        )
    try:
        found, by = target.find_person_by_login(str(wanted["username"])), "username"
        if not found and by_email and wanted.get("email"):
            found, by = target.find_person_by_email(str(wanted["email"])), "email address"
    except (CallMissing, Refused):
        # This tenant, or this key, can't search for people: only external ids count
        return None, ""
    if not found:
        return None, ""
    if by == "username" and found[0].username != wanted["username"]:
        return _only(found, by, "the account in Inspera has this username in another case")
    linked = any(system == wanted["auth_system"] for system, _ in found[0].external_ids)
    return _only(found, by, f"the account with this {by} has another external id" if linked else "")


def _only(found: Sequence[RemotePerson], by: str, trouble: str) -> tuple[RemotePerson | None, str]:
    if len(found) > 1:
        ids = ", ".join(person.remote_id or "?" for person in found[:_MOST_IDS])
        trouble = f"several accounts in Inspera have this {by} (user ids {ids})"
    return (None, f"{trouble}; correct the source, or Inspera") if trouble else (found[0], "")


def values_of(wanted: Fields, person: RemotePerson) -> Fields:
    """Return what is known of a person once they are matched.

    These are Inspera's values; an external id only where it is linked.
    """
    linked = (str(wanted["auth_system"]), str(wanted["external_id"])) in person.external_ids
    return {
        "username": person.username,
        "auth_system": wanted["auth_system"] if linked else None,
        "external_id": wanted["external_id"] if linked else None,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "status": person.status,
    }


def has_all(wanted: Fields, there: Fields) -> bool:
    """Tell whether an account shows every wanted value, so that nothing needs to be sent."""
    values = (name for name in COMPARED[Kind.STAFF] if wanted.get(name) is not None)
    return all((there.get(name) or "") == wanted[name] for name in values)


def identity_of(store: Store, kind: Kind, key: Key) -> tuple[str, str]:
    """Return the name under which Inspera shows a record on a test.

    It is auth system and external id, or an empty text and a committee's name.

    Both are empty for a record of which nothing is known.
    """
    if kind not in PERSON_OF:
        return "", key[1]
    person = store.known.find(PERSON_OF[kind], (key[1],))
    return (str(person["auth_system"]), str(person["external_id"])) if person else ("", "")


def unlike(wanted: Fields, there: Fields) -> tuple[str, ...]:
    """Return the fields of an account or test that differ, when no comparable field agrees.

    Names and email of people are compared, and title and start of tests. A field that one side
    leaves blank, or that Inspera does not show, proves nothing. Case, blanks, punctuation, the
    Unicode form of letters and the order of names do not count; another spelling does. A side with
    only one of the two names agrees with a longer name.
    """
    compared = {word: same for word, same in _compared(wanted, there).items() if same is not None}
    return tuple(compared) if compared and not any(compared.values()) else ()


def _compared(wanted: Fields, there: Fields) -> Mapping[str, bool | None]:
    if "title" in wanted:
        title = _same(_words(wanted.get("title")), _words(there.get("title")))
        return {
            "another title": title,
            "another start": _same(_plain(wanted.get("start")), _plain(there.get("start"))),
        }
    return {
        "other names": _same_names(_names(wanted), _names(there)),
        "another email": _same(_plain(wanted.get("email")), _plain(there.get("email"))),
    }


def _plain(value: object) -> str:
    return normalize("NFKC", str(value or "")).casefold().strip()


def _words(value: object) -> list[str]:
    return sorted(re.findall(r"\w+", _plain(value)))


def _names(fields: Fields) -> tuple[list[str], list[str]]:
    return _words(fields.get("first_name")), _words(fields.get("last_name"))


def _same(one: object, other: object) -> bool | None:
    return one == other if one and other else None


def _same_names(
    one: tuple[list[str], list[str]], other: tuple[list[str], list[str]]
) -> bool | None:
    mine, theirs = sorted(one[0] + one[1]), sorted(other[0] + other[1])
    if not (all(one) and all(other)) and mine and theirs:
        return set(mine) <= set(theirs) or set(theirs) <= set(mine)
    return _same(mine, theirs)
