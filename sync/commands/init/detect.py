"""What the columns of a source mean, and which kind of record its rows are."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from sync.commands.init.vocabulary import NAMES, NAMES_BY_KIND, columns_by_meaning, kind_in_name
from sync.records.base import Kind
from sync.records.kinds import PEOPLE

_DATA = re.compile(r"@|[0-9]{4}")
"""What the name of a column hardly contains, and a value often does."""

_LEAST_KNOWN = 2

FORMS: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEST: ("external_test_id", "course_term", "course"),
    Kind.LEARNER: ("student_no", "person_key", "external_id", "username", "email"),
    Kind.STAFF: ("employee_no", "person_key", "external_id", "username", "email"),
}
"""What can be the key of a kind: a meaning, or `course_term` for two together; the best first."""

_NUMBERS = frozenset({"student_no", "employee_no"})
_OF_A_TEST = frozenset({"external_test_id", "course"})
_OF_A_PERSON = frozenset(
    {*FORMS[Kind.LEARNER], *FORMS[Kind.STAFF], "first_name", "last_name", "full_name"}
) | {"national_id"}
_OF_A_TIME = frozenset(
    {
        *("start", "start_date", "start_time", "end", "end_date", "end_time", "date"),
        *("duration", "hours"),
    }
)
_OF_A_CANDIDATE = frozenset({"student_no", "extra_time", "candidate_id"})


@dataclass(frozen=True, slots=True)
class SourceSample:
    """A source as it was inspected.

    Attributes:
        name: its name under `sources`.
        settings: its settings, as they go into the configuration.
        columns: the names of its columns.
        rows: its first rows, which show the form of times; never written anywhere.
        hint: the name of the file or table, or the base of the search.
        directory: whether it is a directory, in which an employee number may be a student's.
        remarks: what to say about it in the configuration.
        answer: the kind of its rows, if a person has said it.
        no_feed: whether a person has said that its rows are of no kind.
        ids_are_keys: whether `user_id` is the key of a person in these sources, and not a login:
            another file of them has a column of its own for logins, as in Canvas.
    """

    name: str
    settings: Mapping[str, object]
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, str]] = field(default=(), repr=False)
    hint: str = ""
    directory: bool = False
    remarks: tuple[str, ...] = ()
    answer: Kind | None = None
    no_feed: bool = False
    ids_are_keys: bool = False

    @property
    def usable_columns(self) -> list[str]:
        """Return the columns whose names can be written into a configuration."""
        return [column for column in self.columns if column.isprintable()]


@dataclass(frozen=True, slots=True)
class Guess:
    """What is guessed of a source: the kind of its rows, if any, and the column of each meaning."""

    sample: SourceSample
    kind: Kind | None
    columns: Mapping[str, str]

    @property
    def has_header(self) -> bool:
        """Tell whether its columns have names. In a file without a header, the names are data."""
        has_data = any(_DATA.search(name) for name in self.sample.columns)
        return not has_data and len(set(self.columns.values())) >= _LEAST_KNOWN

    @property
    def is_ambiguous(self) -> bool:
        """Tell whether nothing in the source says if its people are learners or staff."""
        sample = self.sample
        named = sample.answer or sample.directory or kind_in_name(sample.hint) in PEOPLE
        return self.kind in PEOPLE and not named and not self.columns.keys() & _NUMBERS

    def columns_of(self, form: str) -> tuple[str, ...]:
        """Return the columns that name a test or a person in this form; none if it lacks one."""
        if form != "course_term":
            return (self.columns[form],) if form in self.columns else ()
        columns = tuple(self.columns[name] for name in ("course", "term") if name in self.columns)
        return columns if len(columns) == 2 and fit_in_template(*columns) else ()


def fit_in_template(*columns: str) -> bool:
    """Tell whether these columns can be written in the braces of a template."""
    return not any(set("{}:!$") & set(column) for column in columns)


def guess(sample: SourceSample, kind: Kind | None = None) -> Guess:
    """Return what this source is, or what it has for records of a given kind."""
    columns = columns_by_meaning(sample.usable_columns, NAMES)
    if sample.directory and "employee_no" in columns:
        columns.setdefault("student_no", columns["employee_no"])
    if (user_id := columns.pop("user_id", None)) is not None:
        is_key = sample.ids_are_keys or "username" in columns
        columns.setdefault("person_key" if is_key else "username", user_id)
    if kind is None and not sample.no_feed:
        kind = sample.answer or _kind_of_rows(sample, columns.keys())
    if kind is None:
        return Guess(sample, kind, columns)
    general = columns_by_meaning(sample.usable_columns, NAMES_BY_KIND.get(kind, {}))
    used = set(columns.values())
    further = {name: column for name, column in general.items() if column not in used}
    return Guess(sample, kind, further | columns)


def with_keys_of_people(samples: Iterable[SourceSample]) -> list[SourceSample]:
    """Return the sources; in all of them `user_id` is a key if one has a column for logins, too."""
    samples = list(samples)
    ids_are_keys = any(
        {"user_id", "username"} <= columns_by_meaning(sample.columns, NAMES).keys()
        for sample in samples
    )
    return [replace(sample, ids_are_keys=ids_are_keys) for sample in samples]


def _kind_of_rows(sample: SourceSample, meanings: Set[str]) -> Kind | None:
    """Return the kind by the meanings that are there, in doubt by the source's name."""
    hint = kind_in_name(sample.hint)
    if sample.directory:
        return Kind.STAFF if hint is Kind.STAFF else Kind.LEARNER
    general = columns_by_meaning(sample.usable_columns, NAMES_BY_KIND[Kind.CANDIDATE])
    known = meanings | general.keys()
    tests, people, timed = known & _OF_A_TEST, known & _OF_A_PERSON, known & _OF_A_TIME
    has_staff = "employee_no" in meanings
    if tests and people and (known & _OF_A_CANDIDATE or has_staff or not timed):
        return _kind_on_a_test(meanings, hint)
    if timed or (tests and "title" in meanings):
        return Kind.TEST
    if people and "student_no" not in meanings and (has_staff or hint is Kind.STAFF):
        return Kind.STAFF
    return Kind.LEARNER if people else hint


def _kind_on_a_test(meanings: Set[str], hint: Kind | None) -> Kind:
    has_staff = "employee_no" in meanings
    # A learning platform's file of enrolments has a role for everybody, students included.
    if hint is Kind.CANDIDATE and not has_staff:
        return Kind.CANDIDATE
    works = "roles" in meanings or (has_staff and "student_no" not in meanings)
    return Kind.CONTRIBUTOR if works or hint is Kind.CONTRIBUTOR else Kind.CANDIDATE
