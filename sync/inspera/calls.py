"""Every call that this project makes, by the name that logs and messages use, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote


class Proof(StrEnum):
    """How sure we are of a call's method and path (vendor contract, opening)."""

    DOCUMENTED = "DOC"
    OBSERVED = "OBS"
    INFERRED = "INF"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the vendor's. `path` follows `/api`, may hold `{places}` and a fixed query."""

    name: str
    method: str
    path: str
    proof: Proof

    @property
    def reads(self) -> bool:
        """Whether it only reads, and so may always be repeated."""
        return self.method == "GET"


@dataclass(frozen=True, slots=True)
class Request:
    """One call with all that it carries.

    `hide` holds what must not be repeated to anybody when the vendor's answer echoes it; `ids` are the external ids
    in the body, so that the ones that a refusal names can be told.
    """

    call: Call
    places: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, object] | None = field(default=None, repr=False)
    hide: tuple[str, ...] = field(default=(), repr=False)
    ids: frozenset[str] = frozenset()

    @property
    def path(self) -> str:
        """The path with its places filled, each as one segment whatever it holds."""
        return self.call.path.format(**{name: quote(value, safe="") for name, value in self.places.items()})


TOKEN: Final = Call("token.fetch", "POST", "/authenticate/token/", Proof.DOCUMENTED)
LEARNER_SAVE: Final = Call("learner.save", "POST", "/v1/users/student", Proof.OBSERVED)
PERSON_BY_ID: Final = Call(
    "person.by_external_id",
    "GET",
    "/v1/users/external/{auth_system}/{external_id}?includeStudent=True",
    Proof.OBSERVED,
)
PERSON_SEARCH: Final = Call("person.search", "GET", "/v1/users/search", Proof.INFERRED)
TEST_SEARCH: Final = Call("test.search", "GET", "/v1/test/search", Proof.INFERRED)
TEST_READ: Final = Call("test.read", "GET", "/v1/test/{test}", Proof.OBSERVED)
TEST_CREATE: Final = Call("test.create", "POST", "/v1/test?isExternal=true", Proof.OBSERVED)
TEST_UPDATE: Final = Call("test.update", "POST", "/v1/test?isExternal=true", Proof.OBSERVED)
CANDIDATE_LIST: Final = Call("candidate.list", "GET", "/v1/test/{test}/candidates", Proof.INFERRED)
CANDIDATE_ASSIGN: Final = Call("candidate.assign", "POST", "/v1/test/{test}/candidates", Proof.INFERRED)
CANDIDATE_REMOVE: Final = Call("candidate.remove", "DELETE", "/v1/test/{test}/candidates", Proof.INFERRED)

CALLS: Final[Mapping[str, Call]] = {
    call.name: call
    for call in (
        TOKEN,
        LEARNER_SAVE,
        PERSON_BY_ID,
        PERSON_SEARCH,
        TEST_SEARCH,
        TEST_READ,
        TEST_CREATE,
        TEST_UPDATE,
        CANDIDATE_LIST,
        CANDIDATE_ASSIGN,
        CANDIDATE_REMOVE,
    )
}
"""All calls by name (vendor contract, Token, Users API and Test API)."""
