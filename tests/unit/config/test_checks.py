import pytest

from .configurations import SOUND, STAFF, changed, with_committees, with_contributors, with_option
from .conftest import Errors, Load

LEARNER = SOUND[SOUND.index("  - kind: learner") : SOUND.index("  - kind: test")]
TEST = SOUND[SOUND.index("  - kind: test") : SOUND.index("  - kind: candidate")]


def test_candidates_without_a_feed_of_tests_are_refused(errors_of: Errors) -> None:
    assert errors_of(changed(TEST, "")) == [
        "14:11: feeds[2].kind: candidates name learners and tests by key, "
        "but no feed has kind test; add a feed of kind test"
    ]


def test_candidates_without_a_feed_of_learners_are_refused(errors_of: Errors) -> None:
    assert "no feed has kind learner" in errors_of(changed(LEARNER, ""))[0]


def test_contributors_without_a_feed_of_staff_are_refused(errors_of: Errors) -> None:
    assert errors_of(with_contributors("roles: r").replace(STAFF, "")) == [
        "25:11: feeds[4].kind: contributors name staff and tests by key, "
        "but no feed has kind staff; add a feed of kind staff"
    ]


@pytest.mark.parametrize("text", [with_option("o"), with_committees("committee: c")])
def test_options_and_committees_without_a_feed_of_tests_are_refused(
    errors_of: Errors, text: str
) -> None:
    candidates = SOUND[SOUND.index("  - kind: candidate") :]
    (error,) = errors_of(text.replace(TEST, "").replace(candidates, ""))
    assert error.startswith("14:11: feeds[2].kind: ")
    assert error.endswith("s name tests by key, but no feed has kind test; add a feed of kind test")


def test_committees_of_contributors_and_candidates_need_no_feed_of_their_own(
    load_text: Load,
) -> None:
    text = with_contributors("roles: r, committees: c").replace(
        "learner: no}", "learner: no, committees: c}"
    )
    assert len(load_text(text).settings.feeds) == 5


def test_learners_alone_are_fine(load_text: Load) -> None:
    assert len(load_text(SOUND[: SOUND.index("  - kind: test")]).settings.feeds) == 1


def test_a_learner_feed_without_an_auth_system_is_reported_both_ways_to_give_one(
    errors_of: Errors,
) -> None:
    (error,) = errors_of(changed("    auth_system: FEIDE\n", ""))
    assert error.startswith("10:5: feeds[1].auth_system: is needed; add 'auth_system: FEIDE'")
    assert error.endswith("or map it from a column")


def test_staff_need_an_auth_system_once_like_learners(errors_of: Errors, load_text: Load) -> None:
    without = STAFF.replace("    auth_system: FEIDE\n", "")
    (error,) = errors_of(SOUND + without)
    assert error.startswith("25:5: feeds[4].auth_system: is needed; add 'auth_system: FEIDE'")
    mapped = without.replace("{key: no,", "{key: no, auth_system: login,")
    assert load_text(SOUND + mapped).settings.feeds[3].fields()["auth_system"].column == "login"
    assert errors_of(SOUND + STAFF.replace("{key: no,", "{key: no, auth_system: login,")) == [
        "27:5: feeds[4].auth_system: is set here and in 'map.auth_system'; keep one of them"
    ]


@pytest.mark.parametrize("notify", ["true", "false"])
def test_whether_contributors_are_reported_is_said_once(errors_of: Errors, notify: str) -> None:
    text = with_contributors("roles: r, notify: n")
    text = text.replace("kind: contributor", f"kind: contributor\n    notify: {notify}")
    assert errors_of(text) == [
        "30:5: feeds[5].notify: is set here and in 'map.notify'; keep one of them"
    ]


@pytest.mark.parametrize("text", [with_option("o"), with_committees("committee: c")])
def test_options_and_committees_have_nothing_to_clear(
    errors_of: Errors, load_text: Load, text: str
) -> None:
    feed = text[text.rindex("  - kind: ") :]
    cleared = text.replace(
        feed, feed.replace("    source: exams", "    source: exams\n    blank: clear")
    )
    (error,) = errors_of(cleared)
    assert error.startswith("27:12: feeds[4].blank: is 'clear', but ")
    assert error.endswith("s have nothing that can be cleared; remove the setting")
    assert (
        load_text(cleared.replace("blank: clear", "blank: keep")).settings.feeds[3].blank == "keep"
    )


