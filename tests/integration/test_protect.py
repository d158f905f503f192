"""Records that the configuration protects are neither updated nor removed (rules 11)."""

from typing import Any

import pytest

from ..support.university import TEST, University

WHY = "sits in another room, agreed with the faculty"


def protect(university: University, **entry: Any) -> None:
    university.config["protect"] = [{"why": WHY, "until": "2026-12-31", **entry}]


def test_a_protected_test_keeps_its_title_and_its_candidates(seated: University) -> None:
    protect(seated, test=["INF1*"])
    seated.exams.set(TEST, name="Renamed")
    seated.registrations.drop(f"{TEST} 1002")
    plan = seated.plan()
    assert plan.status == 0
    assert f"protected until 2026-12-31 (`protect`): {WHY}" in plan.out
    seated.apply_cleanly()
    assert seated.writes() == []
    assert "s1002" in seated.candidates()


def test_what_is_new_on_a_protected_test_is_created(seated: University) -> None:
    protect(seated, test=TEST)
    seated.register(TEST, "1009")
    seated.apply_cleanly()
    assert "s1009" in seated.candidates()


def test_a_protected_person_is_not_disabled(university: University) -> None:
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.employees.add("2001", "2002", "2003")
    university.apply_once()
    protect(university, person="2002", kind="staff")
    university.employees.drop("2002")
    university.allow_shrinkage()
    assert university.planned("deferred") == ["disable staff 2002"]
    university.at("2027-01-01T08:00")
    assert university.planned("pass") == ["disable staff 2002"]


def test_an_expired_entry_is_a_warning_and_protects_nothing(
    seated: University, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.app.now", seated.now)
    protect(seated, test=TEST, until="2026-08-31")
    seated.registrations.drop(f"{TEST} 1002")
    ran = seated.apply_cleanly()
    assert "warning: protect: entry 1 has expired (2026-08-31) and protects nothing" in ran.err
    assert "s1002" not in seated.candidates()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"test": "A", "until": "2026-12-31"}, "has no reason; add 'why: TEXT'"),
        ({"test": "A", "why": "x"}, "has no end, and nothing may be protected forever; add 'until"),
        ({"test": "A", "why": "x", "until": "31.12.2026"}, "is not a valid date; write it as"),
        ({"why": "x", "until": "2026-12-31"}, "names no record; add 'test', 'person' or 'kind'"),
    ],
)
def test_an_incomplete_entry_is_an_error_with_a_remedy(
    university: University, entry: dict[str, str], message: str
) -> None:
    university.config["protect"] = [entry]
    ran = university.run("plan")
    assert ran.status == 2
    assert message in ran.err
