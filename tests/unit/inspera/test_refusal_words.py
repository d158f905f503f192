"""What a refusal means by its words: a candidate who has started, an archived test, or neither."""

import pytest
from sync.errors import Refused
from sync.inspera.refusal_words import cause_of_kept, deferred_as_archived
from sync.records.changes import Cause


@pytest.mark.parametrize(
    "words",
    [
        "Candidate 1002 has started the test",
        "Candidates that have started cannot be removed",
        "The candidate has already started",
    ],
)
def test_a_candidate_who_has_started_is_recognised(words: str) -> None:
    assert cause_of_kept(Refused(words, 400)) is Cause.STARTED


@pytest.mark.parametrize(
    "words",
    [
        "Another request for this test is in progress",
        "The export has not started",
        "A request was submitted for this test a moment ago",
        "Unknown user",
    ],
)
def test_a_refusal_for_another_reason_is_tried_again(words: str) -> None:
    assert cause_of_kept(Refused(words, 400)) is Cause.NONE
    assert deferred_as_archived(Refused(words, 400)) is None


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("The test has already started", 400),
        ("Candidates cannot be removed because the assessment has started", 409),
        ("The migration of your tenant has started", 400),
        ("The candidate has started the test", 403),
    ],
)
def test_a_refusal_that_may_be_about_something_else_keeps_nobody(words: str, status: int) -> None:
    assert cause_of_kept(Refused(words, status)) is Cause.NONE


def test_a_named_candidate_is_kept_without_a_noun() -> None:
    assert cause_of_kept(Refused("s1002: has started", 400, frozenset({"s1002"}))) is Cause.STARTED


@pytest.mark.parametrize(
    "words",
    [
        "The assessment is Archived",
        "Inspera refused candidate.assign (400): TEST_ARCHIVED",
        "You cannot add candidates to an archived exam",
        "Candidates cannot be added, because assessment run 284424088 has been archived",
    ],
)
def test_an_archived_test_is_recognised(words: str) -> None:
    outcome = deferred_as_archived(Refused(words, 400), 30)
    assert outcome is not None
    assert outcome.cause is Cause.ARCHIVED
    everyone = frozenset(f"s{number}" for number in range(30))
    assert deferred_as_archived(Refused(words, 400, everyone), 30) is not None


@pytest.mark.parametrize(
    "words",
    [
        "The user account is archived",
        "Inspera refused test.update (400): the template is archived",
        "Candidates of this test can't be added: the account of one student is archived",
        "The test is not archived",
        "Title 'test archived' is already used",
    ],
)
def test_what_else_is_archived_stops_no_test(words: str) -> None:
    assert deferred_as_archived(Refused(words, 400), 30) is None


@pytest.mark.parametrize("entries", [1, 30])
def test_a_refusal_that_names_some_of_a_batch_is_about_them(entries: int) -> None:
    error = Refused("test of s1003 is archived", 400, frozenset({"s1003"}))
    assert deferred_as_archived(error, entries) is None
