"""What people do in the vendor's own pages, beside every integration: it plants drift, and records to be found."""

from sqlite3 import Connection

from sync.sandbox.candidates import read_seat, remove_seat, save_seat
from sync.sandbox.exams import as_posted, save_test
from sync.sandbox.users import find_external, save_student
from sync.sandbox.wire import Json, Reader, Refusal

_OUR_WORDS = {"start": "startTime", "end": "endTime", "template": "sourceTemplateId"}
_KINDS = ("test", "candidate", "student")


def edit_by_hand(db: Connection, edit: Json) -> Json:
    """Carries out one edit, and gives the id of what was edited.

    A test: `{"test": external id, "title", "start", "end", "duration"}`; what is left out stays, and a test that is not
    there is made. A learner: `{"student": …}` as in `POST /v1/users/student`. A seat: `{"candidate": {"test": external
    id, "username": …, or "authType" and "externalId", "candidateId", "extraTimeMins", "roomName", "buildingName"}}`,
    taken away with `"removed": true`.

    Raises:
        Refusal: 400 for what is wrong in the edit, 404 for a test or a learner that is not there, 409 as over the wire.
    """
    kinds = [kind for kind in _KINDS if isinstance(edit, dict) and kind in edit]
    if len(kinds) != 1:
        raise Refusal(400, f"the edit: must have one of {', '.join(_KINDS)}")
    if kinds[0] == "test":
        return _edit_test(db, edit)
    if len(edit) > 1:
        raise Refusal(400, f"the edit: must have nothing beside {kinds[0]}")
    return _edit_candidate(db, edit["candidate"]) if kinds[0] == "candidate" else _edit_student(db, edit["student"])


def _edit_test(db: Connection, edit: dict[str, Json]) -> Json:
    external_id = edit["test"] if isinstance(edit["test"], str) else ""
    row = db.execute("SELECT * FROM tests WHERE external_id = ?", (external_id,)).fetchone()
    changes = {_OUR_WORDS.get(name, name): value for name, value in edit.items() if name != "test"}
    before = {"externalTestId": external_id} if row is None else as_posted(row)
    return {"assessmentRunId": save_test(db, before | changes, by_hand=True)[0]}


def _edit_student(db: Connection, body: Json) -> Json:
    return {"userId": save_student(db, body)["user_id"]}


def _edit_candidate(db: Connection, body: Json) -> Json:
    read = Reader(body, "candidate")
    external_test_id = read.text("test", needed=True)
    username, auth_type, external_id = read.text("username"), read.text("authType"), read.text("externalId")
    removed = read.flag("removed")
    seat = read_seat(read)
    read.close()
    test = db.execute("SELECT run_id FROM tests WHERE external_id = ?", (external_test_id,)).fetchone()
    if test is None:
        raise Refusal(404, f"test {external_test_id} does not exist")
    user_id = _learner(db, username, auth_type, external_id)
    if not removed:
        save_seat(db, test["run_id"], user_id, seat)
    elif not remove_seat(db, test["run_id"], user_id):
        raise Refusal(404, f"user {user_id} is not a candidate of test {external_test_id}")
    return {"assessmentRunId": test["run_id"], "userId": user_id}


def _learner(db: Connection, username: str | None, auth_type: str | None, external_id: str | None) -> int:
    if username:
        row = db.execute("SELECT user_id FROM students WHERE username = ?", (username,)).fetchone()
        found = None if row is None else int(row["user_id"])
    else:
        found = find_external(db, (auth_type or "", external_id or ""))
    if found is None:
        raise Refusal(404, f"candidate: {username or external_id or 'nobody'}: no such user")
    return found
