"""A storm: 2,000 changes of every kind, with 8 workers, while one call in five goes wrong in some way."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from sync.cli import run
from sync.sandbox import Sandbox

from .storm_rows import StormRows, held

SEED = 20261124
RATES = {
    "throttle": 0.02,
    "throttle_with_wait": 0.02,
    "error_500": 0.02,
    "error_502": 0.02,
    "error_503": 0.02,
    "reset": 0.02,
    "slow": 0.01,
    "commit_then_reset": 0.02,
    "commit_then_time_out": 0.015,
    "committed_500": 0.02,
    "duplicate_name_lies": 0.1,
    "token_expiry": 0.01,
}
"""Every row error after which a call is repeated or of unknown outcome, one call in five in all."""

STORM = {
    "seed": SEED,
    "rates": RATES,
    "seconds": {
        "throttle_with_wait": 1,
        "slow": 0.05,
        "commit_then_time_out": 0.6,
        "delayed_visibility": 0.15,
    },
}
CALM = {"rates": dict.fromkeys(RATES, 0.0), "seconds": {"delayed_visibility": 0}}

Sent = tuple[str, ...]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def ran(config: Path, *words: str) -> tuple[int, str]:
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        status = run(["-c", str(config), *words])
    return status, said.getvalue()


def unsafe(entry: Mapping[str, Any]) -> Iterator[Sent]:
    """What a call carries that must not be sent again once it was carried out."""
    method, path, body = entry["method"], entry["path"], entry["body"]
    if (method, path) == ("POST", "/api/v1/test") and "sourceTemplateId" in body:
        yield "template", body["externalTestId"]
    if method == "POST" and path.endswith("/committees"):
        yield from (("committee", path, one["name"]) for one in body["committees"])
    if method == "POST" and path.endswith("/contributors"):
        yield from (
            ("notice", path, one["externalId"])
            for one in body["contributors"]
            if one["sendNotification"]
        )
    if method == "DELETE" and path.startswith("/api/v1/users/"):
        yield "deletion", path


def sent_again(log: list[dict[str, Any]]) -> list[Sent]:
    committed: set[Sent] = set()
    again = []
    for entry in log:
        things = list(unsafe(entry))
        again += [thing for thing in things if thing in committed]
        if entry["committed"]:
            committed.update(things)
    return again


@pytest.mark.timeout(400)
def test_a_storm_of_failures_is_survived_within_three_applies_and_nothing_unsafe_is_sent_twice(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    rows = StormRows(tmp_path, datetime.now(UTC))
    rows.grow(students=300, staff=60, exams=24, seats=10)
    status, said = ran(rows.write(sandbox.url), "apply")
    assert status == 0, said
    rows.change_all()
    rows.grow(students=700, staff=70, exams=45, seats=18)
    config = rows.write(sandbox.url)
    plan = json.loads(ran(config, "plan", "--json")[1])
    planned = Counter(
        f"{one['action']} {one['kind']}" for one in plan["changes"] if one["verdict"] == "pass"
    )
    assert sum(planned.values()) >= 2000
    assert len({one.split()[1] for one in planned}) == 7
    taken = {
        "delete staff",
        "disable staff",
        "remove committee",
        "remove contributor",
        "remove candidate",
    }
    assert taken <= set(planned)
    before = max(entry["seq"] for entry in sandbox.requests())
    sandbox.control(failures=STORM)
    heard = []
    for _ in range(3):
        status, said = ran(config, "apply")
        heard.append(said)
        assert "Stopped:" not in said, said
        if held(sandbox.contents()) == rows.expected():
            break
    assert held(sandbox.contents()) == rows.expected(), said[-3000:]
    log = sandbox.requests(before)
    struck = Counter(entry["failure"] for entry in log if entry.get("failure"))
    assert set(RATES) <= set(struck)
    assert sent_again(log) == []
    assert (
        max(one["notified"] for test in sandbox.contents()["tests"] for one in test["contributors"])
        == 1
    )
    sandbox.control(failures=CALM)
    status, said = ran(config, "apply")
    assert (status, held(sandbox.contents())) == (0, rows.expected()), said
    assert json.loads(ran(config, "plan", "--json")[1])["changes"] == []
    kept = (
        b"".join(path.read_bytes() for path in tmp_path.glob("state.db*")) + "".join(heard).encode()
    )
    assert [row["pin"] for row in rows.exams.values() if row["pin"].encode() in kept] == []
    assert b"sandbox-key" not in kept
