"""The image and the composition: judged by hadolint, and without a secret, root or a way to write."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from sync.config.load import load

from ...support.servers.needed import need

DEPLOY = Path(__file__).parents[3] / "deploy"
CONTAINERFILE = DEPLOY / "container" / "Containerfile"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text("utf-8"))


def hadolint(path: Path) -> subprocess.CompletedProcess[str]:
    tool = need("hadolint", "hadolint", beside=f"{sys.prefix[1:]}/bin")
    words = [tool, "--no-color", "--failure-threshold", "style", str(path)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def test_hadolint_finds_nothing_and_would_find_a_base_without_a_version(tmp_path: Path) -> None:
    assert (hadolint(CONTAINERFILE).returncode, hadolint(CONTAINERFILE).stdout) == (0, "")
    text = CONTAINERFILE.read_text("utf-8")
    (tmp_path / "Containerfile").write_text(text.replace(":3.13-slim-bookworm", ""), "utf-8")
    assert "DL3006" in hadolint(tmp_path / "Containerfile").stdout


def test_the_image_is_built_from_named_paths_and_runs_as_an_ordinary_user() -> None:
    text = CONTAINERFILE.read_text("utf-8")
    copied = [line.split()[1:] for line in text.splitlines() if line.startswith("COPY")]
    assert {path for words in copied for path in words[:-1] if not path.startswith("-")} == {
        *("pyproject.toml", "uv.lock", "README.md", "LICENSE", "sync", "config", "deploy"),
        "/opt/inspera-sync",
    }
    assert re.findall(r"^USER (.*)$", text, re.M) == ["10001:10001"]
    assert text.count("FROM docker.io/library/python:3.13-slim-bookworm") == text.count("FROM ")


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_no_secret_is_in_the_environment_of_a_service(service: str) -> None:
    settings = COMPOSE["services"][service]
    environment = settings.get("environment", {})
    assert [name for name in environment if "PASSWORD" in name and name[-5:] != "_FILE"] == []
    assert set(settings["secrets"]) <= COMPOSE["secrets"].keys()


def test_the_service_cannot_write_its_root_or_gain_rights() -> None:
    sync = COMPOSE["services"]["sync"]
    assert (sync["read_only"], sync["cap_drop"]) == (True, ["ALL"])
    assert sync["security_opt"] == ["no-new-privileges:true"]
    assert int(sync["stop_grace_period"].removesuffix("s")) > 75


def manifests() -> dict[str, dict[str, Any]]:
    """Every object of the manifests, by kind."""
    folder = DEPLOY / "kubernetes"
    return {
        each["kind"]: each
        for path in sorted(folder.glob("*.yaml"))
        for each in yaml.safe_load_all(path.read_text("utf-8"))
    }


MANIFESTS = manifests()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_kubernetes_knows_every_field_of_the_manifests() -> None:
    validator = pytest.importorskip("kubernetes_validate")
    for kind, manifest in MANIFESTS.items():
        if kind != "Kustomization":
            validator.validate(manifest, "1.34", strict=True)
    wrong = MANIFESTS["PodDisruptionBudget"] | {"spec": {"minAvailble": 1}}
    with pytest.raises(validator.ValidationError):
        validator.validate(wrong, "1.34", strict=True)


def test_the_manifests_are_applied_except_the_example_of_a_secret() -> None:
    applied = set(MANIFESTS["Kustomization"]["resources"])
    there = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")}
    assert there - applied == {"kustomization.yaml", "secret.example.yaml"}
    values = MANIFESTS["Secret"]["stringData"].values()
    assert [value for value in values if not value.startswith("not-a-real-")] == []


def test_two_replicas_are_probed_kept_apart_and_may_be_drained_one_by_one() -> None:
    deployment, budget = MANIFESTS["Deployment"]["spec"], MANIFESTS["PodDisruptionBudget"]["spec"]
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    assert (deployment["replicas"], budget["minAvailable"]) == (2, 1)
    assert deployment["selector"] == budget["selector"]
    assert deployment["selector"] == MANIFESTS["NetworkPolicy"]["spec"]["podSelector"] | {}
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness")}
    assert {probe["path"] for probe in probes.values()} == {"/healthz", "/readyz"}
    assert {probe["port"] for probe in probes.values()} == {container["ports"][0]["name"]}
    assert pod["terminationGracePeriodSeconds"] > 75


def test_the_configuration_of_the_manifests_is_valid_and_its_credentials_exist(
    tmp_path: Path,
) -> None:
    text = MANIFESTS["ConfigMap"]["data"]["inspera-sync.yaml"]
    (tmp_path / "inspera-sync.yaml").write_text(text, encoding="utf-8")
    service = load(tmp_path / "inspera-sync.yaml").settings.service
    container = MANIFESTS["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert service.listen == f"0.0.0.0:{container['ports'][0]['containerPort']}"
    assert service.page
    assert service.page.tls
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert str(service.page.tls.key.parent) in mounts
    named = set(re.findall(r"\$\{cred:([\w-]+)\}", text))
    assert named == MANIFESTS["Secret"]["stringData"].keys()
