"""The known contract of the vendor: every call, role and option, each with how sure we are. Pure.

Nothing else about the vendor's interface is assumed anywhere. Inferred facts can be changed in the
configuration (`inspera.calls`, `inspera.options`), and `doctor` lists them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from string import Formatter
from typing import Final, Literal


class Confidence(StrEnum):
    """How sure we are of a fact (vendor contract, opening)."""

    DOCUMENTED = "documented"
    OBSERVED = "observed"
    INFERRED = "inferred"


class Repeat(StrEnum):
    """When a call whose answer was lost may be sent again: at once, or only after a read."""

    SAFE = "safe"
    AFTER_READ = "only after a read"
    WITHOUT_NOTICE = "only if nobody is notified; otherwise after a read"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the vendor.

    Attributes:
        name: its name in the configuration.
        method: the HTTP method.
        path: the path after `/api`, which may contain `{places}` and a fixed query.
        proof: how sure we are of it.
        wrapper: the member of the body with what is sent; empty if the body itself is sent.
        reads: whether it changes nothing, whatever its method.
        repeat: when it may be sent again after a lost answer.
        fields: the members that the call needs.
        operation: the vendor's own name of the call, by which a tenant's schema may list it under
            another path (vendor contract, Checking against a tenant's schema).
        groups: the member of the body for each group of options, in the contract's words.
    """

    name: str
    method: str
    path: str
    proof: Confidence
    wrapper: str = ""
    reads: bool = False
    repeat: Repeat = Repeat.SAFE
    fields: tuple[str, ...] = ()
    operation: str = ""
    groups: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def places(self) -> frozenset[str]:
        """Return the names of the places in the path."""
        return places_of(self.path)


def places_of(path: str) -> frozenset[str]:
    """Return the names between the braces of a path.

    Raises:
        ValueError: a brace has no partner.
    """
    return frozenset(name for _, name, _, _ in Formatter().parse(path) if name is not None)


_DOC, _OBS, _INF = Confidence.DOCUMENTED, Confidence.OBSERVED, Confidence.INFERRED
_TEST: Final = "/v1/test/{test}"
_PERSON: Final = ("username",)

TOKEN: Final = Call("token.fetch", "POST", "/authenticate/token/", _DOC)
LEARNER_CREATE: Final = Call("learner.create", "POST", "/v1/users/student", _OBS, fields=_PERSON)
LEARNER_UPDATE: Final = Call("learner.update", "POST", "/v1/users/student", _OBS, fields=_PERSON)
STAFF_CREATE: Final = Call("staff.create", "POST", "/v1/users", _INF, fields=_PERSON)
STAFF_UPDATE: Final = Call("staff.update", "POST", "/v1/users", _INF, fields=_PERSON)
STAFF_ENABLE: Final = Call("staff.enable", "POST", "/v1/users", _INF, fields=(*_PERSON, "status"))
STAFF_DISABLE: Final = Call("staff.disable", "POST", "/v1/users", _INF, fields=(*_PERSON, "status"))
STAFF_DELETE: Final = Call(
    "staff.delete", "DELETE", "/v1/users/{user}", _INF, repeat=Repeat.AFTER_READ
)
PERSON_READ: Final = Call("person.read", "GET", "/v1/users/{user}", _OBS, reads=True)
PERSON_BY_ID: Final = Call(
    "person.by_external_id",
    "GET",
    "/v1/users/external/{auth_system}/{external_id}?includeStudent=True",
    _OBS,
    reads=True,
)
PERSON_SEARCH: Final = Call("person.search", "GET", "/v1/users/search", _INF, reads=True)
EXPORT_ORDER: Final = Call(
    "export.order",
    "POST",
    "/v1/fileExport/order",
    _OBS,
    reads=True,
    fields=("resourceType", "parameters"),
)
EXPORT_STATUS: Final = Call("export.status", "GET", "/v1/fileExport/status/{job}", _OBS, reads=True)
TEST_SEARCH: Final = Call("test.search", "GET", "/v1/test/search", _INF, reads=True)
TEST_READ: Final = Call("test.read", "GET", _TEST, _OBS, reads=True)
TEST_CREATE: Final = Call(
    "test.create",
    "POST",
    "/v1/test?isExternal=true",
    _OBS,
    repeat=Repeat.AFTER_READ,
    fields=("externalTestId", "title", "startTime", "endTime", "duration"),
)
TEST_UPDATE: Final = Call(
    "test.update", "POST", "/v1/test?isExternal=true", _OBS, fields=TEST_CREATE.fields
)
TEST_ACTIVATE: Final = Call(
    "test.activate", "POST", f"{_TEST}/activate", _DOC, repeat=Repeat.AFTER_READ
)
OPTION_SET: Final = Call(
    "option.set",
    "POST",
    f"{_TEST}/options",
    _DOC,
    wrapper="testOptions",
    operation="setTestOptions",
    groups={
        "general": "generalOptions",
        "security": "securityOptions",
        "exam_day": "examDayOptions",
        "after_test": "afterTestOptions",  # inferred
        "explanation": "explanationOptions",
    },
)
COMMITTEE_CREATE: Final = Call(
    "committee.create",
    "POST",
    f"{_TEST}/committees",
    _DOC,
    wrapper="committees",
    repeat=Repeat.AFTER_READ,
    fields=("name",),
)
COMMITTEE_REMOVE: Final = Call(
    "committee.remove",
    "DELETE",
    f"{_TEST}/committees",
    _DOC,
    wrapper="committees",
    fields=("name",),
)
CONTRIBUTOR_ASSIGN: Final = Call(
    "contributor.assign",
    "POST",
    f"{_TEST}/contributors",
    _OBS,
    wrapper="contributors",
    repeat=Repeat.WITHOUT_NOTICE,
    fields=("externalId", "roles"),
)
CONTRIBUTOR_REMOVE: Final = Call(
    "contributor.remove",
    "DELETE",
    f"{_TEST}/contributors",
    _INF,
    wrapper="contributors",
    fields=("externalId",),
)
CANDIDATE_LIST: Final = Call("candidate.list", "GET", f"{_TEST}/candidates", _INF, reads=True)
CANDIDATE_ASSIGN: Final = Call(
    "candidate.assign",
    "POST",
    f"{_TEST}/candidates",
    _INF,
    wrapper="candidates",
    fields=("externalId",),
)
CANDIDATE_REMOVE: Final = Call(
    "candidate.remove",
    "DELETE",
    f"{_TEST}/candidates",
    _INF,
    wrapper="candidates",
    fields=("externalId",),
)

