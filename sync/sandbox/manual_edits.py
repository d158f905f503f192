"""Manual edits, as people make them in the vendor's pages: drift and existing records."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from sqlite3 import Connection

from sync.sandbox.activation import activate
from sync.sandbox.candidates import read_candidate, remove_candidate, save_candidate
from sync.sandbox.committees import (
    committee_names,
    make_committees,
    no_committee,
    read_committee,
    remove_committee,
)
from sync.sandbox.contributors import read_contributor, remove_contributor, save_contributor
from sync.sandbox.options import read_option, save_options
from sync.sandbox.people import (
    Existing,
    PersonKind,
    find_external,
    find_username,
    remove_person,
    save_staff,
    save_student,
)
from sync.sandbox.reader import BodyReader
from sync.sandbox.tests import DEFAULT_SYSTEM, MARKS, as_posted, mark_test, save_test
from sync.sandbox.wire import Json, Refusal

EXAMPLES: dict[str, Json] = {
    "move a test": {"test": "INF1000-H26", "end": "2026-12-01T12:30:00Z"},
    "activate a test": {"test": "INF1000-H26", "activated": True},
    "put a learner on a test": {
        "candidate": {"test": "INF1000-H26", "username": "s1001@example.edu", "candidateId": "0101"}
    },
    "give extra time": {
        "candidate": {"test": "INF1000-H26", "username": "s1001@example.edu", "extraTimeMins": 30}
    },
    "take a learner off a test": {
        "candidate": {"test": "INF1000-H26", "username": "s1001@example.edu", "removed": True}
    },
    "let a candidate start": {
        "candidate": {"test": "INF1000-H26", "username": "s1001@example.edu", "started": True}
    },
    "archive a test": {"test": "INF1000-H26", "archived": True},
    "make a test a parent of others": {"test": "INF1000-H26", "isAssessmentPath": True},
    "put staff on a test": {
        "contributor": {
            "test": "INF1000-H26",
            "username": "t7001@example.edu",
            "roles": ["monitor"],
        }
    },
    "take staff off a test": {
        "contributor": {"test": "INF1000-H26", "username": "t7001@example.edu", "removed": True}
    },
    "make a committee": {"committee": {"test": "INF1000-H26", "name": "A", "type": "GRADING"}},
    "remove a committee": {"committee": {"test": "INF1000-H26", "name": "A", "removed": True}},
    "set an option": {
        "option": {"test": "INF1000-H26", "option": "LOCKDOWN_BROWSER", "value": True}
    },
    "disable staff": {"staff": {"username": "t7001@example.edu", "status": "DISABLED"}},
    "remove an account": {"student": {"username": "s1001@example.edu", "removed": True}},
}
"""An edit of each sort, as the page of the sandbox shows them."""

_OURS = ("test", "activated")
_OUR_WORDS = {"start": "startTime", "end": "endTime", "template": "sourceTemplateId"}


def apply_edit(db: Connection, edit: Json) -> Json:
    """Carry out one edit, and return the id of what was edited.

    - A test: `{"test": external id, "title", "start", "end", "duration", "activated": true,
      "archived", "isAssessmentPath", "parentId", "externalSystem"}`; what is left out stays, and a
      test that does not exist is created.
    - A person: `{"student": …}` or `{"staff": …}`, as in their calls. With `"second": true` it
      becomes a second account of a username, as old tenants may have them.
    - A candidate: `{"candidate": {"test": external id, "username": …, or "authType" and
      "externalId", "candidateId", "extraTimeMins", "roomName", "buildingName", "committees", "started"}}`.
    - A contributor: `{"contributor": {…, "roles", "committees", "roomName", "buildingName"}}`,
      named as a candidate.
    - A committee: `{"committee": {"test", "name", "type"}}`.
    - An option: `{"option": {"test", "option", "value"}}`, also after the test's start.

    All except tests and options are removed with `"removed": true`; for a person, give the
    username.

    Raises:
        Refusal: 400 for an invalid edit, 404 for what does not exist, 409 as in the API.
    """
    kinds = [kind for kind in ("test", *_EDITS) if isinstance(edit, dict) and kind in edit]
    if len(kinds) != 1:
        raise Refusal(400, f"the edit: must have one of {', '.join(('test', *_EDITS))}")
    if kinds[0] == "test":
        return _edit_test(db, edit)
    if len(edit) > 1:
        raise Refusal(400, f"the edit: must have nothing in addition to {kinds[0]}")
    return _EDITS[kinds[0]](db, edit[kinds[0]])


def _edit_test(db: Connection, edit: dict[str, Json]) -> Json:
    external_id = edit["test"] if isinstance(edit["test"], str) else ""
    row = db.execute("SELECT * FROM tests WHERE external_id = ?", (external_id,)).fetchone()
    changes = {
        _OUR_WORDS.get(name, name): value
        for name, value in edit.items()
        if name not in _OURS and name not in MARKS
    }
    before = {"externalTestId": external_id} if row is None else as_posted(row)
    system = DEFAULT_SYSTEM if row is None else row["external_system"]
    run_id = save_test(db, before | changes, manual=True, system=system)[0]
    marks = {name: value for name, value in edit.items() if name in MARKS}
    mark_test(db, run_id, BodyReader(marks))
    if edit.get("activated"):
        activate(db, external_id)
    return {"assessmentRunId": run_id}


def _edit_student(db: Connection, body: Json) -> Json:
    body, existing = _second(body)
    return _removed(db, body, "student") or {"userId": save_student(db, body, existing)["user_id"]}


def _edit_staff(db: Connection, body: Json) -> Json:
    body, existing = _second(body)
    return _removed(db, body, "staff") or {"userId": save_staff(db, body, existing)["user_id"]}


def _second(body: Json) -> tuple[Json, Existing]:
    """Return the edit of a person without `second`, and what it asks for."""
    if not isinstance(body, dict) or body.get("second") is not True:
        return body, Existing.UPDATE
    return {name: value for name, value in body.items() if name != "second"}, Existing.SECOND


def _removed(db: Connection, body: Json, kind: PersonKind) -> Json:
    """Remove the person and return their id, if the edit asks for it."""
    if not isinstance(body, dict) or "removed" not in body:
        return None
    read = BodyReader(body, kind)
    person = _PersonReference(read.text("username", needed=True))
    if read.flag("removed") is False:
        read.complain("removed", "must be true, or left out")
    read.close()
    user_id = person.find(db, kind)
    remove_person(db, user_id)
    return {"userId": user_id}


def _edit_candidate(db: Connection, body: Json) -> Json:
    read = BodyReader(body, "candidate")
    test, removed, person, candidate = (
        _test(read),
        read.flag("removed"),
        _read_person(read),
        read_candidate(read, "committees"),
    )
    started = read.flag("started")
    read.close()
    if started is not None:
        candidate = replace(candidate, given={**candidate.given, "started": int(started)})
    run_id = _find_test(db, test, candidate.committees)
    user_id = person.find(db, "student")
    if not removed:
        save_candidate(db, run_id, user_id, candidate)
    elif not remove_candidate(db, run_id, user_id):
        raise Refusal(404, f"user {user_id} is not a candidate of test {test}")
    return {"assessmentRunId": run_id, "userId": user_id}


def _edit_contributor(db: Connection, body: Json) -> Json:
    read = BodyReader(body, "contributor")
    test, removed, person = _test(read), read.flag("removed"), _read_person(read)
    contributor = read_contributor(read, "committees", roles_needed=False)
    read.close()
    run_id = _find_test(db, test, contributor.committees)
    user_id = person.find(db, "staff")
    if not removed:
        save_contributor(db, run_id, user_id, contributor)
    elif not remove_contributor(db, run_id, user_id):
        raise Refusal(404, f"user {user_id} is not a contributor of test {test}")
    return {"assessmentRunId": run_id, "userId": user_id}


def _edit_committee(db: Connection, body: Json) -> Json:
    read = BodyReader(body, "committee")
    test, removed, (name, kind) = _test(read), read.flag("removed"), read_committee(read)
    read.close()
    run_id = _find_test(db, test)
    if not removed:
        make_committees(db, run_id, {name: kind})
    elif not remove_committee(db, run_id, name):
        raise Refusal(404, no_committee(name))
    return {"assessmentRunId": run_id}


def _edit_option(db: Connection, body: Json) -> Json:
    read = BodyReader(body, "option")
    test, option = _test(read), read_option(read)
    read.close()
    run_id = _find_test(db, test)
    save_options(db, run_id, [option])
    return {"assessmentRunId": run_id}


_EDITS: dict[str, Callable[[Connection, Json], Json]] = {
    "candidate": _edit_candidate,
    "student": _edit_student,
    "staff": _edit_staff,
    "contributor": _edit_contributor,
    "committee": _edit_committee,
    "option": _edit_option,
}


def _test(read: BodyReader) -> str:
    return read.text("test", needed=True) or ""


def _find_test(db: Connection, external_id: str, committees: Iterable[str] | None = None) -> int:
    """Return a test's id; it must have these committees."""
    row = db.execute("SELECT run_id FROM tests WHERE external_id = ?", (external_id,)).fetchone()
    if row is None:
        raise Refusal(404, f"test {external_id} does not exist")
    missing = sorted(set(committees or ()) - committee_names(db, row["run_id"]))
    if missing:
        raise Refusal(404, *map(no_committee, missing))
    return int(row["run_id"])


@dataclass(frozen=True, slots=True)
class _PersonReference:
    """A person, named in an edit by username or else by external id."""

    username: str | None
    auth_type: str | None = None
    external_id: str | None = None

    def find(self, db: Connection, kind: PersonKind) -> int:
        """Return the user id.

        Raises:
            Refusal: 404, no person of that kind has it.
        """
        if self.username:
            user_id = find_username(db, self.username, kind)
        else:
            user_id = find_external(db, (self.auth_type or "", self.external_id or ""), kind)
        if user_id is None:
            raise Refusal(404, f"{self.username or self.external_id or 'nobody'}: no such {kind}")
        return user_id


def _read_person(read: BodyReader) -> _PersonReference:
    return _PersonReference(read.text("username"), read.text("authType"), read.text("externalId"))
