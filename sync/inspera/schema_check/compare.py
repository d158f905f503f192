"""The comparison of each call with the tenant's schema: what differs, and what to do. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from sync.contract import FLAT, OPTION_SET, TOKEN, Call, StaffBody
from sync.inspera.requests.bodies import staff_members
from sync.inspera.requests.entries import NAMES
from sync.inspera.schema_check.nearest import nearest, with_places
from sync.inspera.schema_check.schema import (
    METHODS,
    Members,
    Operation,
    Schema,
    Segments,
    segments,
    shape,
)
from sync.records.candidate import CANDIDATE
from sync.records.committee import COMMITTEE
from sync.records.contributor import CONTRIBUTOR
from sync.records.learner import LEARNER
from sync.records.test import TEST

_STAFF_CALLS: Final = ("staff.create", "staff.update", "staff.enable", "staff.disable")

SENT: Final[Mapping[str, tuple[str, ...]]] = {
    "token.fetch": ("grant_type", "client_id", "code"),
    "learner.create": LEARNER.members,
    "learner.update": LEARNER.members,
    **dict.fromkeys(_STAFF_CALLS, staff_members(FLAT)),
    "export.order": ("resourceType", "parameters"),
    "test.create": TEST.members,
    "test.update": tuple(TEST.copied.values()),
    "option.set": tuple(OPTION_SET.groups.values()),
    "committee.create": COMMITTEE.members,
    "committee.remove": COMMITTEE.members,
    "contributor.assign": (*CONTRIBUTOR.members, *NAMES.values()),
    "contributor.remove": ("externalId",),
    "candidate.assign": CANDIDATE.members,
    "candidate.remove": ("externalId",),
}
"""The members that a call may send, inside its wrapper if it has one; staff in the flat shape."""

BESIDE: Final = dict.fromkeys(
    ("contributor.assign", "contributor.remove", "candidate.assign", "candidate.remove"),
    ("authenticationSystem",),
)
"""The members that are always sent next to the wrapper (vendor contract, Test API)."""

Place = tuple[str, Segments]
"""A method with the shape of a path."""

_NAMED: Final = 10
"""The most members that a message lists."""

_NOTHING: Final = "the schema has no such path"
_ASK_WHETHER: Final = "ask Inspera whether your tenant has this call"
_ASK_WHAT: Final = "ask Inspera what this call accepts; it may refuse the call"


class Match(StrEnum):
    """Whether a call fits the schema."""

    PRESENT = "present"
    ABSENT = "absent"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class ComparedCall:
    """The comparison of one call: the differences in words, and what to do about them."""

    call: Call
    match: Match
    differences: tuple[str, ...] = ()
    remedy: str = ""


def compare(
    calls: Collection[Call], schema: Schema, staff_body: StaffBody = FLAT
) -> list[ComparedCall]:
    """Return the comparison of all calls with the tenant's schema.

    The advice for a call never is the method and path of another one.
    """
    taken = frozenset((call.method, shape(segments(call.path))) for call in calls)
    sent = {**SENT, **dict.fromkeys(_STAFF_CALLS, staff_members(staff_body))}
    compared = (_compared(call, schema, taken, sent.get(call.name, call.fields)) for call in calls)
    # the token's call contains the key, so no setting may change its address
    return [
        replace(item, remedy=item.remedy and _ASK_WHETHER) if item.call.name == TOKEN.name else item
        for item in compared
    ]


def setting(call: Call, name: str) -> str:
    """Return the name of the setting that changes a call's `method`, `path` or `wrapper`."""
    return f"inspera.calls.{call.name}.{name}"


def _compared(
    call: Call, schema: Schema, taken: Collection[Place], sent: Sequence[str]
) -> ComparedCall:
    operations = schema.at(call.path)
    named = schema.named(call.operation) if call.operation else None
    if call.method not in operations and named is not None:
        return _moved(call, named)
    if call.method not in operations:
        methods = [method for method in METHODS if method in operations]
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
    differences, remedy = _in_body(call, schema, operations[call.method].body, sent)
    return (
        ComparedCall(call, Match.DIFFERENT, differences, remedy)
        if differences
        else ComparedCall(call, Match.PRESENT)
    )


def _moved(call: Call, named: Operation) -> ComparedCall:
    """Return the comparison of a call that the schema has by name, in another place."""
    place = f"{named.method} {named.path}"
    differences = (f"the schema has {call.operation} as {place}",)
    settings = []
    if shape(named.segments) != shape(segments(call.path)):
        path = with_places(call.path, named.segments)
        settings.append(path and f"{setting(call, 'path')} to {path}")
    if named.method != call.method:
        settings.append(f"{setting(call, 'method')} to {named.method}")
    remedy = f"set {' and '.join(settings)}" if all(settings) else _ASK_WHAT
    return ComparedCall(call, Match.DIFFERENT, differences, remedy)


def _by_path(call: Call, schema: Schema, taken: Collection[Place]) -> str:
    """Return the advice to set a similar path of the schema; empty without one."""
    free = (
        operation.segments
        for operation in schema.with_method(call.method)
        if (operation.method, shape(operation.segments)) not in taken
    )
    near = nearest(call.path, free)
    return (
        f"it has {call.method} {near.theirs}: set {setting(call, 'path')} to {near.ours}"
        if near
        else ""
    )


def _by_method(call: Call, methods: Sequence[str], taken: Collection[Place]) -> str:
    """Return the advice to set the only other method that could do the same."""
    usual = ("GET", "POST") if call.reads else ("POST", "PUT", "PATCH")
    place = shape(segments(call.path))
    candidates = [method for method in usual if method in methods and (method, place) not in taken]
    if len(candidates) != 1 or call.method not in usual:
        return _ASK_WHETHER
    return (
        f"if {candidates[0]} there does the same: set {setting(call, 'method')} to {candidates[0]}"
    )


def _in_body(
    call: Call, schema: Schema, body: object, sent: Sequence[str]
) -> tuple[tuple[str, ...], str]:
    """Return the differences of the body, and what to do about them."""
    beside = BESIDE.get(call.name, ())
    sent = (*sent, *call.groups.values())
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
    candidates = [name for name, member in members.schemas.items() if schema.holds_others(member)]
    return (
        f"set {setting(call, 'wrapper')} to {candidates[0]}" if len(candidates) == 1 else _ASK_WHAT
    )


def _differences(
    members: Members, where: str, always: Sequence[str], sent: Sequence[str]
) -> Iterator[str]:
    if lacking := members.lacks(always):
        yield f"{where} has no {_names(lacking)}, which we always send"
    if missing := sorted(members.required.difference(always, sent)):
        yield f"{where} needs {_names(missing)}, which we never send"


def _names(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name) for name in names[:_NAMED])
    return listed if len(names) <= _NAMED else f"{listed} and {len(names) - _NAMED} more"
