"""What a pair of wanted and known means, whatever the kind and the values are."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sync.planning.diff import ACTIVE, DISABLED, Context, diff, remembered
from sync.records.base import Key, Kind
from sync.records.changes import Action, Change, Fields
from sync.records.kinds import COMPARED, IDENTITY, ON_A_TEST, SENT_ONCE

KINDS = st.sampled_from(list(Kind))
TEXTS = st.sampled_from(["a", "A", "å", "Øyvind Eksempel", "1", "01"])
STATUSES = st.sampled_from([ACTIVE, DISABLED])
LIFECYCLES: dict[Kind, list[str]] = {
    Kind.LEARNER: ["active", "released"],
    Kind.STAFF: ["active", "disabled"],
    Kind.TEST: ["active", "withdrawn", "retired"],
} | {kind: ["active", "retired"] for kind in ON_A_TEST}
PRESENT = {Action.UPDATE, Action.IDENTITY_CHANGE, Action.RESTORE, Action.ENABLE}
Pair = tuple[Kind, dict[str, Any], dict[str, Any], Context]


def a_key(kind: Kind) -> Key:
    return ("INF1000", "1001") if kind in ON_A_TEST else ("1001",)


def values(name: str, blank: bool = True) -> st.SearchStrategy[Any]:
    if name == "status":
        return st.none() | STATUSES
    some: st.SearchStrategy[Any] = (
        st.integers(0, 9) if name in {"duration", "extra_time"} else TEXTS
    )
    return st.one_of(st.none(), st.just(""), some) if blank else some


def fields_of(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: values(name) for name in COMPARED[kind]})


def known_of(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {name: st.one_of(st.none(), values(name, blank=False)) for name in COMPARED[kind]}
    )


KEYED = (Kind.LEARNER, Kind.STAFF, Kind.TEST)
"""The kinds of which a new record may be another one's."""


@st.composite
def circumstances(draw: st.DrawFn, kind: Kind) -> Context:
    flags = ("managed", "unsettled", "ended", "covered", "seated", "accepted", "delete")
    drawn = {name: draw(st.booleans()) for name in flags}
    resembles, reuses = (
        draw(st.sampled_from([("", ""), ("9", ""), ("9", "9")])) if kind in KEYED else ("", "")
    )
    return Context(
        draw(st.sampled_from(LIFECYCLES[kind])), resembles=resembles, reuses=reuses, **drawn
    )


@st.composite
def pairs(draw: st.DrawFn, kinds: st.SearchStrategy[Kind] = KINDS) -> Pair:
    kind = draw(kinds)
    return kind, draw(fields_of(kind)), draw(known_of(kind)), draw(circumstances(kind))


@st.composite
def wanted_pairs(draw: st.DrawFn) -> Pair:
    """Pairs whose row wants the record: it neither disables a person nor leaves an option blank."""
    kind, wanted, known, about = draw(pairs())
    if kind is Kind.STAFF:
        wanted["status"] = draw(st.sampled_from([None, ACTIVE]))
    if kind is Kind.OPTION:
        wanted["value"] = draw(TEXTS)
    return kind, wanted, known, about


def is_disabled(known: Fields, about: Context) -> bool:
    return DISABLED in (known.get("status"), about.lifecycle)


def shown(kind: Kind, known: Fields, about: Context) -> dict[str, Any]:
    """What is known, with the status of staff said in so many words."""
    status = (
        {"status": DISABLED if is_disabled(known, about) else ACTIVE} if kind is Kind.STAFF else {}
    )
    return {**known, **status}


def asked(pair: Pair) -> dict[str, Any]:
    """What is wanted; staff are wanted active, unless somebody else has disabled them and their row says nothing."""
    kind, wanted, known, about = pair
    if kind is not Kind.STAFF:
        return wanted
    left = wanted["status"] is None and known["status"] == DISABLED and about.lifecycle != DISABLED
    return {**wanted, "status": None if left else ACTIVE}


def changed(pair: Pair) -> Change | None:
    kind, wanted, known, about = pair
    return diff(kind, a_key(kind), wanted, known, about)


@given(wanted_pairs())
def test_once_a_change_is_carried_out_the_same_pair_calls_for_nothing(pair: Pair) -> None:
    kind, wanted, known, _ = pair
    change = changed(pair)
    after = remembered(kind, change.after) if change else known
    assert diff(kind, a_key(kind), wanted, after, Context()) is None


@given(pairs())
def test_a_field_that_the_feeds_leave_alone_never_changes(pair: Pair) -> None:
    kind, wanted, known, _ = pair
    change = changed(pair)
    for name in (
        name for name in COMPARED[kind] if change and wanted[name] is None and name != "status"
    ):
        assert change is not None
        assert name not in change.changed
        assert change.after[name] == known[name]


@given(wanted_pairs())
def test_a_change_carries_every_known_field_along(pair: Pair) -> None:
    kind, _, known, about = pair
    change = changed(pair)
    if change is not None:
        before, after = shown(kind, known, about), asked(pair)
        assert change.before == before
        # what no feed maps and a person may have set in Inspera is not sent
        kept = [
            n for n in COMPARED[kind] if (kind, n) != (Kind.STAFF, "status") or n in change.changed
        ]
        assert {n: change.after[n] for n in kept} == {
            n: before[n] if after[n] is None else after[n] for n in kept
        }