def test_an_empty_auth_system_is_not_one(errors_of: Errors) -> None:
    assert (
        "feeds[1].auth_system: is needed"
        in errors_of(changed("auth_system: FEIDE", "auth_system:"))[0]
    )


def test_an_auth_system_given_twice_is_refused(errors_of: Errors) -> None:
    assert errors_of(changed("{key: no,", "{key: no, auth_system: login,")) == [
        "12:5: feeds[1].auth_system: is set here and in 'map.auth_system'; keep one of them"
    ]


def test_cross_errors_are_said_next_to_errors_of_the_model(errors_of: Errors) -> None:
    errors = errors_of(
        changed("source: people", "source: peple").replace(
            "client_id: example", "client_idd: example"
        )
    )
    assert [error.split(": ")[1] for error in errors] == [
        "inspera.client_idd",
        "feeds[1].source",
    ]


def test_a_ca_bundle_that_is_not_there_is_a_error_and_one_next_to_the_file_is_found(
    errors_of: Errors, load_text: Load
) -> None:
    text = changed("client_id: example", "client_id: example\n  ca_bundle: ca.pem")
    assert errors_of(text) == [
        "4:14: inspera.ca_bundle: does not exist, or is not a file; correct the path, or remove the setting"
    ]
    (load_text(SOUND).folder / "ca.pem").write_text("made up", encoding="utf-8")
    assert str(load_text(text).settings.inspera.ca_bundle) == "ca.pem"


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (
            "proxy_user: me",
            "4:15: inspera.proxy_user: has no effect without 'proxy'; add 'proxy', or remove it",
        ),
        (
            "proxy: http://proxy.example.edu:3128\n  proxy_password: ${P}",
            "5:19: inspera.proxy_password: has no effect without 'proxy_user'; add 'proxy_user', or remove it",
        ),
    ],
)
def test_half_a_proxy_login_is_refused(errors_of: Errors, lines: str, error: str) -> None:
    assert errors_of(changed("client_id: example", f"client_id: example\n  {lines}")) == [error]


def test_the_proxy_address_carries_user_and_password_fit_for_an_address(
    load_text: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P", "a/b@c")
    proxy = "proxy: http://proxy.example.edu:3128\n  proxy_user: Ærø\n  proxy_password: ${P}"
    loaded = load_text(changed("client_id: example", f"client_id: example\n  {proxy}"))
    address = loaded.settings.inspera.proxy_address(loaded.folder)
    assert address == "http://%C3%86r%C3%B8:a%2Fb%40c@proxy.example.edu:3128"
    assert "a/b@c" not in repr(loaded)


def _in_flight(number: str, more: str = "") -> str:
    return changed("client_id: example\n", f"client_id: example\n  max_in_flight: {number}\n{more}")


def test_more_calls_in_flight_than_inspera_allows_are_an_error_unless_it_has_agreed(
    errors_of: Errors, load_text: Load
) -> None:
    assert errors_of(_in_flight("11")) == [
        "4:18: inspera.max_in_flight: is above 10, the limit of Inspera for all integrations "
        "together; lower it, or add 'i_have_more: true' if Inspera has agreed to more"
    ]
    loaded = load_text(_in_flight("11", "  i_have_more: true\n"))
    assert (loaded.settings.inspera.max_in_flight, loaded.warnings) == (11, ())


@pytest.mark.parametrize(("number", "warned"), [("8", False), ("9", True), ("10", True)])
def test_calls_in_flight_that_leave_little_to_other_integrations_are_a_warning(
    load_text: Load, number: str, warned: bool
) -> None:
    warnings = [str(one) for one in load_text(_in_flight(number)).warnings]
    assert len(warnings) == warned
    assert all("set it to 8 or less; the default is 4" in one for one in warnings)


@pytest.mark.parametrize("number", ["many", "0", "65", "4.5"])
def test_a_wrong_number_of_calls_in_flight_is_reported_once(errors_of: Errors, number: str) -> None:
    (error,) = errors_of(_in_flight(number))
    assert "inspera.max_in_flight: " in error
