"""The fingerprint by which an unchanged record is known, its fields as text, and the checks that are kept for later."""

from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b

import pytest
from sync.mapping import fields_of, fingerprint
from sync.records.base import Kind, RowError, joined
from sync.records.candidate import Candidate
from sync.records.checks import email_errors, time_conflicts
from sync.records.committee import Committee
from sync.records.contributor import Contributor
from sync.records.kinds import COMPARED, Record
from sync.records.learner import Learner
from sync.records.option import Option
from sync.records.staff import Staff
from sync.records.test import Test

LEARNER = Learner(
    "500001",
    "ase@example.edu",
    "ase",
    "FEIDE",
    "Åse",
    "Øksempel",
    "ase@example.edu",
    "not-a-real-one",
)
TEST = Test(
    "EX100-2026V",
    "EX100-2026V",
    "EX100 Prøve",
    datetime(2026, 5, 20, 7, tzinfo=UTC),
    datetime(2026, 5, 20, 11, tzinfo=UTC),
    240,
    "1001",
)
CANDIDATE = Candidate("EX100-2026V", "500001", "17", 30, "R1", "Bygg Å")
STAFF = Staff(
    "700001",
    "kari@example.edu",
    "kari",
    "FEIDE",
    "Kari",
    "Øksempel",
    "kari@example.edu",
    "active",
    joined(["b", "a"]),
    "",
    "not-a-real-one",
)
OPTION = Option("EX100-2026V", "LOCKDOWN_BROWSER", "true", "not-a-real-one")
COMMITTEE = Committee("EX100-2026V", "A", "GRADING")
CONTRIBUTOR = Contributor(
    "EX100-2026V", "700001", joined(["plan", "evaluate"]), "A", "R1", "Bygg Å", 1
)
RECORDS = (LEARNER, STAFF, TEST, OPTION, COMMITTEE, CONTRIBUTOR, CANDIDATE)


def test_a_fingerprint_is_what_earlier_releases_stored() -> None:
    """Should this fail, every record of every installation would be looked at as changed: raise the version instead."""
    fields: dict[Record, str] = {
        LEARNER: "username=ase@example.edu|external_id=ase|auth_system=FEIDE|"
        "first_name=Åse|last_name=Øksempel|email=ase@example.edu",
        TEST: "external_test_id=EX100-2026V|title=EX100 Prøve|"
        "start=2026-05-20T07:00:00Z|end=2026-05-20T11:00:00Z|duration=240",
        CANDIDATE: "candidate_id=17|extra_time=30|room=R1|building=Bygg Å",
        CANDIDATE._replace(
            committees=joined(["B", "A"])
        ): "candidate_id=17|extra_time=30|room=R1|building=Bygg Å|committees=A\nB",
        STAFF: "username=kari@example.edu|external_id=kari|auth_system=FEIDE|first_name=Kari|last_name=Øksempel|"
        "email=kari@example.edu|status=active|accesses=a\nb|organisations=",
        OPTION: "value=true",
        COMMITTEE: "type=GRADING",
        CONTRIBUTOR: "roles=evaluate\nplan|committees=A|room=R1|building=Bygg Å",
    }
    for record, text in fields.items():
        digest = blake2b(text.replace("|", "\x1f").encode(), digest_size=15).digest()
        assert fingerprint(record) == b"\x01" + digest


@pytest.mark.parametrize(
    "other",
    [
        LEARNER._replace(username="b"),
        LEARNER._replace(external_id="b"),
        LEARNER._replace(auth_system="EMAIL"),
        LEARNER._replace(first_name="Ase"),
        LEARNER._replace(last_name=None),
        LEARNER._replace(email=""),
        TEST._replace(external_test_id="EX"),
        TEST._replace(title="EX100 prøve"),
        TEST._replace(start=datetime(2026, 5, 20, 7, 0, 1, tzinfo=UTC)),
        TEST._replace(end=None),
        TEST._replace(duration=239),
        CANDIDATE._replace(candidate_id="1"),
        CANDIDATE._replace(extra_time=0),
        CANDIDATE._replace(extra_time=None),
        CANDIDATE._replace(room=""),
        CANDIDATE._replace(building="R1", room="Bygg Å"),
        CANDIDATE._replace(committees="A"),
        STAFF._replace(status="disabled"),
        STAFF._replace(accesses="a"),
        STAFF._replace(organisations=None),
        OPTION._replace(value="false"),
        OPTION._replace(value=None),
        COMMITTEE._replace(type="REASSESSMENT"),
        COMMITTEE._replace(type=None),
        CONTRIBUTOR._replace(roles="plan"),
        CONTRIBUTOR._replace(committees=None),
        CONTRIBUTOR._replace(committees="A\nB"),
        CONTRIBUTOR._replace(room="R2"),
    ],
)
def test_a_fingerprint_differs_when_a_compared_field_does(other: Record) -> None:
    (same_kind,) = [record for record in RECORDS if record.kind is other.kind]
    assert fingerprint(other) != fingerprint(same_kind)


