"""Readers of responses about tests, people and exports.

They raise `ValueError` for a response that does not have the expected form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sync.inspera.responses.shapes import (
    as_object,
    flag,
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
    """One page of results.

    Attributes:
        hits: the number of results on all pages; None if the response does not contain it.
        number: the number of this page; None if the response does not contain it.
    """

    rows: tuple[Mapping[str, object], ...]
    hits: int | None = None
    number: int | None = None


def page(document: object) -> Page:
    """Return a page of search results. A bare list counts as the only page.

    See vendor contract, Test API: search.
    """
    if isinstance(document, list):
        return Page(tuple(objects(document)))
    outer = as_object(document)
    rows = tuple(objects(member(outer, "results", "users")))
    return Page(rows, whole_number(outer.get("hits")), whole_number(outer.get("page")))


def test_from_search(row: Mapping[str, object]) -> RemoteTest | None:
    """Return a test from search results, or None for a template.

    See vendor contract, Test API: search.
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
        is_parent=flag(row.get("isAssessmentPath")),
        parent_id=text(row.get("parentId")),
    )


def read_test(remote_id: str, document: object) -> RemoteTest:
    """Return a test that was read by its id. The response contains little more than its name.

    See vendor contract, Test API: read.
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
        is_parent=flag(row.get("isAssessmentPath")),
        parent_id=text(row.get("parentId")),
    )


def person_from_read(row: Mapping[str, object]) -> RemotePerson:
    """Return a person from a read or a search.

    Inspera spells `username` in two ways (vendor contract, Users API and Conventions).
    """
    return RemotePerson(
        remote_id=text(row.get("userId")),
        username=text(row.get("username")) or text(row.get("userName")),
        external_ids=_external_ids(row),
        first_name=text(row.get("firstName")),
        last_name=text(row.get("lastName")),
        email=text(row.get("email")),
        status=_STATUSES.get((text(row.get("status")) or "").upper()),
    )


def _external_ids(row: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return the external ids of a person: a list, or one with its system in the flat shape."""
    listed = tuple(pairs(row.get("externalIds"), "externalId"))
    system, external_id = text(row.get("externalSystem")), text(row.get("externalId"))
    return listed or (((system, external_id),) if system and external_id else ())


def read_person(document: object) -> RemotePerson:
    """Return a person that was read by their id (vendor contract, Users API)."""
    return person_from_read(unwrapped(document))


def exported_person(row: Mapping[str, object]) -> RemotePerson:
    """Return a person from an export. It is inferred that the form is that of a read by id."""
    person = person_from_read(row)
    if not person.remote_id and not person.username:
        raise ValueError("a person without an id")
    return person


def done(document: object) -> None:
    """Check that the response is a JSON object, as all are (vendor contract, Conventions)."""
    as_object(document)


def saved_test_id(document: object) -> tuple[str, bool]:
    """Return the id of a saved test, and whether the call created it.

    See vendor contract, Test API: create or update.
    """
    row = unwrapped(document)
    return required(row, "assessmentRunId"), (text(row.get("status")) or "").lower() != "updated"


def saved_person_id(document: object) -> str | None:
    """Return the user id of a saved person, or None if the response does not contain it."""
    return text(unwrapped(document).get("userId"))


def export_job(document: object) -> str:
    """Return the job id of an ordered export (vendor contract, Users API: export users)."""
    return required(unwrapped(document), "jobId")


def export_status(document: object) -> tuple[str, str | None]:
    """Return the status of an export, and the link to its file once it is ready.

    See vendor contract, Users API: export users.
    """
    row = unwrapped(document)
    status, link = required(row, "status"), row.get("exportInfo")
    return status.lower(), text(link.get("signedResponseUrl")) if isinstance(link, dict) else None
