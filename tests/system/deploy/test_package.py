"""The package for Debian: built, installed in a root of its own, run, upgraded, removed and purged."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from sync import __version__

from ...support.servers.needed import need

DEPLOY = Path(__file__).parents[3] / "deploy"
SCRIPTS = [*sorted((DEPLOY / "debian").glob("p*t*")), *(DEPLOY / "debian").glob("prerm")]
PYTHON = str(Path(sys.executable).resolve())
"""The Python of this environment, which stands for that of the distribution."""


def builder() -> Any:
    spec = spec_from_file_location("build_package", DEPLOY / "debian" / "build_package.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("dpkg-deb", "dpkg")
    out = tmp_path_factory.mktemp("package")
    built: Path = builder().built(out, PYTHON, "none")
    return built


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root without any package."""
    folder = tmp_path_factory.mktemp("root")
    for name in ("info", "updates", "triggers"):
        (folder / "var/lib/dpkg" / name).mkdir(parents=True)
    (folder / "var/lib/dpkg/status").touch()
    (folder / "etc").mkdir()
    return folder


def dpkg(root: Path, *words: str) -> str:
    """Run dpkg on the root; scripts run outside of it, as it has no shell. Return what is printed."""
    force = ["--force-script-chrootless", "--force-depends", "--force-not-root"]
    force += ["--force-unsafe-io"]  # without waiting for the disk
    done = subprocess.run(
        ["dpkg", f"--root={root}", *force, f"--log={root}/dpkg.log", *words],
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(root: Path, words: Sequence[str]) -> str:
    """Run the installed program, which must not find this checkout."""
    program = [str(root / "usr/lib/inspera-sync/bin/python"), "-P", "-m", "sync", *words]
    done = subprocess.run(
        program, cwd=root, env={}, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_the_package_is_installed_run_upgraded_removed_and_purged(
    package: Path, root: Path
) -> None:
    need("systemd-sysusers", "systemd")
    said = dpkg(root, "-i", str(package))
    assert "not started. Write /etc/inspera-sync/inspera-sync.yaml" in said
    key, state = root / "etc/inspera-sync/api-key", root / "var/lib/inspera-sync/state.db"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "inspera-sync:" in (root / "etc/passwd").read_text("utf-8")
    assert not [*root.glob("etc/systemd/system/*.wants/*")]  # nothing is enabled

    assert run(root, ["--version"]) == f"inspera-sync {__version__}\n"
    assert run(root, ["help", "unit"]).startswith("# inspera-sync as a service")
    where = "import sync, psycopg, ldap3, pymysql; print(sync.__file__)"
    python = root / "usr/lib/inspera-sync/bin/python"
    found = subprocess.run(
        [str(python), "-P", "-c", where],
        cwd=root,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith(str(root))

    key.write_text("invented\n", encoding="utf-8")
    state.parent.mkdir(parents=True)
    state.touch()
    assert "not started" not in dpkg(root, "-i", str(package))  # the upgrade to itself
    assert key.read_text(encoding="utf-8") == "invented\n"
    assert "kept /etc/inspera-sync and /var/lib/inspera-sync" in dpkg(root, "-r", "inspera-sync")
    assert key.exists()
    assert state.exists()
    assert not (root / "usr/lib/inspera-sync").exists()
    said = dpkg(root, "-P", "inspera-sync")
    for folder in ("/etc/inspera-sync", "/var/lib/inspera-sync"):
        assert f"deleting {folder} with everything in it" in said
        assert not (root / folder[1:]).exists()


def test_the_package_has_the_unit_user_completions_and_man_page_and_no_test(package: Path) -> None:
    listing = subprocess.run(
        ["dpkg-deb", "--contents", str(package)], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split() for line in listing.splitlines()]
    names = {words[5].removeprefix("./"): words for words in lines}
    assert {words[1] for words in lines} == {"root/root"}
    for name in (
        "usr/bin/inspera-sync",
        "usr/sbin/as-inspera-sync",
        "usr/lib/systemd/system/inspera-sync.service",
        "usr/lib/systemd/system/inspera-sync-apply.timer",
        "usr/lib/sysusers.d/inspera-sync.conf",
        "usr/share/man/man1/inspera-sync.1.gz",
        "usr/share/bash-completion/completions/inspera-sync",
        "usr/share/doc/inspera-sync/examples/inspera-sync.yaml",
    ):
        assert name in names
    assert not [name for name in names if "/_pytest/" in name or "/hypothesis/" in name]


def test_systemd_finds_the_packaged_units_valid(tmp_path: Path) -> None:
    analyze = need("systemd-analyze", "systemd")
    make = builder()
    make.write_system_files(tmp_path)
    units = sorted((tmp_path / "usr/lib/systemd/system").iterdir())
    assert len(units) == 5
    for unit in units:
        text = unit.read_text("utf-8")
        assert "/opt/" not in text.replace("# /opt", "")
        assert "/usr/local" not in text
        assert "DynamicUser=yes" not in text
        for name in ("/usr/bin/inspera-sync", "/usr/sbin/as-inspera-sync"):
            text = text.replace(f"ExecStart={name}", "ExecStart=/bin/true")
        unit.write_text(text, "utf-8")
    said = subprocess.run(
        [analyze, "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@pytest.mark.parametrize(
    "script", [*SCRIPTS, DEPLOY / "systemd" / "as-inspera-sync"], ids=lambda path: path.name
)
def test_shellcheck_finds_nothing(script: Path) -> None:
    tool = need("shellcheck", "shellcheck", beside=f"{sys.prefix[1:]}/bin")
    said = subprocess.run([tool, str(script)], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")
