"""Each call held against the schema.

Is it there, and does it take what we send? What differs, and what to do. Pure.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from sync.contract import TOKEN, Call
from sync.inspera.requests.entries import NAMES
from sync.inspera.schema_check.nearest import nearest
from sync.inspera.schema_check.schema import METHODS, Members, Schema, Segments, segments, shape
from sync.records.candidate import CANDIDATE
from sync.records.committee import COMMITTEE
from sync.records.contributor import CONTRIBUTOR
from sync.records.learner import LEARNER
from sync.records.staff import STAFF
from sync.records.test import TEST

_STAFF: Final = (*STAFF.members, "userType")

SENT: Final[Mapping[str, tuple[str, ...]]] = {
    "token.fetch": ("grant_type", "client_id", "code"),
    "learner.save": LEARNER.members,
    "staff.save": _STAFF,
    "staff.enable": _STAFF,
    "staff.disable": _STAFF,
    "export.order": ("resourceType", "parameters"),
    "test.create": TEST.members,
    "test.update": tuple(TEST.copied.values()),
    "option.set": ("securityOptions", "explanationOptions", "examDayOptions", "generalOption"),
    "committee.create": COMMITTEE.members,
    "committee.remove": COMMITTEE.members,
    "contributor.assign": (*CONTRIBUTOR.members, *NAMES.values()),
    "contributor.remove": ("externalId",),
    "candidate.assign": CANDIDATE.members,
    "candidate.remove": ("externalId",),
}
"""Members that a call may send, within its wrapper where it has one (vendor contract, Token to Test
API)."""

BESIDE: Final = dict.fromkeys(
    ("contributor.assign", "contributor.remove", "candidate.assign", "candidate.remove"),
    ("authenticationSystem",),
)
"""Members that are always sent next to the wrapper (vendor contract, Test API: contributors,
candidates)."""

Place = tuple[str, Segments]
"""A method and the shape of its path."""

_NAMED: Final = 10
"""Members that are listed by name at most."""

_NOTHING: Final = "the schema has no such path"
_ASK_WHETHER: Final = "ask Inspera whether your tenant has this call"
_ASK_WHAT: Final = "ask Inspera what this call takes; until that is settled it may be refused"


class Match(StrEnum):
    """What the schema says of a call."""

    PRESENT = "present"
    ABSENT = "absent"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class ComparedCall:
    """One call held against the schema: what differs, each in words, and what to do about it."""

    call: Call
    match: Match
    differences: tuple[str, ...] = ()
    remedy: str = ""


def compare(calls: Collection[Call], schema: Schema) -> list[ComparedCall]:
    """Return all calls, as they are in force, against the tenant's schema.

    One is never advised to be where another is.
    """
    taken = frozenset((call.method, shape(segments(call.path))) for call in calls)
    held = (_compared(call, schema, taken) for call in calls)
    # the token's call carries the key, so that no setting leads it elsewhere
    return [
        replace(one, remedy=one.remedy and _ASK_WHETHER) if one.call.name == TOKEN.name else one
        for one in held
    ]


def setting(call: Call, name: str) -> str:
    """Return how the configuration calls what a call can be changed by.

    Its `method`, `path` or `wrapper`.
    """
    return f"inspera.calls.{call.name}.{name}"


def _compared(call: Call, schema: Schema, taken: Collection[Place]) -> ComparedCall:
    there = schema.at(call.path)
    if call.method not in there:
        methods = [method for method in METHODS if method in there]
        match = Match.DIFFERENT if methods else Match.ABSENT
        difference = (
            f"the schema has {' and '.join(methods)} there, not {call.method}"
            if methods
            else _NOTHING
        )
        return ComparedCall(
            call,
            match,
            (difference,),
            _by_path(call, schema, taken) or _by_method(call, methods, taken),
        )
    differences, remedy = _in_body(call, schema, there[call.method].body)
    return (
        ComparedCall(call, Match.DIFFERENT, differences, remedy)
        if differences
        else ComparedCall(call, Match.PRESENT)
    )


def _by_path(call: Call, schema: Schema, taken: Collection[Place]) -> str:
    """Return the advice to take a path of the schema that is much like ours.

    Empty when the schema has no such path.
    """
    free = (
        one.segments
        for one in schema.with_method(call.method)
        if (one.method, shape(one.segments)) not in taken
    )
    near = nearest(call.path, free)
    return (
        f"it has {call.method} {near.theirs}: set {setting(call, 'path')} to {near.ours}"
        if near
        else ""
    )


def _by_method(call: Call, methods: Sequence[str], taken: Collection[Place]) -> str:
    """Return the advice to take the one method that could do the same."""
    usual = ("GET", "POST") if call.reads else ("POST", "PUT", "PATCH")
    place = shape(segments(call.path))
    fitting = [method for method in usual if method in methods and (method, place) not in taken]
    if len(fitting) != 1 or call.method not in usual:
        return _ASK_WHETHER
    return f"if {fitting[0]} there does the same: set {setting(call, 'method')} to {fitting[0]}"


def _in_body(call: Call, schema: Schema, body: object) -> tuple[tuple[str, ...], str]:
    """Return what differs in the body, and what to do about it."""
    beside, sent = BESIDE.get(call.name, ()), SENT.get(call.name, call.fields)
    always = (*beside, call.wrapper) if call.wrapper else (*beside, *call.fields)
    if body is None:
        return (
            ((f"the schema has no body, and we send {_names(always)}",), _ASK_WHAT)
            if always
            else ((), "")
        )
    if not call.wrapper:
        members = schema.members(schema.entry(body))
        return tuple(_differences(members, "the body", always, sent)), _ASK_WHAT
    members = schema.members(body)
    if members.lacks([call.wrapper]):
        difference = f"the body has no {call.wrapper!r}; it has {_names(sorted(members.schemas))}"
        return (difference,), _by_wrapper(call, schema, members)
    entry = schema.members(schema.entry(members.schemas.get(call.wrapper, {})))
    around = _differences(members, "the body", beside, always)
    return (*around, *_differences(entry, repr(call.wrapper), call.fields, sent)), _ASK_WHAT


def _by_wrapper(call: Call, schema: Schema, members: Members) -> str:
    fitting = [name for name, one in members.schemas.items() if schema.holds_others(one)]
    return f"set {setting(call, 'wrapper')} to {fitting[0]}" if len(fitting) == 1 else _ASK_WHAT


def _differences(
    members: Members, where: str, always: Sequence[str], sent: Sequence[str]
) -> Iterator[str]:
    if lacking := members.lacks(always):
        yield f"{where} has no {_names(lacking)}, which we always send"
    if missing := sorted(members.required.difference(always, sent)):
        yield f"{where} needs {_names(missing)}, which we never send"


def _names(names: Sequence[str]) -> str:
    told = ", ".join(repr(name) for name in names[:_NAMED])
    return told if len(names) <= _NAMED else f"{told} and {len(names) - _NAMED} more"
