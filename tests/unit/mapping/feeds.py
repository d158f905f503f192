"""Small feeds over plainly made-up rows, and what comes of them."""

from collections.abc import Mapping

from sync.mapping import CompiledFeed, FeedRule, FieldRule, compile_feed
from sync.records.base import Kind, Row, RowError
from sync.records.candidate import Candidate
from sync.records.kinds import KEY_FIELDS, Record
from sync.records.learner import Learner
from sync.records.test import Test

PLACE = "rows.csv"
LINE = 7

LEARNER = {
    "key": FieldRule(column="no"),
    "username": FieldRule(column="login"),
    "external_id": FieldRule(column="login"),
    "auth_system": FieldRule(constant="FEIDE"),
    "first_name": FieldRule(column="given"),
    "last_name": FieldRule(column="family"),
    "email": FieldRule(column="mail"),
}
TEST = {
    "external_test_id": FieldRule(template="{course}-{term}"),
    "title": FieldRule(template="{course} {name}"),
    "start": FieldRule(column="start", zone="Europe/Oslo"),
    "end": FieldRule(column="end", zone="Europe/Oslo"),
    "duration": FieldRule(column="minutes"),
    "template": FieldRule(column="template", default="1001"),
}
CANDIDATE = {
    "test": FieldRule(template="{course}-{term}"),
    "learner": FieldRule(column="no"),
    "candidate_id": FieldRule(column="number"),
    "extra_time": FieldRule(column="extra"),
    "room": FieldRule(column="room"),
    "building": FieldRule(column="building"),
    "committees": FieldRule(column="groups"),
}
STAFF = {
    **LEARNER,
    "status": FieldRule(column="status"),
    "accesses": FieldRule(column="accesses"),
    "organisations": FieldRule(column="units", separator="|"),
}
OPTION = {
    "test": FieldRule(template="{course}-{term}"),
    "option": FieldRule(column="option"),
    "value": FieldRule(column="value"),
}
COMMITTEE = {
    "test": FieldRule(template="{course}-{term}"),
    "committee": FieldRule(column="name"),
    "type": FieldRule(column="type"),
}
CONTRIBUTOR = {
    "test": FieldRule(template="{course}-{term}"),
    "staff": FieldRule(column="no"),
    "roles": FieldRule(column="roles"),
    "committees": FieldRule(column="groups"),
    "room": FieldRule(column="room"),
    "building": FieldRule(column="building"),
    "notify": FieldRule(column="told"),
}
MAPS = {
    Kind.LEARNER: LEARNER,
    Kind.STAFF: STAFF,
    Kind.TEST: TEST,
    Kind.OPTION: OPTION,
    Kind.COMMITTEE: COMMITTEE,
    Kind.CONTRIBUTOR: CONTRIBUTOR,
    Kind.CANDIDATE: CANDIDATE,
}

ROWS: Mapping[Kind, Mapping[str, str]] = {
    Kind.LEARNER: {
        "no": "500001",
        "login": "ase@example.edu",
        "given": "Åse",
        "family": "Øksempel",
        "mail": "ase@example.edu",
    },
    Kind.TEST: {
        "course": "EX100",
        "term": "2026V",
        "name": "Prøve i eksempler",
        "start": "2026-05-20T09:00",
        "end": "2026-05-20T13:00",
        "minutes": "240",
        "template": "",
    },
    Kind.CANDIDATE: {
        "course": "EX100",
        "term": "2026V",
        "no": "500001",
        "number": "17",
        "extra": "30",
        "room": "R1",
        "building": "Bygg Å",
        "groups": "B; A",
    },
    Kind.STAFF: {
        "no": "700001",
        "login": "kari@example.edu",
        "given": "Kari",
        "family": "Øksempel",
        "mail": "kari@example.edu",
        "status": "Active",
        "accesses": "author",
        "units": "Fakultet Å|Institutt B",
    },
    Kind.OPTION: {"course": "EX100", "term": "2026V", "option": "LOCKDOWN_BROWSER", "value": "Yes"},
    Kind.COMMITTEE: {"course": "EX100", "term": "2026V", "name": "Kommisjon Å", "type": "Grading"},
    Kind.CONTRIBUTOR: {
        "course": "EX100",
        "term": "2026V",
        "no": "700001",
        "roles": "monitor; ar_evaluate",
        "groups": "Kommisjon Å",
        "room": "R1",
        "building": "Bygg Å",
        "told": "yes",
    },
}


KEYS = {"option": "LOCKDOWN_BROWSER"}


def feed(
    kind: Kind, *, clear_blanks: bool = False, where: Mapping[str, tuple[str, ...]] | None = None
) -> CompiledFeed:
    """The usual feed of that kind."""
    return compile_feed(FeedRule(kind, MAPS[kind], where or {}, clear_blanks), PLACE)


def row(kind: Kind, /, **values: str) -> Row:
    """A good row of that kind, with some of its values replaced."""
    return Row(LINE, {**ROWS[kind], **values})


def feed_of(kind: Kind, name: str, rule: FieldRule, *, clear_blanks: bool = False) -> CompiledFeed:
    """A feed that maps only its key and one field; a field of the key is mapped by that rule alone."""
    rules = {key: FieldRule(constant=KEYS.get(key, f"the {key}")) for key in KEY_FIELDS[kind]}
    return compile_feed(FeedRule(kind, {**rules, name: rule}, {}, clear_blanks), PLACE)


def outcome(kind: Kind, name: str, rule: FieldRule, /, **values: str) -> object:
    """What one field becomes in a row of these values: its value, or the one row error about it."""
    made = feed_of(kind, name, rule).map(Row(LINE, values))
    if isinstance(made, list):
        (row_error,) = made
        assert row_error.field == name
        assert row_error.where == "rows.csv line 7"
        return row_error
    assert made is not None
    return getattr(made, name)


def refused(kind: Kind, name: str, rule: FieldRule, /, **values: str) -> RowError:
    """The one row error about a field."""
    row_error = outcome(kind, name, rule, **values)
    assert isinstance(row_error, RowError), row_error
    assert len(str(row_error).splitlines()) == 1
    assert row_error.remedy
    return row_error


def row_errors(made: Record | list[RowError] | None) -> list[RowError]:
    """That there are row errors, and them."""
    assert isinstance(made, list)
    assert made
    return made


def learner(made: Record | list[RowError] | None) -> Learner:
    """That it is a learner, and it."""
    assert isinstance(made, Learner), made
    return made


def test(made: Record | list[RowError] | None) -> Test:
    """That it is a test, and it."""
    assert isinstance(made, Test), made
    return made


def candidate(made: Record | list[RowError] | None) -> Candidate:
    """That it is a candidate, and it."""
    assert isinstance(made, Candidate), made
    return made


test.__test__ = False  # type: ignore[attr-defined]  # a helper, not a case
