import pytest

from .configurations import SOUND, changed
from .conftest import Faults, Load

LEARNER = SOUND[SOUND.index("  - kind: learner") : SOUND.index("  - kind: test")]
TEST = SOUND[SOUND.index("  - kind: test") : SOUND.index("  - kind: candidate")]


def test_candidates_without_a_feed_of_tests_are_refused(faults_of: Faults) -> None:
    assert faults_of(changed(TEST, "")) == [
        "14:11: feeds[2].kind: candidates name learners and tests by key, "
        "but there is no test feed, add a feed of kind test"
    ]


def test_candidates_without_a_feed_of_learners_are_refused(faults_of: Faults) -> None:
    assert "there is no learner feed" in faults_of(changed(LEARNER, ""))[0]


def test_learners_alone_are_fine(load_text: Load) -> None:
    assert len(load_text(SOUND[: SOUND.index("  - kind: test")]).settings.feeds) == 1


def test_a_learner_feed_without_an_auth_system_is_told_both_ways_to_give_one(faults_of: Faults) -> None:
    (fault,) = faults_of(changed("    auth_system: FEIDE\n", ""))
    assert fault.startswith("10:5: feeds[1].auth_system: is needed, add 'auth_system: FEIDE'")
    assert fault.endswith("or map it from a column")


def test_an_empty_auth_system_is_not_one(faults_of: Faults) -> None:
    assert "feeds[1].auth_system: is needed" in faults_of(changed("auth_system: FEIDE", "auth_system:"))[0]


def test_an_auth_system_given_twice_is_refused(faults_of: Faults) -> None:
    assert faults_of(changed("{key: no,", "{key: no, auth_system: login,")) == [
        "12:5: feeds[1].auth_system: is given beside the one in 'map', keep one of them"
    ]


def test_cross_faults_are_said_beside_faults_of_the_model(faults_of: Faults) -> None:
    faults = faults_of(changed("source: people", "source: peple").replace("client_id: example", "client_idd: example"))
    assert [fault.split(": ")[1] for fault in faults] == ["inspera.client_id", "inspera.client_idd", "feeds[1].source"]


def test_a_ca_bundle_that_is_not_there_is_a_fault_and_one_beside_the_file_is_found(
    faults_of: Faults, load_text: Load
) -> None:
    text = changed("client_id: example", "client_id: example\n  ca_bundle: ca.pem")
    assert faults_of(text) == [
        "4:14: inspera.ca_bundle: is not there, or is no file, correct the path, or take the line out"
    ]
    (load_text(SOUND).folder / "ca.pem").write_text("made up", encoding="utf-8")
    assert str(load_text(text).settings.inspera.ca_bundle) == "ca.pem"


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("proxy_user: me", "4:15: inspera.proxy_user: means nothing without 'proxy', add 'proxy', or take it out"),
        (
            "proxy: http://proxy.example.edu:3128\n  proxy_password: ${P}",
            "5:19: inspera.proxy_password: means nothing without 'proxy_user', add 'proxy_user', or take it out",
        ),
    ],
)
def test_half_a_proxy_login_is_refused(faults_of: Faults, lines: str, fault: str) -> None:
    assert faults_of(changed("client_id: example", f"client_id: example\n  {lines}")) == [fault]


def test_the_proxy_address_carries_user_and_password_fit_for_an_address(
    load_text: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P", "a/b@c")
    proxy = "proxy: http://proxy.example.edu:3128\n  proxy_user: Ærø\n  proxy_password: ${P}"
    loaded = load_text(changed("client_id: example", f"client_id: example\n  {proxy}"))
    address = loaded.settings.inspera.proxy_address(loaded.folder)
    assert address == "http://%C3%86r%C3%B8:a%2Fb%40c@proxy.example.edu:3128"
    assert "a/b@c" not in repr(loaded)
