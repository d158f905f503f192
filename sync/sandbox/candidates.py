"""Candidates of a test as Inspera keeps them (vendor contract, Test API: candidates)."""

from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Connection, Row

from sync.sandbox.exams import as_posted, find_test
from sync.sandbox.users import find_external
from sync.sandbox.wire import Answer, Call, Json, Reader, Refusal

MAX_CANDIDATES = 1500

_SEAT_TEXTS = {"candidateId": "candidate_id", "roomName": "room", "buildingName": "building"}
_PERSON_TEXTS = ("firstName", "lastName")


@dataclass(frozen=True, slots=True)
class Seat:
    """One entry of a batch: whose seat, and what is said about it. What is left out keeps its value."""

    external_id: str
    given: Mapping[str, str | int | None]


def get_candidates(db: Connection, call: Call) -> Answer:
    """Answers `GET /v1/test/{testId}/candidates`."""
    members = ("userId", "candidateId", "externalUserIds", "extraTimeMins")
    found = _candidates(db, find_test(db, call)["run_id"])
    return Answer(200, {"candidates": [{name: candidate[name] for name in members} for candidate in found]})


def post_candidates(db: Connection, call: Call) -> Answer:
    """Answers `POST /v1/test/{testId}/candidates`: adds and changes, the whole batch or none of it."""
    test = find_test(db, call)
    auth_type, seats = _batch(call.json())
    people = {seat.external_id: find_external(db, (auth_type, seat.external_id)) for seat in seats}
    unknown = [external_id for external_id, user_id in people.items() if user_id is None]
    if unknown:
        raise Refusal(400, *(f"externalId {one} ({auth_type}): no such user" for one in unknown))
    for seat in seats:
        save_seat(db, test["run_id"], int(people[seat.external_id] or 0), seat.given)
    _check_number(db, test)
    return Answer(200, {"success": True})


def delete_candidates(db: Connection, call: Call) -> Answer:
    """Answers `DELETE /v1/test/{testId}/candidates`: the whole batch or none of it."""
    test = find_test(db, call)
    auth_type, seats = _batch(call.json(), removal=True)
    missing = [
        seat.external_id
        for seat in seats
        if not remove_seat(db, test["run_id"], find_external(db, (auth_type, seat.external_id)))
    ]
    if missing:
        raise Refusal(404, *(f"externalId {one} ({auth_type}): is not a candidate of this test" for one in missing))
    return Answer(200, {"success": True})


def save_seat(db: Connection, run_id: int, user_id: int, given: Mapping[str, str | int | None]) -> None:
    """Puts a learner on a test, or changes the seat."""
    old = db.execute("SELECT * FROM candidates WHERE run_id = ? AND user_id = ?", (run_id, user_id)).fetchone()
    before = {"candidate_id": None, "extra_time": 0, "room": None, "building": None} if old is None else dict(old)
    db.execute(
        "INSERT OR REPLACE INTO candidates (run_id, user_id, candidate_id, extra_time, room, building)"
        " VALUES (:run_id, :user_id, :candidate_id, :extra_time, :room, :building)",
        before | dict(given) | {"run_id": run_id, "user_id": user_id},
    )


def remove_seat(db: Connection, run_id: int, user_id: int | None) -> bool:
    """Takes a learner off a test; tells whether they were on it."""
    gone = db.execute("DELETE FROM candidates WHERE run_id = ? AND user_id = ?", (run_id, user_id))
    return gone.rowcount > 0


def read_seat(read: Reader) -> dict[str, str | int | None]:
    """What an entry says about the seat itself; empty text clears."""
    texts = {column: read.text(name) for name, column in _SEAT_TEXTS.items()}
    given: dict[str, str | int | None] = {column: text or None for column, text in texts.items() if text is not None}
    minutes = read.whole("extraTimeMins", least=0)
    return given if minutes is None else given | {"extra_time": minutes}


def all_tests(db: Connection) -> list[Json]:
    """Every test with its candidates, for the sandbox's own pages."""
    return [
        {"assessmentRunId": row["run_id"]}
        | as_posted(row)
        | {"sourceTemplateId": row["template"], "templates_sent": row["templates_sent"]}
        | {"candidates": _candidates(db, row["run_id"])}
        for row in db.execute("SELECT * FROM tests ORDER BY run_id").fetchall()
    ]


def _batch(body: Json, *, removal: bool = False) -> tuple[str, list[Seat]]:
    read = Reader(body)
    auth_type = read.text("authenticationSystem", needed=True)
    seats: dict[str, Seat] = {}
    for item in read.items("candidates", needed=True) or ():
        external_id = item.text("externalId", needed=True)
        given = {} if removal else _entry(item)
        item.done()
        if external_id in seats:
            item.complain("externalId", f"{external_id} is in this batch twice")
        if external_id:
            seats[external_id] = Seat(external_id, given)
    read.close()
    return str(auth_type), list(seats.values())


def _entry(item: Reader) -> dict[str, str | int | None]:
    # Names and email are allowed in an entry, and change nothing: what the vendor does with them is not known.
    for name in _PERSON_TEXTS:
        item.text(name)
    item.email("email")
    committees = item.any("committeesName")
    if committees is not None and not isinstance(committees, list):
        item.complain("committeesName", "must be a list")
        committees = None
    for name in committees or ():
        item.complain("committeesName", f"Committee {name} does not exist")
    return read_seat(item)


def _check_number(db: Connection, test: Row) -> None:
    number = db.execute("SELECT count(*) FROM candidates WHERE run_id = ?", (test["run_id"],)).fetchone()[0]
    if number > MAX_CANDIDATES:
        raise Refusal(400, f"test {test['run_id']} holds at most {MAX_CANDIDATES} candidates, would have {number}")


def _candidates(db: Connection, run_id: int) -> list[dict[str, Json]]:
    rows = db.execute(
        "SELECT candidates.*, username FROM candidates JOIN students USING (user_id) WHERE run_id = ? ORDER BY user_id",
        (run_id,),
    ).fetchall()
    externals: dict[int, list[Json]] = {row["user_id"]: [] for row in rows}
    for one in db.execute(
        "SELECT user_id, auth_type, external_id FROM candidates JOIN external_ids USING (user_id) WHERE run_id = ?"
        " ORDER BY auth_type, external_id",
        (run_id,),
    ):
        externals[one["user_id"]].append({"authType": one["auth_type"], "externalUserId": one["external_id"]})
    return [
        {
            "userId": row["user_id"],
            "username": row["username"],
            "candidateId": row["candidate_id"],
            "externalUserIds": externals[row["user_id"]],
            "extraTimeMins": row["extra_time"],
            "roomName": row["room"],
            "buildingName": row["building"],
        }
        for row in rows
    ]
