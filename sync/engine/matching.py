"""Whose account is it? People are matched by external id, then login, then (only if configured) email."""

from collections.abc import Sequence

from sync.engine.doors import Store, Target
from sync.errors import CallMissing, Refused
from sync.found import FoundPerson
from sync.model import PERSON_OF, Key, Kind
from sync.plan import Fields


def match_person(target: Target, wanted: Fields, *, by_email: bool = False) -> tuple[FoundPerson | None, str]:
    """The account that is this person's, or why there is doubt; neither when Inspera has nobody.

    With `by_email` an account with this address counts, when neither external id nor login leads to one: the vendor's
    own integrations match so, but only where no login id is given (vendor contract, Users API).

    Raises:
        CallError: Inspera could not be read.
    """
    found = target.find_person(str(wanted["auth_system"]), str(wanted["external_id"]))
    if found:
        same = found[0].username == wanted["username"]
        return _only(found, "external id", "" if same else "the account with this external id has another username")
    try:
        found, by = target.find_person_by_login(str(wanted["username"])), "username"
        if not found and by_email and wanted.get("email"):
            found, by = target.find_person_by_email(str(wanted["email"])), "email address"
    except (CallMissing, Refused):
        return None, ""  # this tenant, or this key, can't search for people: only external ids count
    if not found:
        return None, ""
    linked = any(system == wanted["auth_system"] for system, _ in found[0].external_ids)
    return _only(found, by, f"the account with this {by} has another external id" if linked else "")


def _only(found: Sequence[FoundPerson], by: str, trouble: str) -> tuple[FoundPerson | None, str]:
    if len(found) > 1:
        trouble = f"several accounts in Inspera have this {by}"
    return (None, f"{trouble}; correct the source, or Inspera") if trouble else (found[0], "")


def values_of(wanted: Fields, person: FoundPerson) -> Fields:
    """What is known of a person once they are matched: Inspera's values; an external id only where it is linked."""
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


def identity_of(store: Store, kind: Kind, key: Key) -> tuple[str, str]:
    """Under what a reading of a test shows a record: auth system and external id, or nothing and a committee's name.

    Both are empty for somebody of whom nothing is known.
    """
    if kind not in PERSON_OF:
        return "", key[1]
    person = store.known(PERSON_OF[kind], (key[1],))
    return (str(person["auth_system"]), str(person["external_id"])) if person else ("", "")
