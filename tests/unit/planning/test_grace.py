from datetime import timedelta

from sync.planning.grace import GraceRules, PastAbsence
from sync.records.base import Kind

from ...support.tenant import NOW

RULES = GraceRules(2, timedelta(hours=1), {Kind.STAFF: timedelta(days=7)})


def test_a_first_absence_waits_for_the_next_reading_after_the_age() -> None:
    assert RULES.pending(Kind.CANDIDATE, PastAbsence(), NOW) == (
        "absent in 1 of 2 readings since 2026-12-01T08:00:00Z; "
        "goes with the first reading after 2026-12-01T09:00:00Z"
    )


def test_staff_have_a_grace_of_their_own() -> None:
    since = PastAbsence("2026-11-29T08:00:00Z", 3)
    assert not RULES.pending(Kind.CANDIDATE, since, NOW)
    reason = RULES.pending(Kind.STAFF, since, NOW)
    assert reason.endswith("; goes with the first reading after 2026-12-06T08:00:00Z")


def test_readings_that_lack_are_named_once_the_age_is_reached() -> None:
    rules = GraceRules(4)
    assert rules.pending(Kind.CANDIDATE, PastAbsence(), NOW).endswith(
        "; goes with the next 3 readings"
    )
    later = rules.pending(Kind.CANDIDATE, PastAbsence("2026-11-30T08:00:00Z", 2), NOW)
    assert (
        later == "absent in 3 of 4 readings since 2026-11-30T08:00:00Z; goes with the next reading"
    )
