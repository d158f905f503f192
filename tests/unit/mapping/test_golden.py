"""The bytes of every kind's fingerprint: a state must know its records again after any change to this code.

A different value here means that every known record looks changed, and that a mass update follows.
"""

from datetime import UTC, datetime

import pytest
from sync.mapping import fingerprint
from sync.records.base import Kind, joined
from sync.records.candidate import Candidate
from sync.records.committee import Committee
from sync.records.contributor import Contributor
from sync.records.kinds import Record
from sync.records.learner import Learner
from sync.records.option import Option
from sync.records.staff import Staff
from sync.records.test import Test

NINE = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
ONE = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)

GOLDEN: dict[str, tuple[Record, str]] = {
    "learner, key alone": (Learner("1001"), "01b7db87196c483405e40f8401fa1fc9"),
    "learner, whole": (
        Learner(
            "1001",
            "s1001@example.edu",
            "ext-1001",
            "FEIDE",
            "Åse",
            "Prøvesen",
            "s1001@example.edu",
            "first",
        ),
        "01510182b69340cb814acd9ae16741d5",
    ),
    "learner, name cleared": (
        Learner("1001", "s1001", first_name="", last_name="Prøvesen"),
        "0125e7591f5865d749d2e4813bf11fc0",
    ),
    "staff, whole": (
        Staff(
            "7001",
            "e7001",
            "ext-7001",
            "FEIDE",
            "Bjørn",
            "Eksempel",
            "e7001@example.edu",
            "active",
            joined(["Author", "Planner"]),
            joined(["Faculty of Law"]),
            "first",
        ),
        "019f9727175e840e5db814707545d3ad",
    ),
    "staff, disabled": (
        Staff("7001", "e7001", status="disabled"),
        "01b200faa72fdf4ba4fbab1c1fcb4c0f",
    ),
    "test, whole": (
        Test("INF1000-H26", "INF1000-H26", "INF1000 Exam", NINE, ONE, 240, "1001"),
        "019bb2021952e0d3e00af49b6613df01",
    ),
    "test, no duration": (
        Test("INF1000-H26", "INF1000-H26", "INF1000 Exam", NINE, ONE),
        "0154a008ab0793750f1509955218f1b8",
    ),
    "option, switch": (
        Option("INF1000-H26", "LOCKDOWN_BROWSER", "true"),
        "019ce55bc6255c3b5a41903eab48d6b5",
    ),
    "option, secret": (
        Option("INF1000-H26", "SEB_SETTINGS_PINCODE", None, "abc123"),
        "01b7db87196c483405e40f8401fa1fc9",
    ),
    "committee, whole": (
        Committee("INF1000-H26", "A", "GRADING"),
        "01a93b787dfd2c4645f744eb02414459",
    ),
    "committee, no type": (Committee("INF1000-H26", "A"), "01b7db87196c483405e40f8401fa1fc9"),
    "contributor, whole": (
        Contributor(
            "INF1000-H26",
            "7001",
            joined(["evaluate", "monitor"]),
            joined(["A", "B"]),
            "101",
            "Main",
            1,
        ),
        "010d8b7be5c8816a03c4e85634f7f6ff",
    ),
    "contributor, roles alone": (
        Contributor("INF1000-H26", "7001", "evaluate"),
        "01a98ca93d35905a6e75788e31b25f27",
    ),
    "candidate, whole": (
        Candidate("INF1000-H26", "1001", "17", 60, "101", "Main", "A", extra_share=75_000),
        "01b8ff241cef03ddbba9966e5e4f7762",
    ),
    "candidate, zero minutes": (
        Candidate("INF1000-H26", "1001", extra_time=0),
        "01c7ac7bb4eb0997279ea60a4d6076d4",
    ),
    "candidate, key alone": (Candidate("INF1000-H26", "1001"), "01b7db87196c483405e40f8401fa1fc9"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_fingerprint_keeps_its_bytes(name: str) -> None:
    record, golden = GOLDEN[name]
    assert fingerprint(record).hex() == golden


def test_every_kind_is_here() -> None:
    assert {record.kind for record, _ in GOLDEN.values()} == set(Kind)
