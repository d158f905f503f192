"""What a pair of wanted and known means, whatever the values are."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sync.diff import Circumstances, diff, remembered
from sync.model import COMPARED, IDENTITY, SENT_ONCE, Key, Kind
from sync.plan import Action, Fields

KINDS = st.sampled_from(list(Kind))
TEXTS = st.sampled_from(["a", "A", "å", "Øyvind Eksempel", "1", "01"])
STANDINGS: dict[Kind, list[str]] = {
    Kind.LEARNER: ["active", "released"],
    Kind.TEST: ["active", "withdrawn", "retired"],
    Kind.CANDIDATE: ["active", "retired"],
}


def a_key(kind: Kind) -> Key:
    return ("INF1000", "1001") if kind is Kind.CANDIDATE else ("1001",)


def values(name: str, blank: bool = True) -> st.SearchStrategy[Any]:
    some: st.SearchStrategy[Any] = st.integers(0, 9) if name in {"duration", "extra_time"} else TEXTS
    return st.one_of(st.none(), st.just(""), some) if blank else some


def fields_of(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: values(name) for name in COMPARED[kind]})


def known_of(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: st.one_of(st.none(), values(name, blank=False)) for name in COMPARED[kind]})


@st.composite
def circumstances(draw: st.DrawFn, kind: Kind) -> Circumstances:
    flags = {name: draw(st.booleans()) for name in ("ours", "unsettled", "ended", "covered", "seated", "accepted")}
    return Circumstances(draw(st.sampled_from(STANDINGS[kind])), resembles=draw(st.sampled_from(["", "9"])), **flags)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Kind, Fields, Fields, Circumstances]:
    kind = draw(KINDS)
    return kind, draw(fields_of(kind)), draw(known_of(kind)), draw(circumstances(kind))


def settled(about: Circumstances) -> bool:
    return about.standing == "active" and not about.unsettled


@given(pairs())
def test_once_a_change_is_carried_out_the_same_pair_calls_for_nothing(
    pair: tuple[Kind, Fields, Fields, Circumstances],
) -> None:
    kind, wanted, known, about = pair
    change = diff(kind, a_key(kind), wanted, known, about)
    after = remembered(kind, change.after) if change else known
    assert diff(kind, a_key(kind), wanted, after, Circumstances()) is None


@given(pairs())
def test_a_field_that_the_feeds_leave_alone_never_changes(pair: tuple[Kind, Fields, Fields, Circumstances]) -> None:
    kind, wanted, known, about = pair
    change = diff(kind, a_key(kind), wanted, known, about)
    for name in (name for name in COMPARED[kind] if change and wanted[name] is None):
        assert change is not None
        assert name not in change.changed
        assert change.after[name] == known[name]


@given(pairs())
def test_a_change_carries_every_known_field_along(pair: tuple[Kind, Fields, Fields, Circumstances]) -> None:
    kind, wanted, known, about = pair
    change = diff(kind, a_key(kind), wanted, known, about)
    if change is not None:
        assert {n: change.after[n] for n in COMPARED[kind]} == {
            n: known[n] if wanted[n] is None else wanted[n] for n in COMPARED[kind]
        }


@given(pairs())
def test_exactly_the_fields_that_differ_are_named(pair: tuple[Kind, Fields, Fields, Circumstances]) -> None:
    kind, wanted, known, about = pair
    change = diff(kind, a_key(kind), wanted, known, about)
    differing = {
        name
        for name in COMPARED[kind]
        if wanted[name] is not None and wanted[name] != known[name] and (known[name] is not None or wanted[name] != "")
    }
    assert set(change.changed if change else ()) == differing


@given(pairs())
def test_a_changed_identity_is_a_rekey_and_never_an_update(pair: tuple[Kind, Fields, Fields, Circumstances]) -> None:
    kind, wanted, known, about = pair
    change = diff(kind, a_key(kind), wanted, known, about)
    moved = [name for name in IDENTITY[kind] if known[name] and wanted[name] not in (None, known[name])]
    assert (change is not None and change.action is Action.REKEY) == bool(moved)
    if moved:
        assert change is not None
        assert all(name in change.reason for name in moved)


@given(pairs())
def test_a_known_record_that_is_wanted_is_never_removed(pair: tuple[Kind, Fields, Fields, Circumstances]) -> None:
    kind, wanted, known, about = pair
    change = diff(kind, a_key(kind), wanted, known, about)
    assert change is None or change.action in {Action.UPDATE, Action.REKEY, Action.RESTORE}


@given(pairs())
def test_an_earlier_call_without_an_outcome_is_never_taken_for_settled(
    pair: tuple[Kind, Fields, Fields, Circumstances],
) -> None:
    kind, wanted, known, about = pair
    change = diff(kind, a_key(kind), wanted, known, about)
    if about.unsettled:
        assert change is not None
        assert change.action in {Action.UPDATE, Action.REKEY}


@given(pairs())
def test_equal_sides_call_for_nothing_unless_the_record_had_left(
    pair: tuple[Kind, Fields, Fields, Circumstances],
) -> None:
    kind, _, known, about = pair
    change = diff(kind, a_key(kind), known, known, about)
    if settled(about):
        assert change is None
    else:
        assert change is not None
        assert change.action is (Action.UPDATE if about.unsettled else Action.RESTORE)


@given(pairs())
def test_a_new_record_is_created_with_what_is_mapped_and_with_what_is_sent_once(
    pair: tuple[Kind, Fields, Fields, Circumstances],
) -> None:
    kind, wanted, _, about = pair
    once = dict.fromkeys(SENT_ONCE[kind], "once")
    change = diff(kind, a_key(kind), {**wanted, **once}, None, about, "students.csv line 2")
    assert change is not None
    assert change.where == "students.csv line 2"
    if about.resembles and not about.accepted:
        assert change.action is Action.REKEY
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
def test_found_candidates_are_never_removed(pair: tuple[Kind, Fields, Fields, Circumstances]) -> None:
    _, _, _, about = pair
    change = diff(Kind.CANDIDATE, a_key(Kind.CANDIDATE), None, {}, about)
    if not about.ours:
        assert change is None or change.action is Action.RETIRE


@given(pairs())
def test_only_a_candidate_of_ours_on_a_test_that_goes_on_is_removed(
    pair: tuple[Kind, Fields, Fields, Circumstances],
) -> None:
    kind, _, known, about = pair
    change = diff(kind, a_key(kind), None, known, about)
    gone = about.ended or about.covered or about.standing == "retired" or not about.ours
    assert (change is not None and change.action is Action.REMOVE) == (kind is Kind.CANDIDATE and not gone)


@given(pairs())
def test_a_learner_with_a_seat_is_never_released(pair: tuple[Kind, Fields, Fields, Circumstances]) -> None:
    _, _, known, about = pair
    change = diff(Kind.LEARNER, ("1001",), None, known, about)
    released = change is not None and change.action is Action.RELEASE
    assert released == (not about.seated and about.standing != "released")


@given(pairs())
def test_an_ended_test_is_retired_and_never_withdrawn(pair: tuple[Kind, Fields, Fields, Circumstances]) -> None:
    _, _, known, about = pair
    change = diff(Kind.TEST, ("INF1000",), None, known, about)
    if about.standing == "retired":
        assert change is None
    elif about.ended:
        assert change is not None
        assert change.action is Action.RETIRE
    elif about.standing == "withdrawn":
        assert change is None
    else:
        assert change is not None
        assert change.action is Action.WITHDRAW


@given(pairs())
def test_absence_takes_no_field_along_and_says_why(pair: tuple[Kind, Fields, Fields, Circumstances]) -> None:
    kind, _, known, about = pair
    change = diff(kind, a_key(kind), None, known, about)
    if change is not None:
        assert (change.before, change.after, change.changed) == (known, {}, ())
        assert change.reason
