"""The candidates of a test (vendor contract, Test API: candidates)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from sqlite3 import Connection, Row

from sync.sandbox.batches import (
    external_user_ids,
    find_all,
    read_batch,
    read_person,
    read_places,
    remove_batch,
)
from sync.sandbox.committees import committee_names, leave_all, memberships, no_committee, put_into
from sync.sandbox.people import find_external
from sync.sandbox.reader import BodyReader
from sync.sandbox.tests import find_open_test, find_test
from sync.sandbox.wire import Answer, Json, ReceivedCall, Refusal

MAX_CANDIDATES = 1500

_NEW = {"candidate_id": None, "extra_time": 0, "room": None, "building": None, "started": 0}


@dataclass(frozen=True, slots=True)
class CandidateEntry:
    """A candidate in a call: columns with values, and committees. Others keep their values."""

    given: Mapping[str, str | int | None]
    committees: list[str] | None


def get_candidates(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `GET /v1/test/{testId}/candidates`."""
    members = ("userId", "candidateId", "externalUserIds", "extraTimeMins")
    rows = all_candidates(db, find_test(db, call)["run_id"])
    return Answer(
        200, {"candidates": [{name: candidate[name] for name in members} for candidate in rows]}
    )


def post_candidates(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `POST /v1/test/{testId}/candidates`: add and change, the whole batch or nothing."""
    test = find_open_test(db, call)
    entry = partial(_entry, existing=committee_names(db, test["run_id"]))
    auth_type, entries = read_batch(call.json(), "candidates", entry)
    people = find_all(db, auth_type, entries, "student")
    for external_id, candidate in entries.items():
        save_candidate(db, test["run_id"], people[external_id], candidate)
    _check_number(db, test)
    return Answer(200, {"success": True})


def delete_candidates(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `DELETE /v1/test/{testId}/candidates`: the whole batch or none of it."""
    run_id = find_open_test(db, call)["run_id"]
    _refuse_started(db, run_id, call.json())
    return remove_batch(db, call.json(), "candidate", partial(remove_candidate, db, run_id))


def _refuse_started(db: Connection, run_id: int, body: Json) -> None:
    """Refuse to take off candidates who have started (vendor contract, Test API: candidates)."""
    auth_type, entries = read_batch(body, "candidates", lambda _: None)
    query = "SELECT 1 FROM candidates WHERE run_id = ? AND user_id = ? AND started = 1"
    started = [
        external_id
        for external_id in entries
        if db.execute(query, (run_id, find_external(db, (auth_type, external_id)))).fetchone()
    ]
    if started:
        raise Refusal(400, *(f"externalId {one}: has started the test" for one in started))


def save_candidate(db: Connection, run_id: int, user_id: int, candidate: CandidateEntry) -> None:
    """Put a learner on a test, or change the candidate."""
    old = db.execute(
        "SELECT * FROM candidates WHERE run_id = ? AND user_id = ?", (run_id, user_id)
    ).fetchone()
    db.execute(
        "INSERT OR REPLACE INTO candidates"
        " (run_id, user_id, candidate_id, extra_time, room, building, started)"
        " VALUES (:run_id, :user_id, :candidate_id, :extra_time, :room, :building, :started)",
        (_NEW if old is None else dict(old))
        | dict(candidate.given)
        | {"run_id": run_id, "user_id": user_id},
    )
    if candidate.committees is not None:
        put_into(db, run_id, user_id, candidate.committees)


def remove_candidate(db: Connection, run_id: int, user_id: int | None) -> bool:
    """Take a learner off a test; tell whether they were on it."""
    gone = (
        db.execute(
            "DELETE FROM candidates WHERE run_id = ? AND user_id = ?", (run_id, user_id)
        ).rowcount
        > 0
    )
    if gone and user_id is not None:
        leave_all(db, run_id, user_id)
    return gone


def read_candidate(read: BodyReader, committees: str) -> CandidateEntry:
    """Read a candidate; an empty number clears. `committees` is the member that lists them."""
    given: dict[str, str | int | None] = {**read_places(read)}
    number = read.text("candidateId")
    if number is not None:
        given["candidate_id"] = number or None
    minutes = read.whole("extraTimeMins", least=0)
    return CandidateEntry(
        given if minutes is None else given | {"extra_time": minutes}, read.texts(committees)
    )


def all_candidates(db: Connection, run_id: int) -> list[dict[str, Json]]:
    """Return all candidates of a test, with everything that is stored about them."""
    rows = db.execute(
        "SELECT candidates.*, username FROM candidates JOIN people USING (user_id)"
        " WHERE run_id = ? ORDER BY user_id",
        (run_id,),
    ).fetchall()
    externals = external_user_ids(db, run_id) if rows else {}
    committees = memberships(db, run_id) if rows else {}
    return [
        {
            "userId": row["user_id"],
            "username": row["username"],
            "candidateId": row["candidate_id"],
            "externalUserIds": externals.get(row["user_id"], []),
            "extraTimeMins": row["extra_time"],
            "roomName": row["room"],
            "buildingName": row["building"],
            "committees": committees.get(row["user_id"], []),
        }
        for row in rows
    ]


def _entry(item: BodyReader, existing: set[str]) -> CandidateEntry:
    read_person(item)
    candidate = read_candidate(item, "committeesName")
    for name in candidate.committees or ():
        if name not in existing:
            item.complain("committeesName", no_committee(name))
    return candidate


def _check_number(db: Connection, test: Row) -> None:
    number = db.execute(
        "SELECT count(*) FROM candidates WHERE run_id = ?", (test["run_id"],)
    ).fetchone()[0]
    if number > MAX_CANDIDATES:
        raise Refusal(
            400,
            f"test {test['run_id']} holds at most {MAX_CANDIDATES} candidates, would have {number}",
        )
