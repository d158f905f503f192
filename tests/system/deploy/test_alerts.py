"""The alert rules and the dashboard: judged by promtool, and only of metrics that the service has."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sync.records.changes import Cause
from sync.service.metrics import Metrics

from ...support.servers.needed import need

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = DEPLOY / "prometheus" / "inspera-sync.rules.yaml"
ALERTS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((DEPLOY / "grafana" / "inspera-sync.json").read_text("utf-8"))
PANELS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
NAME = re.compile(r"\b(?:inspera_sync|process)_\w+")


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    tool = need("promtool", "prometheus")
    return subprocess.run([tool, *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def names() -> set[str]:
    """Every name that the service exposes."""
    text = Metrics(lambda: datetime(2026, 12, 1, tzinfo=UTC)).expose().decode()
    found: set[str] = set()
    for family in text_string_to_metric_families(text):
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        found |= {family.name + end for end in endings.get(family.type, [""])}
    return found


def test_promtool_finds_the_rules_valid_and_each_fires_when_it_should() -> None:
    checked = promtool("check", "rules", str(RULES))
    assert checked.returncode == 0, checked.stderr
    tested = promtool("test", "rules", str(RULES.with_suffix(".test.yaml")))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_rule_has_a_test_in_which_it_fires_and_names_what_to_do() -> None:
    tests = yaml.safe_load(RULES.with_suffix(".test.yaml").read_text("utf-8"))["tests"]
    fired = {
        one["alertname"] for test in tests for one in test["alert_rule_test"] if one["exp_alerts"]
    }
    named = [alert["alert"] for alert in ALERTS]
    assert fired == set(named)
    guide = (DEPLOY / "alerts.md").read_text("utf-8")
    assert re.findall(r"^## (\w+)$", guide, re.M) == named
    assert {alert["labels"]["severity"] for alert in ALERTS} == {"page", "ticket"}


def test_promtool_can_read_what_the_dashboard_asks(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{at}", "expr": expr} for at, expr in enumerate(PANELS)]
    path = tmp_path / "dashboard.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")
    checked = promtool("check", "rules", str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_rules_and_dashboard_name_only_metrics_that_exist(names: set[str]) -> None:
    asked = {
        name for text in (*PANELS, *(one["expr"] for one in ALERTS)) for name in NAME.findall(text)
    }
    assert len(asked) > 20
    assert asked - names == set()


def test_pages_name_only_metrics_that_exist(names: set[str]) -> None:
    pages = [*DEPLOY.glob("*.md"), *(DEPLOY.parent / "sync" / "help").glob("*.md")]
    named = {name for page in pages for name in NAME.findall(page.read_text("utf-8"))}
    assert named - names - {name.removesuffix("_count") for name in names} == set()


def test_the_page_explains_every_reason_for_not_sending() -> None:
    page = (DEPLOY.parent / "sync" / "help" / "metrics.md").read_text("utf-8")
    assert {cause.value for cause in Cause if cause is not Cause.NONE} - set(
        re.findall(r"`(\w+)`", page)
    ) == set()
