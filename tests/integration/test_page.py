"""The status page: what it shows of a university, and what people decide on it."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
from sqlalchemy import text
from sync.app import App

from ..support.pages import TOKEN, PageTenant
from ..support.university import TEST, University, numbers


@pytest.fixture
def page(university: University, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageTenant]:
    """A page over a test with forty candidates, four days before it."""
    university.at("2026-11-27T08:00")
    university.config["jobs"] = {"nightly": {"cron": "15 2 * * *", "zone": "Europe/Oslo"}}
    university.register(TEST, *numbers(1001, 40))
    university.apply_once()
    one = PageTenant(university)
    university.start_observing()
    with one.serving():
        one.log_in()
        yield one


def hold(page: PageTenant) -> str:
    del page.university.registrations.rows[10:]
    page.university.apply()
    (held,) = json.loads(page.university.run("held", "--json").out)["holds"]
    return str(held["id"])


def test_every_page_can_be_seen(page: PageTenant) -> None:
    for path in ("/", "/exams", "/held", "/errors", "/sources", "/runs", "/records", "/runs/1"):
        assert page.get(path).status_code == 200, path
    for path in (
        "/records/learner/1001",
        f"/records/candidate/{TEST}/1001",
        f"/records/test/{TEST}",
    ):
        assert page.get(path).status_code == 200, path


def test_all_is_well_is_said_in_one_line(page: PageTenant) -> None:
    words = page.text("/")
    assert "All is well" in words
    assert "1 of 1 is complete" in words


def test_all_is_not_well_before_the_first_run(university: University) -> None:
    university.config["jobs"] = {"nightly": {"cron": "15 2 * * *", "zone": "Europe/Oslo"}}
    one = PageTenant(university)
    with one.app.state.open_to_write("serve"):
        pass  # as the service makes a state
    with one.serving():
        one.log_in()
        words = one.text("/")
    assert "All is well" not in words
    assert "No run has come to its end yet" in words


def test_all_is_not_well_after_a_run_that_was_cut_off(page: PageTenant) -> None:
    with page.app.state.open_to_write("test") as opened:
        opened.connection.execute(
            text(
                "INSERT INTO run (command, started, status, counts, reason)"
                " SELECT 'job nightly', started, status, counts, reason FROM run LIMIT 1"
            )
        )
        opened.connection.commit()
    words = page.text("/")
    assert "All is well" not in words
    assert "Run 2 (job nightly) has no end" in words


def test_all_is_not_well_where_no_job_sends(page: PageTenant) -> None:
    page.university.config["jobs"]["nightly"]["mode"] = "plan"
    page.app = App.open(page.university.write(), lambda _line: None)
    assert "No job sends anything" in page.text("/")


def test_a_held_change_is_seen_explained_and_approved(page: PageTenant) -> None:
    id_ = hold(page)
    assert "wait for a decision" in page.text("/")
    assert "30 candidates" in page.text("/held")
    words = page.text(f"/held/{id_}")
    assert f"remove candidate {TEST} / 1011" in words
    answer = page.post(
        f"/held/{id_}/decide",
        csrf=page.csrf(),
        verdict="approve",
        scope="all",
        person="drift",
        why="the course was moved",
    )
    assert answer.status_code == 200
    assert "Approved: 30 changes" in answer.text
    page.university.apply()
    assert len(page.university.candidates()) == 10


def test_only_what_was_ticked_is_approved(page: PageTenant) -> None:
    id_ = hold(page)
    digests = [
        one.split('"')[0]
        for one in page.get(f"/held/{id_}").text.split('name="change" value="')[1:]
    ]
    answer = page.post(
        f"/held/{id_}/decide",
        csrf=page.csrf(),
        verdict="reject",
        scope="some",
        change=digests[:2],
        person="drift",
        why="they sit the exam",
    )
    assert "Rejected: 2 changes" in answer.text
    assert len(page.get(f"/held/{id_}").text.split('name="change"')) == 29


def test_errors_of_a_run_that_also_held_something_are_not_forgotten(page: PageTenant) -> None:
    page.university.students.rows[39]["mail"] = "no address"
    page.university.allow_shrinkage()
    del page.university.registrations.rows[10:]
    page.university.apply()
    (held,) = json.loads(page.university.run("held", "--json").out)["holds"]
    fields = {"verdict": "reject", "scope": "all", "person": "ann", "why": "no"}
    page.post(f"/held/{held['id']}/decide", csrf=page.csrf(), **fields)
    words = page.text("/")
    assert "left errors" in words, words
    assert "All is well" not in words


def test_what_somebody_has_rejected_is_not_approved_with_the_rest(page: PageTenant) -> None:
    id_ = hold(page)
    path, csrf = f"/held/{id_}/decide", page.csrf()
    digests = [
        one.split('"')[0]
        for one in page.get(f"/held/{id_}").text.split('name="change" value="')[1:]
    ]
    page.post(
        path,
        csrf=csrf,
        verdict="reject",
        scope="some",
        change=digests[:2],
        person="ann",
        why="they sit the exam",
    )
    fields = {"csrf": csrf, "verdict": "approve", "person": "bo", "why": "moved"}
    ticked = page.post(path, scope="some", change=digests[:2], **fields)
    assert ticked.status_code == 409
    assert "somebody has rejected this" in ticked.text
    assert "Approved: 28 changes" in page.post(path, scope="all", **fields).text
    page.university.apply()
    assert len(page.university.candidates()) == 12


@pytest.mark.parametrize("missing", ["person", "why"])
def test_a_decision_needs_who_and_why(page: PageTenant, missing: str) -> None:
    id_ = hold(page)
    fields = {"verdict": "approve", "scope": "all", "person": "drift", "why": "moved"}
    fields[missing] = " "
    answer = page.post(f"/held/{id_}/decide", csrf=page.csrf(), **fields)
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.text
    page.university.apply()
    assert len(page.university.candidates()) == 40


def test_a_hold_that_moved_on_between_look_and_click_is_refused(page: PageTenant) -> None:
    id_ = hold(page)
    csrf = page.csrf()
    del page.university.registrations.rows[5:]
    page.university.apply()
    fields = {"verdict": "approve", "scope": "all", "person": "drift", "why": "moved"}
    answer = page.post(f"/held/{id_}/decide", csrf=csrf, **fields)
    assert answer.status_code == 409
    assert page.get(f"/held/{id_}").status_code == 410
    page.university.apply()
    assert len(page.university.candidates()) == 40


def test_what_an_exam_lacks_is_shown(page: PageTenant) -> None:
    page.university.registrations.add(f"{TEST} 9999")
    page.university.apply()
    words = page.text("/exams")
    assert "not complete 1 candidate: row in error" in words
    assert "9999" in page.text("/errors")


def test_people_are_found_by_key_login_and_name(page: PageTenant) -> None:
    assert page.get("/records?q=1001").url.endswith("/records/learner/1001")
    assert page.get("/records?q=s1002").url.endswith("/records/learner/1002")
    assert page.get(f"/records?q={TEST}").url.endswith(f"/records/test/{TEST}")
    assert "learner 1003" in page.text("/records?q=100")
    page.university.students.rows[4].update(given="Åse", family="Ørnes")
    page.university.apply()
    for name in ("Ørnes", "ørnes", "ørn", "Åse Ørnes", "åse ørnes"):
        assert page.get(f"/records?q={name}").url.endswith("/records/learner/1005"), name
    assert "Nothing that this state knows" in page.text("/records?q=zzz")


def test_a_record_is_explained_with_the_sources_as_they_are_now(page: PageTenant) -> None:
    del page.university.registrations.rows[39:]
    page.university.write()
    answer = page.post(f"/explain/candidate/{TEST}/1040", csrf=page.csrf())
    assert answer.status_code == 200
    assert "What `apply` would do now" in answer.text


def test_sending_is_paused_and_resumed_with_who_and_why(page: PageTenant) -> None:
    page.post("/pause", csrf=page.csrf(), person="drift", why="maintenance")
    assert "maintenance (by drift)" in page.text("/")
    page.university.register(TEST, "1099")
    page.university.apply()
    assert len(page.university.candidates()) == 40
    page.post("/resume", csrf=page.csrf(), person="drift")
    page.university.apply()
    assert len(page.university.candidates()) == 41


def test_a_job_is_started_only_where_the_service_leads(page: PageTenant) -> None:
    assert page.post("/jobs/nightly/run", csrf=page.csrf()).status_code == 200
    assert page.requested == ["nightly"]
    page.leads = False
    answer = page.post("/jobs/nightly/run", csrf=page.csrf())
    assert (answer.status_code, page.requested) == (409, ["nightly"])
    assert page.post("/jobs/other/run", csrf=page.csrf()).status_code == 409


def test_the_overview_can_be_seen_while_the_state_cannot_be_used(page: PageTenant) -> None:
    page.health = replace(page.health, unreachable="the database refused the connection")
    assert "the database refused the connection" in page.text("/")


def test_no_name_or_title_of_a_source_becomes_a_part_of_the_page(page: PageTenant) -> None:
    page.university.students.rows[0]["family"] = "<script>alert(1)</script>"
    page.university.apply()
    assert "<script>" not in page.get("/records/learner/1001").text


def test_a_script_may_use_the_token_itself(page: PageTenant) -> None:
    ours = {"Authorization": f"Bearer {TOKEN}"}
    assert requests.get(f"{page.url}/held", headers=ours, timeout=20).status_code == 200
    theirs = {"Authorization": "Bearer wrong"}
    assert requests.get(f"{page.url}/held", headers=theirs, timeout=20).status_code == 401