def test_a_status_that_no_feed_maps_is_not_sent_with_an_update() -> None:
    known = {
        **dict.fromkeys(COMPARED[Kind.STAFF]),
        "username": "u",
        "last_name": "Before",
        "status": "active",
    }
    wanted = {**known, "last_name": "After", "status": None}
    change = diff(Kind.STAFF, ("7",), wanted, known, Context())
    assert change is not None
    assert (change.action, change.after["status"]) == (Action.UPDATE, None)


def test_an_identity_change_of_staff_who_we_disabled_says_that_they_become_active_again() -> None:
    known = {**dict.fromkeys(COMPARED[Kind.STAFF]), "username": "before", "status": DISABLED}
    wanted = {**known, "username": "after", "status": None}
    change = diff(Kind.STAFF, ("7",), wanted, known, Context(DISABLED))
    assert change is not None
    assert (change.action, set(change.changed)) == (Action.IDENTITY_CHANGE, {"username", "status"})
    assert (change.before["status"], change.after["status"]) == (DISABLED, ACTIVE)


def test_staff_who_somebody_else_has_disabled_stay_so_unless_a_feed_says_otherwise() -> None:
    known = {**dict.fromkeys(COMPARED[Kind.STAFF]), "username": "u", "status": "disabled"}
    assert diff(Kind.STAFF, ("7",), {**known, "status": None}, known, Context()) is None
    change = diff(Kind.STAFF, ("7",), {**known, "status": "active"}, known, Context())
    assert change is not None
    assert change.action is Action.ENABLE


@given(wanted_pairs())
def test_exactly_the_fields_that_differ_are_named(pair: Pair) -> None:
    kind, _, known, about = pair
    before, after = shown(kind, known, about), asked(pair)
    differing = {
        name
        for name in COMPARED[kind]
        if after[name] is not None
        and after[name] != before[name]
        and (before[name] is not None or after[name] != "")
    }
    change = changed(pair)
    assert set(change.changed if change else ()) == differing


@given(wanted_pairs())
def test_a_changed_identity_is_an_identity_change_and_never_an_update(pair: Pair) -> None:
    kind, wanted, known, _ = pair
    change = changed(pair)
    moved = [
        name for name in IDENTITY[kind] if known[name] and wanted[name] not in (None, known[name])
    ]
    assert (change is not None and change.action is Action.IDENTITY_CHANGE) == bool(moved)
    if moved:
        assert change is not None
        assert all(name in change.reason for name in moved)


@given(wanted_pairs())
def test_a_known_record_that_is_wanted_is_never_removed(pair: Pair) -> None:
    change = changed(pair)
    assert change is None or change.action in PRESENT


@given(wanted_pairs())
def test_an_earlier_call_without_an_outcome_is_never_taken_for_settled(pair: Pair) -> None:
    change = changed(pair)
    if pair[3].unsettled:
        assert change is not None
        assert change.action in {Action.UPDATE, Action.IDENTITY_CHANGE, Action.ENABLE}


@given(wanted_pairs())
def test_equal_sides_call_for_nothing_unless_the_record_had_left(pair: Pair) -> None:
    kind, wanted, known, about = pair
    if kind is Kind.OPTION:
        known = {"value": wanted["value"]}
    wanted = {**known, "status": ACTIVE} if kind is Kind.STAFF else known
    change = diff(kind, a_key(kind), wanted, known, about)
    if kind is Kind.STAFF and is_disabled(known, about):
        assert change is not None
        assert change.action is Action.ENABLE
    elif about.lifecycle == "active" and not about.unsettled:
        assert change is None
    else:
        assert change is not None
        assert change.action is (Action.UPDATE if about.unsettled else Action.RESTORE)


@given(wanted_pairs())
def test_a_new_record_is_created_with_what_is_mapped_and_with_what_is_sent_once(pair: Pair) -> None:
    kind, wanted, _, about = pair
    once = {name: "once" for name in SENT_ONCE[kind] if name != "notify"}
    change = diff(kind, a_key(kind), {**wanted, **once}, None, about, "students.csv line 2")
    assert change is not None
    assert change.where == "students.csv line 2"
    if about.reuses or (about.resembles and not about.accepted):
        assert change.action is Action.IDENTITY_CHANGE
        assert "looks like 9" in change.reason
    else:
        assert change.action is Action.CREATE
        assert set(change.changed) == {name for name in COMPARED[kind] if wanted[name] is not None}
        assert {name: change.after[name] for name in once} == once
        assert not set(remembered(kind, change.after)) & set(once)


@given(st.data(), KINDS)
def test_what_is_nowhere_calls_for_nothing(data: st.DataObject, kind: Kind) -> None:
    assert diff(kind, a_key(kind), None, None, data.draw(circumstances(kind))) is None


@given(pairs())
def test_absence_takes_no_field_along_and_says_why(pair: Pair) -> None:
    kind, _, known, about = pair
    change = diff(kind, a_key(kind), None, known, about)
    if change is not None:
        assert (change.before, change.after, change.changed) == (known, {}, ())
        assert change.reason
