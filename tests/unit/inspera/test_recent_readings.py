"""Recent readings of tests: shared, bounded in time, and forgotten after each write."""

import pytest
from sync.inspera.recent_readings import LONGEST, MOST, RecentReadings
from sync.inspera.recent_readings import TestMatches as Matches
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind
from sync.records.changes import Result
from sync.records.remote import Members

from .http_tenant import HttpTenant
from .made_up import THERE, committee, creating, make_seat
from .waiting import Time

KINDS = (Kind.COMMITTEE, Kind.CONTRIBUTOR)


def reads(tenant: HttpTenant, exam: str) -> int:
    return len(tenant.calls("GET", f"/v1/test/{exam}"))


def test_one_search_serves_the_look_before_an_intent_and_the_create(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    assert target.find_test(str(THERE["external_test_id"])) == []
    assert target.create_test(creating()).result is Result.DONE
    assert len(tenant.calls("GET", "/v1/test/search")) == 1
    # After our write it is searched again, and found.
    assert target.create_test(creating()).result is Result.FOUND
    assert len(tenant.calls("GET", "/v1/test/search")) == 2


def test_a_search_that_is_too_old_is_made_again(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    target.find_test(str(THERE["external_test_id"]))
    tenant.add_test(str(THERE["external_test_id"]), startTime="2031-01-01T07:00:00Z")
    time.sleep(LONGEST + 1)
    assert target.create_test(creating()).result is Result.HELD


def test_one_reading_shows_contributors_and_committees(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    for kind in (*KINDS, *KINDS):
        assert target.recent_members(exam, kind).readable
    assert reads(tenant, exam) == 1
    target.members(exam, Kind.COMMITTEE)
    assert reads(tenant, exam) == 2


def test_a_write_makes_readings_of_its_kind_stale_and_a_removal_those_of_all(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    target.recent_members(exam, Kind.COMMITTEE)
    target.assign(exam, [committee("A")], Kind.COMMITTEE)
    target.recent_members(exam, Kind.CONTRIBUTOR)
    assert reads(tenant, exam) == 1
    assert list(target.recent_members(exam, Kind.COMMITTEE).there) == [("", "A")]
    assert reads(tenant, exam) == 2
    target.remove(exam, [make_seat("nobody@example.edu")])
    target.recent_members(exam, Kind.CONTRIBUTOR)
    assert reads(tenant, exam) == 3


def test_a_failed_write_counts_as_one(target: InsperaTarget, tenant: HttpTenant, exam: str) -> None:
    target.recent_members(exam, Kind.CANDIDATE)
    tenant.every("POST", f"/v1/test/{exam}/candidates", 400, {"errors": ["no"]})
    target.assign(exam, [make_seat("nobody@example.edu")])
    target.recent_members(exam, Kind.CANDIDATE)
    assert len(tenant.calls("GET", f"/v1/test/{exam}/candidates")) == 2


@pytest.mark.parametrize(("later", "kept"), [(LONGEST, True), (LONGEST + 1, False)])
def test_a_reading_counts_for_a_minute(later: float, kept: bool) -> None:
    now = [0.0]
    readings = RecentReadings(lambda: now[0])
    readings.keep_members("1", {Kind.CANDIDATE: Members(True)}, 0.0)
    readings.keep_members("2", {Kind.CANDIDATE: Members(False)}, 0.0)
    readings.keep_search("x", Matches(()), 0.0)
    now[0] = later
    assert (readings.find_members("1", Kind.CANDIDATE) is not None) is kept
    assert readings.find_members("2", Kind.CANDIDATE) is None
    assert (readings.take_search("x") is not None) is kept
    assert readings.take_search("x") is None, "it was used"


def test_only_the_last_tests_are_kept() -> None:
    readings = RecentReadings(lambda: 0.0)
    for number in range(MOST + 1):
        readings.keep_members(str(number), {Kind.CANDIDATE: Members(True)}, 0.0)
    assert readings.find_members("0", Kind.CANDIDATE) is None
    assert readings.find_members(str(MOST), Kind.CANDIDATE) is not None
