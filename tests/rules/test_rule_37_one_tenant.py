"""Rules 37: One state, one tenant, by address and client id."""

import pytest
from sync.sandbox import Sandbox

from ..support.manual_edits import account, make_test
from ..support.university import TEST, University, numbers

COMMANDS = (
    ("plan",),
    ("apply",),
    ("status",),
    ("adopt",),
    ("adopt", "--show"),
    ("reconcile",),
    ("check",),
    ("resume",),
    ("doctor", "--offline"),
)


@pytest.fixture
def seated(university: University) -> University:
    """Three learners on one test, sent from a state of this tenant's."""
    university.register(TEST, *numbers(1001, 3))
    university.apply_once()
    return university


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    "other", [{"client_id": "another"}, {"url": "https://test.example.inspera.com"}], ids=str
)
def test_every_command_refuses_a_state_of_another_tenant(
    seated: University, words: tuple[str, ...], other: dict[str, str]
) -> None:
    mine = f"{seated.sandbox.url} (client id example)"
    before = seated.state.read_bytes()
    seated.config["inspera"] |= other
    ran = seated.run(*words)
    assert ran.status == 2, ran.output
    assert f"this state belongs to {mine}, but the configuration names " in ran.output
    assert "`inspera-sync state rebind`" in ran.output
    assert seated.calls() == []
    assert seated.state.read_bytes() == before


def test_pause_works_whatever_the_configuration_names(seated: University) -> None:
    seated.config["inspera"]["client_id"] = "another"
    assert seated.run("pause").status == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.inspera.com", "https://EXAMPLE.Inspera.com"),
        ("https://example.inspera.com", "https://example.inspera.com/"),
        ("https://example.inspera.com:443", "https://example.inspera.com"),
    ],
)
def test_another_spelling_of_an_address_is_the_same_tenant(
    university: University, one: str, other: str
) -> None:
    university.register(TEST, "1001")
    university.config["inspera"] |= {
        "url": one,
        "attempts": 1,
        "connect_timeout": "1s",
        "proxy": "http://127.0.0.1:9",
    }
    assert (
        university.apply().status == 5
    )  # nobody answers, and the state is this tenant's from now on
    university.config["inspera"]["url"] = other
    assert university.plan().status == 0


def test_rebind_explains_itself_and_moves_nothing_unasked(seated: University) -> None:
    seated.config["inspera"]["client_id"] = "new"
    ran = seated.run("state", "rebind")
    assert ran.status == 2
    assert "client id example" in ran.out
    assert "`inspera-sync state rebind --renamed`" in ran.out
    assert seated.plan().status == 2


def test_rebind_moves_a_state_to_its_tenant_under_another_address(seated: University) -> None:
    seated.config["inspera"]["url"] = seated.sandbox.url.replace("127.0.0.1", "localhost")
    assert seated.plan().status == 2
    ran = seated.run("state", "rebind", "--renamed")
    assert ran.status == 0, ran.output
    assert seated.writes() == []
    assert seated.plan().status == 0
    assert seated.reconcile().status == 0
    seated.registrations.drop(f"{TEST} 1001")
    seated.apply_cleanly()
    assert "s1001" not in seated.candidates()


def test_rebind_refuses_a_tenant_that_has_nothing_of_what_is_known(seated: University) -> None:
    with Sandbox(api_key=seated.sandbox.api_key) as other:
        seated.config["inspera"]["url"] = other.url
        ran = seated.run("state", "rebind", "--renamed")
        assert ran.status == 2
        assert "has none of the 4 tests and people that were looked up" in ran.err
        assert seated.plan().status == 2
        assert not [call for call in other.requests() if call["method"] == "PUT"]


def test_rebind_changes_nothing_while_inspera_is_out_of_reach(seated: University) -> None:
    seated.config["inspera"] |= {"url": "http://127.0.0.1:9", "attempts": 1}
    assert seated.run("state", "rebind", "--renamed").status == 5
    assert seated.plan().status == 2


def test_rebind_has_nothing_to_do_where_the_tenant_is_the_same(seated: University) -> None:
    assert seated.run("state", "rebind").status == 0
    assert seated.plan().status == 0


def test_adopt_makes_a_state_its_tenants_as_well(university: University) -> None:
    university.register(TEST, "1001")
    make_test(university)
    university.sandbox.edit(student=account(university.students.rows[0]))
    assert university.adopt().status == 0
    university.config["inspera"]["client_id"] = "another"
    assert university.apply().status == 2