CALLS: Final[Mapping[str, Call]] = {
    call.name: call
    for call in (
        TOKEN,
        LEARNER_CREATE,
        LEARNER_UPDATE,
        STAFF_CREATE,
        STAFF_UPDATE,
        STAFF_ENABLE,
        STAFF_DISABLE,
        STAFF_DELETE,
        PERSON_READ,
        PERSON_BY_ID,
        PERSON_SEARCH,
        EXPORT_ORDER,
        EXPORT_STATUS,
        TEST_SEARCH,
        TEST_READ,
        TEST_CREATE,
        TEST_UPDATE,
        TEST_ACTIVATE,
        OPTION_SET,
        COMMITTEE_CREATE,
        COMMITTEE_REMOVE,
        CONTRIBUTOR_ASSIGN,
        CONTRIBUTOR_REMOVE,
        CANDIDATE_LIST,
        CANDIDATE_ASSIGN,
        CANDIDATE_REMOVE,
    )
}
"""All calls by name, unless the configuration changes them (vendor contract, Token to Test API)."""


class Stage(StrEnum):
    """What the status of a test means."""

    NOT_ACTIVATED = "not_activated"
    ACTIVATED = "activated"
    ARCHIVED = "archived"
    UNSHOWN = "unshown"
    UNKNOWN = "unknown"


STATUSES: Final[Mapping[str, Stage]] = {
    "created": Stage.NOT_ACTIVATED,
    "scheduled": Stage.NOT_ACTIVATED,
    "active": Stage.ACTIVATED,
    "finished": Stage.ACTIVATED,
    "grading in progress": Stage.ACTIVATED,
    "graded": Stage.ACTIVATED,
    "archived": Stage.ARCHIVED,  # inferred
}
"""Statuses of a test, in lower case (vendor contract, Test API: search).

The vendor adds such words without notice, so a tenant's own are set in the configuration.
"""


def plain_status(status: str | None) -> str:
    """Return a status of a test as it stands in `STATUSES`."""
    return " ".join((status or "").lower().replace("_", " ").split())


def stage_of(status: str | None, statuses: Mapping[str, Stage] = STATUSES) -> Stage:
    """Return what the status of a test means, by these words.

    This is the only judgement of a status: what waits for an activation and what must come before
    it never rest on two.
    """
    plain = plain_status(status)
    return statuses.get(plain, Stage.UNKNOWN) if plain else Stage.UNSHOWN


SAVES: Final = frozenset(
    call.name
    for call in (
        LEARNER_CREATE,
        LEARNER_UPDATE,
        STAFF_CREATE,
        STAFF_UPDATE,
        STAFF_ENABLE,
        STAFF_DISABLE,
    )
)
"""The names of the calls that save a person by username (vendor contract, Users API)."""