@pytest.mark.parametrize(
    "other",
    [
        LEARNER._replace(key="500002"),
        LEARNER._replace(password="another"),
        TEST._replace(key="x"),
        TEST._replace(template="1002"),
        TEST._replace(start=datetime(2026, 5, 20, 9, tzinfo=timezone(timedelta(hours=2)))),
        CANDIDATE._replace(test="x", learner="y"),
        CANDIDATE._replace(extra_share=75_000),
        STAFF._replace(key="x", password=None),
        OPTION._replace(test="x", option="y", secret=None),
        COMMITTEE._replace(test="x", committee="B"),
        CONTRIBUTOR._replace(test="x", staff="y", notify=None),
    ],
)
def test_a_fingerprint_leaves_out_the_key_and_what_is_sent_once_and_how_a_time_is_written(
    other: Record,
) -> None:
    (same_kind,) = [record for record in RECORDS if record.kind is other.kind]
    assert fingerprint(other) == fingerprint(same_kind)


def test_a_fingerprint_skips_what_is_unmapped_and_tells_it_from_what_is_cleared() -> None:
    assert (
        fingerprint(Candidate("a", "b", room="R1"))[1:]
        == blake2b(b"room=R1", digest_size=15).digest()
    )
    assert fingerprint(Candidate("a", "b", room="")) != fingerprint(Candidate("a", "b"))
    assert fingerprint(Candidate("a", "b", room="R1")) != fingerprint(
        Candidate("a", "b", building="R1")
    )


@pytest.mark.parametrize("record", RECORDS)
def test_a_fingerprint_has_16_bytes_and_starts_with_its_version(record: Record) -> None:
    assert len(fingerprint(record)) == 16
    assert fingerprint(record)[0] == 1


def test_fields_are_given_as_they_are_stored_with_times_as_text_and_without_the_key() -> None:
    assert fields_of(TEST) == {
        "external_test_id": "EX100-2026V",
        "title": "EX100 Prøve",
        "start": "2026-05-20T07:00:00Z",
        "end": "2026-05-20T11:00:00Z",
        "duration": 240,
        "template": "1001",
        "freeze_before": None,
        "freeze_after": None,
    }
    assert list(fields_of(CANDIDATE)) == [*COMPARED[Kind.CANDIDATE], "extra_share"]
    assert fields_of(CONTRIBUTOR) == {
        "roles": "evaluate\nplan",
        "committees": "A",
        "room": "R1",
        "building": "Bygg Å",
        "notify": 1,
    }
    assert fields_of(OPTION) == {"value": "true", "secret": "not-a-real-one"}
    assert list(fields_of(STAFF))[-4:] == ["status", "accesses", "organisations", "password"]
    assert fields_of(LEARNER)["password"] == "not-a-real-one"
    assert "key" not in fields_of(LEARNER)
    assert fields_of(Candidate("a", "b"))["room"] is None


@pytest.mark.parametrize(
    "email", [None, "", "ase@example.edu", "o'hara+x@mail.example.edu", "åse@eksempel-ø.example"]
)
def test_an_email_that_can_be_one_passes_and_so_does_none(email: str | None) -> None:
    assert email_errors(LEARNER._replace(email=email), "students.csv line 4") == []


@pytest.mark.parametrize(
    "email",
    ["ase", "ase@", "@example.edu", "ase@@example.edu", "a b@example.edu", "ase@example", "0"],
)
def test_an_email_that_can_be_none_is_a_row_error_with_the_whole_key_that_does_not_quote_it(
    email: str,
) -> None:
    assert email_errors(LEARNER._replace(email=email), "students.csv line 4") == [
        RowError(
            "students.csv line 4",
            "email",
            "is not an email address",
            "it is left out, and the person is kept in step without it; correct it in the source"
            " (domains kept for tests, such as .test, are refused too)",
            Kind.LEARNER,
            ("500001",),
            left_out=True,
        )
    ]


def test_staff_s_email_is_looked_at_too() -> None:
    (row_error,) = email_errors(STAFF._replace(email="kari"), "staff.csv line 4")
    assert (row_error.field, row_error.kind, row_error.key) == ("email", Kind.STAFF, ("700001",))
    assert email_errors(STAFF, "staff.csv line 4") == []


@pytest.mark.parametrize("record", [TEST, CANDIDATE, OPTION, COMMITTEE, CONTRIBUTOR])
def test_other_kinds_have_nothing_to_check_later(record: Record) -> None:
    assert email_errors(record, "exams.csv line 4") == []


def test_conflicts_are_looked_for_only_among_what_is_there() -> None:
    start, end = TEST.start, TEST.end
    assert list(time_conflicts({})) == []
    assert list(time_conflicts({"start": end, "duration": 9_999})) == []
    assert [one.field for one in time_conflicts({"start": end, "end": start, "duration": 1})] == [
        "end"
    ]
    assert [one.field for one in time_conflicts({"start": start, "end": end, "duration": 241})] == [
        "duration"
    ]
