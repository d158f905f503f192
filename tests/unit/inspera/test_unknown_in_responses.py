"""Unknown is welcome: what the vendor adds to its answers changes nothing that is read from them."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sync.inspera.responses import envelope, members, records

_CONTRIBUTOR = {
    "userId": 7,
    "userName": "kariv",
    "externalUserIds": [{"authType": "FEIDE", "externalUserId": "kariv@example.edu"}],
    "roles": ["ar_evaluate"],
    "committees": [{"name": "A"}],
}
_TEST = {"name": "INF101", "contributors": [_CONTRIBUTOR], "committees": [{"name": "A"}, "B"]}
_FOUND = {
    "assessmentRunId": 284424088,
    "assessmentRunTitle": "INF101",
    "externalId": "INF101",
    "status": "SCHEDULED",
    "startTime": "2030-05-10T07:00:00Z",
    "endTime": "2030-05-10T11:00:00Z",
}
_PERSON = {
    "userId": 7,
    "username": "kariv",
    "externalIds": [{"authType": "FEIDE", "externalId": "kariv@example.edu"}],
    "status": "ACTIVE",
}
_SEAT = {"userId": 7, "candidateId": "17", "extraTimeMins": 30} | {
    "externalUserIds": [{"authType": "FEIDE", "externalUserId": "aaseb@example.edu"}]
}


def _page(document: Any) -> Any:
    page = records.page(document)
    return [records.test_from_search(row) for row in page.rows], page.hits, page.number


READERS: list[tuple[Callable[[Any], Any], Any]] = [
    (envelope.failed, {"success": True}),
    (envelope.failed, {"success": False, "errors": ["no"]}),
    (envelope.token, {"access_token": "t", "expires_in": 60}),
    (_page, {"hits": 1, "page": 0, "results": [_FOUND]}),
    (lambda document: records.read_test("7", document), {"result": _TEST}),
    (members.contributors, {"result": _TEST}),
    (members.committees, _TEST),
    (members.candidates, {"candidates": [_SEAT]}),
    (records.read_person, _PERSON),
    (lambda rows: [records.person_from_read(row) for row in records.page(rows).rows], [_PERSON]),
    (records.exported_person, _PERSON),
    (records.saved_test_id, {"success": True, "assessmentRunId": 284424088, "status": "created"}),
    (records.saved_person_id, {"success": True, "userId": 7}),
    (records.export_job, {"jobId": 1}),
    (records.export_status, {"status": "running", "progress": 10}),
]

_NAMES = st.text("abcxyzÆ_", min_size=1, max_size=6).map("added{}".format)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=2),
    max_leaves=4,
)


def _extended(draw: Callable[[Any], Any], value: Any) -> Any:
    """Return a document with further members in each of its objects, before and after the known."""
    if isinstance(value, list):
        return [_extended(draw, one) for one in value]
    if not isinstance(value, dict):
        return value
    added = draw(st.dictionaries(_NAMES, _VALUES, max_size=2))
    known = {name: _extended(draw, one) for name, one in value.items()}
    return {**added, **known} if draw(st.booleans()) else {**known, **added}


@given(st.data())
def test_members_that_no_contract_names_change_nothing_that_is_read(data: st.DataObject) -> None:
    read, document = data.draw(st.sampled_from(READERS))
    assert read(_extended(data.draw, document)) == read(document)


@given(st.text(max_size=12))
def test_words_that_no_contract_names_are_kept_or_passed_over(word: str) -> None:
    ((test,), _, _) = _page({"hits": 1, "results": [_FOUND | {"status": word}]})
    assert (test.status, test.remote_id) == (word, "284424088")
    known = ("ACTIVE", "DISABLED")
    person = records.person_from_read(_PERSON | {"status": word})
    assert person.status is None or word.upper() in known
    ids = [{"authType": word, "externalId": "x"}, *_PERSON["externalIds"]]  # type: ignore[misc]
    read = records.person_from_read(_PERSON | {"externalIds": ids})
    assert ("FEIDE", "kariv@example.edu") in read.external_ids
    roles = _CONTRIBUTOR | {"roles": ["ar_evaluate", word]}
    (seat,) = members.contributors({"contributors": [roles]}).there.values()
    assert "evaluate" in str(seat.roles).split("\n")
    assert records.export_status({"status": word}) == (word.lower(), None) if word else True
    _, new = records.saved_test_id({"assessmentRunId": 1, "status": word})
    assert new is (word.lower() != "updated")
    assert records.saved_test_id({"assessmentRunId": 1, "status": "UPDATED"}) == ("1", False)
