"""What the columns of a source mean, and what kind of records its rows are."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.commands.init.vocabulary import GENERIC, WORDS, hinted, meanings
from sync.records.base import Kind

_TEMPLATE_BREAKERS = frozenset("{}:!$")

_DATA = re.compile(r"[0-9]{4}")
_LEAST_KNOWN = 2

_TIMES = (
    "start",
    "start_date",
    "start_time",
    "end",
    "end_date",
    "end_time",
    "date",
    "duration",
    "hours",
)
_PEOPLE = (
    "student_no",
    "employee_no",
    "person_key",
    "login",
    "external",
    "email",
    "given",
    "family",
    "full_name",
    "national_id",
)


@dataclass(frozen=True, slots=True)
class ColumnSample:
    """A source that was looked at.

    Attributes:
        name: what it is called under `sources`.
        settings: its settings as lines of YAML, without indentation.
        rows: its first rows, which show the form of times; never written anywhere.
        hint: by what it goes: the name of the file, the table, the base.
        directory: whether it is a directory, in which an employee number may be a student's.
        remarks: what to say about it in the file.
        holds: what somebody has said that its rows are.
        no_feed: whether somebody has answered that they are not one of these.
        ids_are_keys: whether `user_id` is the key of a person in these sources, and not a login:
            another file of them has a column of its own for logins, as in Canvas.
    """

    name: str
    settings: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, str]] = field(default=(), repr=False)
    hint: str = ""
    directory: bool = False
    remarks: tuple[str, ...] = ()
    holds: Kind | None = None
    no_feed: bool = False
    ids_are_keys: bool = False


@dataclass(frozen=True, slots=True)
class Detected:
    """A source with what its rows are, as far as is known, and the column for each meaning."""

    looked: ColumnSample
    kind: Kind | None
    columns: Mapping[str, str]

    @property
    def has_names(self) -> bool:
        """Tell whether its columns have names. A file without a header has data there."""
        data = any("@" in name or _DATA.search(name) for name in self.looked.columns)
        return not data and len(set(self.columns.values())) >= _LEAST_KNOWN

    def form(self, name: str) -> str | None:
        """Return the column or template that names a test or person in this form; None without one.

        The forms are the meanings of columns, and `course_term` for the two together.
        """
        if name != "course_term":
            return self.columns.get(name)
        course, term = self.columns.get("course"), self.columns.get("term")
        if course is None or term is None or _TEMPLATE_BREAKERS.intersection(course + term):
            return None
        return f"{{{course}}}-{{{term}}}"


def guess(looked: ColumnSample, kind: Kind | None = None) -> Detected:
    """Return what this source is; with `kind` what it gives for records of that kind."""
    usable = [column for column in looked.columns if column.isprintable()]
    sure = meanings(usable, WORDS)
    if looked.directory and "employee_no" in sure:
        sure["student_no" if "student_no" not in sure else "other_no"] = sure["employee_no"]
    _settle_user_id(sure, looked)
    kind = kind or looked.holds or (None if looked.no_feed else _kind(looked, sure, usable))
    general = meanings(usable, GENERIC.get(kind, {})) if kind is not None else {}
    used = set(sure.values())
    return Detected(
        looked,
        kind,
        {**{name: column for name, column in general.items() if column not in used}, **sure},
    )


def _settle_user_id(sure: dict[str, str], looked: ColumnSample) -> None:
    """Take a column such as `user_id` for the login, or for the key if another one is the login."""
    user_id = sure.pop("user_id", None)
    if user_id is not None:
        sure.setdefault(
            "person_key" if looked.ids_are_keys or "login" in sure else "login", user_id
        )


def keys_of_people(sources: Sequence[ColumnSample]) -> list[ColumnSample]:
    """Return the sources, each told whether `user_id` is a person's key in all of them."""
    has_both = any({"user_id", "login"} <= meanings(one.columns, WORDS).keys() for one in sources)
    return [replace(one, ids_are_keys=has_both) for one in sources]


def unsure(one: Detected) -> bool:
    """Return whether these people may be learners as well as staff, by all that the source says."""
    named = (
        one.looked.holds
        or hinted(one.looked.hint) in (Kind.STAFF, Kind.LEARNER)
        or one.looked.directory
    )
    numbered = {"student_no", "employee_no"} & {name for name in one.columns if name in WORDS}
    return one.kind in (Kind.LEARNER, Kind.STAFF) and not named and not numbered


def _kind(looked: ColumnSample, sure: Mapping[str, str], columns: Sequence[str]) -> Kind | None:
    hint = hinted(looked.hint)
    if looked.directory:
        return Kind.STAFF if hint is Kind.STAFF else Kind.LEARNER
    seat = meanings(columns, GENERIC[Kind.CANDIDATE])
    names_test = any(name in sure for name in ("test_id", "course")) or "test_id" in seat
    names_person = any(name in sure for name in _PEOPLE) or "student_no" in seat
    timed = any(name in sure for name in _TIMES)
    seated = any(name in {**seat, **sure} for name in ("student_no", "extra_time", "candidate_id"))
    if names_test and names_person and (seated or "employee_no" in sure or not timed):
        works = "role" in sure or ("employee_no" in sure and "student_no" not in sure)
        if hint is Kind.CANDIDATE and "employee_no" not in sure:
            return (
                Kind.CANDIDATE
            )  # as in a learning platform, whose file of enrolments has everybody's role
        return Kind.CONTRIBUTOR if works or hint is Kind.CONTRIBUTOR else Kind.CANDIDATE
    if timed or (names_test and "title" in sure):
        return Kind.TEST
    if names_person:
        works = "employee_no" in sure and "student_no" not in sure
        return (
            Kind.STAFF
            if works or (hint is Kind.STAFF and "student_no" not in sure)
            else Kind.LEARNER
        )
    return hint
