"""The joins of a OneRoster bundle: which files make which rows, and by which columns."""

from typing import Literal, NamedTuple

RowsOf = Literal["learners", "staff", "tests", "candidates", "contributors"]
TestsBy = Literal["class", "course"]

STATUS, DELETED = "status", "tobedeleted"
SECRET = "password"  # noqa: S105 - the name of a column

PEOPLE = ("learners", "staff")
DEFAULT_ROLES = {
    "learners": "student",
    "candidates": "student",
    "staff": "teacher",
    "contributors": "teacher",
}
"""The selected role, if the settings name no role."""


class FileJoin(NamedTuple):
    """Columns that rows take from another file, by its `sourcedId`.

    Attributes:
        prefix: what their names begin with, before a dot.
        file: the other file, such as `orgs`.
        named_in: the columns of the row with the `sourcedId`; the first that is not blank is used.
            A column whose name ends with `Ids` has several, with commas between them.
    """

    prefix: str
    file: str
    named_in: tuple[str, ...]

    @property
    def several(self) -> bool:
        """Tell whether the columns may contain several ids."""
        return self.named_in[0].endswith("Ids")


class FilePlan(NamedTuple):
    """How rows are joined.

    Attributes:
        base: the file with a row for each of them.
        joins: what they take from other files; an absent file adds no columns.
        needed: the files without which a row does not identify a person or a test.
    """

    base: str
    joins: tuple[FileJoin, ...]
    needed: frozenset[str]

    @property
    def files(self) -> frozenset[str]:
        """Return all files that the rows may come from."""
        return frozenset((self.base, *self.needed, *(join.file for join in self.joins)))


def plan_of(rows_of: RowsOf, tests_by: TestsBy, minor: int) -> FilePlan:
    """Return the plan for these rows, for a bundle of OneRoster 1.`minor`."""
    if rows_of in PEOPLE:
        return _PEOPLE[minor]
    if rows_of == "tests":
        return _CLASSES if tests_by == "class" else _COURSES
    needed = {"users", "classes"} | ({"courses"} if tests_by == "course" else set())
    return FilePlan("enrollments", _OF_ENROLLMENTS, frozenset(needed))


_PEOPLE = {
    1: FilePlan("users", (FileJoin("org", "orgs", ("orgSourcedIds",)),), frozenset()),
    2: FilePlan(
        "users",
        (
            FileJoin("role", "roles", ("sourcedId",)),
            FileJoin("org", "orgs", ("primaryOrgSourcedId", "role.orgSourcedId")),
        ),
        frozenset({"roles"}),
    ),
}

_CLASSES = FilePlan(
    "classes",
    (
        FileJoin("course", "courses", ("courseSourcedId",)),
        FileJoin("org", "orgs", ("schoolSourcedId",)),
        FileJoin("session", "academicSessions", ("termSourcedIds",)),
    ),
    frozenset(),
)

_COURSES = FilePlan(
    "courses",
    (
        FileJoin("org", "orgs", ("orgSourcedId",)),
        FileJoin("session", "academicSessions", ("schoolYearSourcedId",)),
    ),
    frozenset(),
)

_OF_ENROLLMENTS = (
    FileJoin("user", "users", ("userSourcedId",)),
    FileJoin("class", "classes", ("classSourcedId",)),
    FileJoin("course", "courses", ("class.courseSourcedId",)),
    FileJoin("org", "orgs", ("schoolSourcedId", "class.schoolSourcedId")),
    FileJoin("session", "academicSessions", ("class.termSourcedIds",)),
)
