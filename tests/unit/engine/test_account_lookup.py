"""New people in two steps: looked up first, so that nobody gets a second account, then sent."""

from typing import Any

import pytest
from sync.engine.account_lookup import look_up
from sync.errors import Retry, Stop
from sync.records.base import Kind
from sync.records.changes import Action, Outcome, PlannedChange, Result

from ...support.tenant import FakeTenant, somebody
from .state_with_journal import line, results

PEOPLE = (Kind.LEARNER, Kind.STAFF)
WANTED = {
    "username": "login7",
    "auth_system": "FEIDE",
    "external_id": "p7@example.edu",
    "first_name": "Ase",
    "email": "p7@example.edu",
}


def wanted(kind: Kind, **fields: Any) -> PlannedChange:
    return line(kind, ("7",), secret="a-password", **{**WANTED, **fields})


@pytest.mark.parametrize("kind", PEOPLE)
def test_somebody_who_inspera_does_not_have_is_made_with_their_first_password(kind: Kind) -> None:
    tenant = FakeTenant()
    ready = look_up(wanted(kind), tenant)
    assert (ready.ended, ready.already, [one.change.kind for one in ready.lines]) == (
        [],
        [],
        [kind],
    )
    assert tenant.calls == [], "nothing is sent before its intent is written down"
    assert ready.send() == [Outcome(Result.DONE, remote_id="u9")]
    assert tenant.calls == [(f"create {kind}", "a-password")]


@pytest.mark.parametrize("kind", PEOPLE)
def test_somebody_who_was_there_is_noted_as_such_first_then_brought_up_to_date_and_keeps_their_password(
    kind: Kind,
) -> None:
    tenant = FakeTenant(people=[somebody(7)], outcome=Outcome(Result.DONE))
    ready = look_up(wanted(kind), tenant)
    (there,) = ready.already
    assert (there.kind, there.key, there.remote_id, there.fields["first_name"]) == (
        kind,
        ("7",),
        "u7",
        "Åse",
    )
    (outcome,) = ready.send()
    assert (outcome.result, outcome.remote_id) == (Result.FOUND, "u7")
    assert "never disabled or deleted" in outcome.message
    assert tenant.calls == [(f"update {kind}", None)]


@pytest.mark.parametrize("result", [Result.REFUSED, Result.UNKNOWN, Result.NOT_SENT])
def test_an_account_that_could_not_be_brought_up_to_date_says_so(result: Result) -> None:
    tenant = FakeTenant(people=[somebody(7)], outcome=Outcome(result, "no"))
    assert look_up(wanted(Kind.STAFF), tenant).send() == [Outcome(result, "no")]


@pytest.mark.parametrize("kind", PEOPLE)
def test_people_are_looked_up_by_login_too(kind: Kind) -> None:
    assert look_up(wanted(kind), FakeTenant(people=[somebody(7, external_ids=())])).already


def test_staff_who_cannot_be_looked_up_are_taken_for_somebody_elses_and_learners_are_just_made() -> (
    None
):
    made = Outcome(Result.DONE, remote_id="u9")
    (staff,) = look_up(wanted(Kind.STAFF), FakeTenant(outcome=made, sure=False)).send()
    (learner,) = look_up(wanted(Kind.LEARNER), FakeTenant(outcome=made, sure=False)).send()
    assert (staff.result, learner.result) == (Result.FOUND, Result.DONE)
    assert "never disabled" in staff.message


@pytest.mark.parametrize("kind", PEOPLE)
def test_doubt_about_whose_account_it_is_holds_the_person(kind: Kind) -> None:
    tenant = FakeTenant(people=[somebody(7, username="somebody.else")])
    ready = look_up(wanted(kind), tenant)
    result, message = results(ready.ended)[("7",)]
    assert (result, ready.lines, ready.already) == (Result.HELD, [], [])
    assert message.endswith("has another username; correct the source, or Inspera")
    assert "somebody.else" not in message


@pytest.mark.parametrize("kind", PEOPLE)
def test_anyone_who_can_not_be_looked_up_is_not_sent(kind: Kind) -> None:
    tenant = FakeTenant(failing={"find_person": Retry("Inspera is busy")})
    ready = look_up(wanted(kind), tenant)
    assert results(ready.ended) == {("7",): (Result.NOT_SENT, "not looked up: Inspera is busy")}
    assert ready.lines == []


def test_a_stop_is_passed_on() -> None:
    with pytest.raises(Stop):
        look_up(wanted(Kind.STAFF), FakeTenant(failing={"find_person": Stop("the key is refused")}))


def test_a_disabled_account_that_was_there_is_sent_as_it_is_wanted() -> None:
    tenant = FakeTenant(people=[somebody(7, status="disabled")])
    ready = look_up(wanted(Kind.STAFF, status="active"), tenant)
    assert ready.already[0].fields["status"] == "disabled"
    assert [one.change.action for one in ready.lines] == [Action.CREATE]
