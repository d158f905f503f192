"""What a target is told: the difference, outside quiet hours, at most once a digest."""

from datetime import UTC, datetime, timedelta

from sync.concerns.concern import Concern, Urgency
from sync.config.notifications import Event, NotificationSettings
from sync.notify.message import MOST, Situation, make_message
from sync.state.notified import Notified

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
NIGHT = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)  # 00:30 in Oslo
LATE = Concern(Urgency.TODAY, "A is late.", "Look.", identity="late:a", event=Event.LATE)
EXAM = Concern(
    Urgency.NOW, "INF is not in Inspera.", "Look.", identity="exam:INF", event=Event.EXAM
)


def settings(**target: object) -> NotificationSettings:
    quiet = {"begin": "22:00", "end": "07:00", "zone": "Europe/Oslo"}
    content = {"targets": {"a": {"url": "${TOKEN}", **target}}, "quiet_hours": quiet}
    return NotificationSettings.model_validate(content)


def told(
    situation: Situation, before: Notified, now: datetime = NOON, **target: object
) -> tuple[str, Notified]:
    message = make_message(situation, before, "a", settings(**target), now)
    return (message.body, message.notified) if message else ("", before)


def test_only_what_is_new_is_told_and_what_is_solved() -> None:
    body, known = told(Situation([LATE]), Notified())
    assert body == "- A is late. Look."
    assert told(Situation([LATE]), known) == ("", known)
    body, known = told(Situation([]), known)
    assert body == "Solved:\n- A is late."
    assert known.concerns == {}


def test_at_night_only_an_exam_within_24_hours_is_told() -> None:
    body, known = told(Situation([EXAM, LATE]), Notified(), NIGHT)
    assert "INF" in body
    assert "late" not in body
    body, _ = told(Situation([EXAM, LATE]), known, NOON + timedelta(days=1))
    assert "late" in body
    assert "INF" not in body


def test_a_digest_waits_and_an_exam_does_not() -> None:
    _, known = told(Situation([LATE]), Notified(), digest="2h")
    other = Concern(Urgency.TODAY, "B is late.", "Look.", identity="late:b", event=Event.LATE)
    soon, later = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    assert told(Situation([LATE, other]), known, soon, digest="2h") == ("", known)
    assert "B is late" in told(Situation([LATE, other]), known, later, digest="2h")[0]
    assert "INF" in told(Situation([LATE, EXAM]), known, soon, digest="2h")[0]


def test_an_exam_that_is_over_was_not_solved() -> None:
    _, known = told(Situation([EXAM]), Notified())
    body, after = told(Situation([]), known)
    assert (body, after.concerns) == ("", {})
    body, _ = told(Situation([], complete_exams=frozenset({"exam:INF"})), known)
    assert body.startswith("Solved:")


def test_a_hold_that_moved_on_was_not_solved() -> None:
    first, second = (
        Concern(Urgency.TODAY, f"{n} wait.", "Decide.", identity=f"held:{n}", event=Event.HELD)
        for n in (1, 2)
    )
    _, known = told(Situation([first]), Notified())
    body, known = told(Situation([second]), known)
    assert body == "- 2 wait. Decide."
    assert list(known.concerns) == ["held:2"]
    assert told(Situation([]), known)[0] == "Solved:\n- 2 wait."


def test_nothing_is_solved_while_the_state_can_not_be_read() -> None:
    _, known = told(Situation([LATE]), Notified())
    assert told(Situation([], is_complete=False), known) == ("", known)


def test_a_long_list_ends_in_a_number_and_a_key_stays_in_its_line() -> None:
    many = [
        Concern(Urgency.TODAY, f"{n}\nx is late.", "Look.", identity=f"late:{n}", event=Event.LATE)
        for n in range(MOST + 5)
    ]
    body, _ = told(Situation(many), Notified())
    assert "- 5 more" in body
    assert "0 x is late." in body
