"""Whose account it is: by external id, then by login, then by email only where that is configured."""

from dataclasses import replace
from typing import Any

import pytest
from sync.engine.account_match import match_person, values_of
from sync.errors import CallMissing, Unknown

from ...support.tenant import FakeTenant, somebody

WANTED = {
    "username": "login7",
    "auth_system": "FEIDE",
    "external_id": "p7@example.edu",
    "email": "p7@example.edu",
}
UNLINKED: dict[str, Any] = {"external_ids": ()}


def matched(*people: Any, by_email: bool = False, **wanted: str) -> tuple[str | None, str]:
    tenant = FakeTenant(people=list(people))
    found, trouble = match_person(tenant, {**WANTED, **wanted}, by_email=by_email)
    return (found.remote_id if found else None), trouble


def test_an_external_id_comes_first_and_nothing_else_is_then_looked_up() -> None:
    tenant = FakeTenant(people=[somebody(7), somebody(8, username="login7", external_ids=())])
    found, trouble = match_person(tenant, {**WANTED, "username": "login7"}, by_email=True)
    assert (found, trouble) == (somebody(7), "")
    assert tenant.asked == ["find_person"]


def test_an_account_under_the_external_id_with_another_username_is_doubtful() -> None:
    found, trouble = matched(somebody(7, username="before"))
    assert found is None
    assert "another username" in trouble


def test_several_accounts_with_one_external_id_are_doubtful() -> None:
    ids = somebody(7).external_ids
    found, trouble = matched(somebody(7), somebody(8, external_ids=ids))
    assert found is None
    assert "several accounts in Inspera have this external id" in trouble


def test_a_login_counts_when_no_external_id_leads_to_an_account() -> None:
    assert matched(somebody(7, **UNLINKED)) == ("u7", "")
    assert matched(somebody(7, external_ids=(("LTI", "other"),))) == ("u7", "")


def test_an_account_with_the_login_that_is_linked_to_somebody_else_is_doubtful() -> None:
    found, trouble = matched(somebody(7, external_ids=(("FEIDE", "somebody.else@example.edu"),)))
    assert found is None
    assert "the account with this username has another external id" in trouble


@pytest.mark.parametrize("by_email", [False, True])
def test_an_email_counts_only_when_that_is_configured(by_email: bool) -> None:
    account = somebody(7, username="a.prove", **UNLINKED)
    assert matched(account, by_email=by_email) == ("u7" if by_email else None, "")


def test_an_email_never_outvotes_a_login() -> None:
    by_login, by_email = (
        somebody(7, email="old@example.edu", **UNLINKED),
        somebody(8, email="p7@example.edu", **UNLINKED),
    )
    assert matched(by_email, by_login, by_email=True) == ("u7", "")


@pytest.mark.parametrize(
    ("others", "says"),
    [
        (
            [somebody(8, username="b", email="p7@example.edu", external_ids=())],
            "several accounts in Inspera have this",
        ),
        ([], "has another external id"),
    ],
)
def test_an_email_of_several_or_of_somebody_else_is_doubtful(others: list[Any], says: str) -> None:
    linked = (("FEIDE", "somebody.else@example.edu"),) if not others else ()
    found, trouble = matched(somebody(7, username="a", external_ids=linked), *others, by_email=True)
    assert found is None
    assert says in trouble


def test_nobody_is_nobody() -> None:
    assert matched(by_email=True) == (None, "")
    assert matched(somebody(9), by_email=True, email="") == (None, "")


def test_a_tenant_that_can_not_be_searched_knows_people_by_external_id_alone() -> None:
    tenant = FakeTenant(
        people=[somebody(7, **UNLINKED)],
        failing={"find_person_by_login": CallMissing("no search here")},
    )
    assert match_person(tenant, WANTED, by_email=True) == (None, "")
    tenant.failing = {"find_person_by_login": Unknown("no answer")}
    with pytest.raises(Unknown):
        match_person(tenant, WANTED)


def test_what_is_known_of_a_match_are_inspera_s_values_and_only_a_link_that_is_there() -> None:
    account = somebody(7, last_name="Øy", status="disabled")
    assert values_of(WANTED, account) == {
        "username": "login7",
        "auth_system": "FEIDE",
        "external_id": "p7@example.edu",
        "first_name": "Åse",
        "last_name": "Øy",
        "email": "p7@example.edu",
        "status": "disabled",
    }
    unlinked = values_of(WANTED, replace(account, external_ids=(("LTI", "p7@example.edu"),)))
    assert (unlinked["auth_system"], unlinked["external_id"]) == (None, None)
