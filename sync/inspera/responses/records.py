"""The vendor's words into ours: what reads give.

A `ValueError` says that an answer is not of the expected form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sync.inspera.responses.shapes import (
    as_object,
    member,
    moment,
    objects,
    pairs,
    required,
    text,
    unwrapped,
    whole_number,
)
from sync.records.remote import RemotePerson, RemoteTest

_STATUSES: Final = {"ACTIVE": "active", "DISABLED": "disabled"}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of results; `hits` counts those of all pages, `number` is this one's.

    `None` is what was not said.
    """

    rows: tuple[Mapping[str, object], ...]
    hits: int | None = None
    number: int | None = None


def page(document: object) -> Page:
    """Return a page of search results, or a bare list, which is all there is.

    Vendor contract, Test API: search.
    """
    if isinstance(document, list):
        return Page(tuple(objects(document)))
    outer = as_object(document)
    rows = tuple(objects(member(outer, "results", "users")))
    return Page(rows, whole_number(outer.get("hits")), whole_number(outer.get("page")))


def found_test(row: Mapping[str, object]) -> RemoteTest | None:
    """Return a test among search results, `None` for a template.

    Vendor contract, Test API: search.
    """
    if row.get("isTemplate") is True:
        return None
    return RemoteTest(
        remote_id=required(row, "assessmentRunId"),
        external_test_id=text(row.get("externalId")),
        title=text(row.get("assessmentRunTitle")),
        start=moment(row.get("startTime")),
        end=moment(row.get("endTime")),
        status=text(row.get("status")),
        duration=whole_number(row.get("duration")),
    )


def read_test(remote_id: str, document: object) -> RemoteTest:
    """Return a test read by its id, which shows little but its name.

    Vendor contract, Test API: read.
    """
    row = unwrapped(document)
    title = text(row.get("name")) or text(row.get("title"))
    if title is None:
        raise ValueError("a test without a name")
    return RemoteTest(
        remote_id=remote_id,
        external_test_id=text(row.get("externalTestId")) or text(row.get("externalId")),
        title=title,
        start=moment(row.get("startTime")),
        end=moment(row.get("endTime")),
        status=text(row.get("status")),
        duration=whole_number(row.get("duration")),
    )


def found_person(row: Mapping[str, object]) -> RemotePerson:
    """Return a person read or found.

    Vendor contract, Users API: conventions on the two spellings of `username`.
    """
    return RemotePerson(
        remote_id=text(row.get("userId")),
        username=text(row.get("username")) or text(row.get("userName")),
        external_ids=tuple(pairs(row.get("externalIds"), "externalId")),
        first_name=text(row.get("firstName")),
        last_name=text(row.get("lastName")),
        email=text(row.get("email")),
        status=_STATUSES.get((text(row.get("status")) or "").upper()),
    )


def read_person(document: object) -> RemotePerson:
    """Return a person read by their id (vendor contract, Users API)."""
    return found_person(unwrapped(document))


def exported_person(row: Mapping[str, object]) -> RemotePerson:
    """Return a person in an export, who is assumed to look as when read by their id (inferred)."""
    person = found_person(row)
    if not person.remote_id and not person.username:
        raise ValueError("a person without an id")
    return person


def done(document: object) -> None:
    """Return nothing but that there is an answer of the usual form.

    Vendor contract, Conventions.
    """
    as_object(document)


def saved_test(document: object) -> tuple[str, bool]:
    """Return the id of a test that was saved, and whether it is new.

    Vendor contract, Test API: create or update.
    """
    row = unwrapped(document)
    return required(row, "assessmentRunId"), text(row.get("status")) != "updated"


def saved_person(document: object) -> str | None:
    """Return the user id of a person who was saved, when it was said.

    Vendor contract, Users API.
    """
    return text(unwrapped(document).get("userId"))


def export_job(document: object) -> str:
    """Return the id of an export that was ordered (vendor contract, Users API: export users)."""
    return required(unwrapped(document), "jobId")


def export_status(document: object) -> tuple[str, str | None]:
    """Return how far an export is, and the link to it once it is there.

    Vendor contract, Users API: export users.
    """
    row = unwrapped(document)
    status, link = required(row, "status"), row.get("exportInfo")
    return status.lower(), text(link.get("signedResponseUrl")) if isinstance(link, dict) else None