ROLES: Final[Mapping[str, Confidence]] = {
    "evaluate": _OBS,
    "monitor": _OBS,
    "plan": _DOC,
    "author": _INF,
    "invigilate": _INF,
    "chief_invigilate": _INF,
    "review": _INF,
}
"""Roles of contributors (vendor contract, Test API: contributors)."""

ROLE_TITLES: Final[Mapping[str, str]] = {
    "evaluate": "grader",
    "monitor": "monitor",
    "plan": "planner",
    "author": "author",
    "invigilate": "invigilator",
    "chief_invigilate": "chief invigilator",
    "review": "reviewer",
}
"""What people call who has a role."""

DEFAULT_EXTERNAL_SYSTEM: Final = "API"
"""The name under which Inspera keeps the external ids of tests that were created by this interface
(vendor contract, Conventions). Those of another integration are not found without its name."""

ARCHIVED: Final = "archived"
"""The word, in lower case, by which the refusal of changes of an archived test is recognised
(vendor contract, Test API: activating; inferred)."""

STARTED_WORDS: Final = ("has started", "have started", "already started", "has begun")
"""The words, in lower case, by which the refusal to take off a candidate who has started is
recognised (vendor contract, Test API: candidates; inferred)."""

ABOUT_PEOPLE: Final = (
    "candidates?|students?|learners?|users?|accounts?|persons?|people|participants?|contributors?"
    "|graders?|members?"
)
ABOUT_TESTS: Final = "tests?|assessments?(?: ?runs?)?|exams?|examinations?"
"""The words, in lower case, that say what such a refusal is about: a person, or the test
(inferred)."""

COMMITTEE_TYPES: Final = ("GRADING", "REASSESSMENT")
"""Types of committees, the default first (vendor contract, Test API: committees)."""

MAX_IN_FLIGHT: Final = 10
"""The most calls that Inspera has in progress at once, for all integrations of a customer."""

MAX_COMMITTEE_NAME: Final = 50
"""Characters in a committee's name (vendor contract, Test API: committees)."""

StaffBody = Literal["flat", "nested"]
"""The shapes of the body that saves staff (vendor contract, Users API: administrative users).

Flat is the vendor's own sample. Nested is inferred from an integration.
"""

FLAT: Final = "flat"

MAX_ACCESS_GROUPS: Final = 1_000
"""Access groups in a tenant."""

MAX_GROUP_MEMBERS: Final = 1_000
"""Staff in one access group."""

MANY_ACCESSES: Final = 20
"""Access groups of one person, above which the plan warns (vendor contract, Users API)."""

OptionGroup = Literal["security", "explanation", "exam_day", "after_test", "general"]
"""The groups of options, in our words (vendor contract, Test API: settings)."""

OptionType = Literal["switch", "pin", "text"]
"""The value of an option: true or false, a pin by the vendor's rule, or any text."""


@dataclass(frozen=True, slots=True)
class OptionRule:
    """The rule of one option (vendor contract, Test API: settings).

    Security options can change only until the test is activated.

    Attributes:
        group: the group in which it is sent.
        type: the type of its value.
        secret: whether its value is never stored, logged or shown.
        one_way: whether switching it off takes back nothing that it has done.
        safe_length: the most characters that are known to work; None when any length does.
    """

    group: OptionGroup
    type: OptionType = "switch"
    secret: bool = False
    one_way: bool = False
    safe_length: int | None = None


OPTIONS: Final[Mapping[str, OptionRule]] = {
    "SEB_SETTINGS_PINCODE": OptionRule("security", "pin", secret=True),
    "LOCKDOWN_BROWSER": OptionRule("security"),
    "LOCKDOWN_QUIT_CODE": OptionRule("security", "text", secret=True, safe_length=8),
    "LOCKDOWN_CHROME_KIOSK": OptionRule("security"),
    "EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED": OptionRule("explanation"),
    "EXPLANATION_OF_GRADES_REQUESTED_FOR_ALL_GRADES": OptionRule("explanation", one_way=True),
}
"""The named options (vendor contract, Test API: settings).

The group is documented for `LOCKDOWN_BROWSER`, and read off the name of the others. None is named
of the groups `exam_day`, `after_test` and `general`. That the quit code is the option of which the
vendor's own lock-down browser takes at most 8 characters is inferred.
"""

MIN_PIN: Final = 6


def is_valid_pin(pin: str) -> bool:
    """Tell whether a pin is valid: 6 or more printable ASCII characters with letters and digits."""
    return (
        len(pin) >= MIN_PIN
        and pin.isascii()
        and pin.isprintable()
        and any(char.isalpha() for char in pin)
        and any(char.isdigit() for char in pin)
    )
