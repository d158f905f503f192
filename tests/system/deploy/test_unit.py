"""The systemd unit, judged by systemd's own tools. They need no running systemd: both read the file alone."""

import re
import subprocess
from pathlib import Path

import pytest

from ...support.servers.needed import need

UNIT = Path(__file__).parents[3] / "deploy" / "systemd" / "inspera-sync.service"
MOST_EXPOSED = 2.0
TEXT = UNIT.read_text(encoding="utf-8")


def settings(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


SETTINGS = settings(TEXT)


def systemd_analyze(*words: str) -> subprocess.CompletedProcess[str]:
    tool = need("systemd-analyze", "systemd")
    return subprocess.run([tool, *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit as it would be where the program is installed: its programs exist."""
    text, replaced = re.subn(r"^ExecStart=\S+", "ExecStart=/bin/true", TEXT, flags=re.MULTILINE)
    assert replaced == 1
    path = tmp_path / UNIT.name
    path.write_text(text, encoding="utf-8")
    return path


def test_systemd_finds_no_row_error(installed: Path) -> None:
    said = systemd_analyze("verify", "--man=no", str(installed))
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_systemd_would_name_a_row_error(installed: Path) -> None:
    installed.write_text(
        installed.read_text("utf-8").replace("ProtectHome=", "ProtectHouse="), encoding="utf-8"
    )
    said = systemd_analyze("verify", "--man=no", str(installed))
    assert "ProtectHouse" in said.stderr


def test_systemd_finds_it_hardly_exposed(installed: Path) -> None:
    said = systemd_analyze("security", "--offline=true", "--no-pager", str(installed))
    assert said.returncode == 0, said.stderr
    (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said.stdout)
    assert float(level) <= MOST_EXPOSED


def test_every_setting_has_its_reason_on_the_lines_before() -> None:
    lines = TEXT.split("[Service]")[1].split("[Install]")[0].strip().splitlines()
    blocks = re.split(r"\n(?=# )", "\n".join(line for line in lines if line))
    bare = [block for block in blocks if not block.startswith("# ")]
    assert bare == []
    assert (
        max(sum("=" in line and line[0] != "#" for line in block.splitlines()) for block in blocks)
        <= 7
    )


def test_the_service_tells_systemd_how_it_is_and_is_watched() -> None:
    assert SETTINGS["Type"] == ["notify"]
    assert SETTINGS["WatchdogSec"] == ["2min"]
    assert SETTINGS["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_it_is_started_again_but_not_with_an_invalid_configuration() -> None:
    assert SETTINGS["Restart"] == ["on-failure"]
    assert SETTINGS["RestartPreventExitStatus"] == ["2"]


def test_systemd_waits_longer_than_the_service_takes_to_stop() -> None:
    assert int(SETTINGS["TimeoutStopSec"][0]) > 75


def test_the_key_is_a_credential_and_the_user_is_nobody_elses() -> None:
    assert SETTINGS["DynamicUser"] == ["yes"]
    assert SETTINGS["LoadCredential"] == ["api-key:/etc/inspera-sync/api-key"]
    assert SETTINGS["StateDirectory"] == [SETTINGS["User"][0]]


AS_SERVICE = UNIT.parent / "as-inspera-sync"
PLAYED = '#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done\n'


def played(folder: Path, *words: str) -> list[str]:
    """What `as-inspera-sync` would have systemd do."""
    tool = folder / "systemd-run"
    tool.write_text(PLAYED, encoding="utf-8")
    tool.chmod(0o755)
    said = subprocess.run(
        ["/bin/sh", str(AS_SERVICE), *words],
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.stderr == ("" if words else "usage: as-inspera-sync COMMAND [ARGUMENT...]\n")
    assert said.returncode == (0 if words else 2)
    return said.stdout.splitlines()


def test_a_command_in_the_services_place_has_its_user_state_key_and_configuration(
    tmp_path: Path,
) -> None:
    told = played(tmp_path, "inspera-sync", "plan", "--all", "a b")
    assert told[told.index("--") + 1 :] == ["inspera-sync", "plan", "--all", "a b"]
    properties = {
        word.removeprefix("--property=") for word in told if word.startswith("--property=")
    }
    shared = (
        "DynamicUser",
        "User",
        "StateDirectory",
        "StateDirectoryMode",
        "LoadCredential",
        "UMask",
        "PrivateTmp",
    )
    assert properties >= {f"{name}={SETTINGS[name][0]}" for name in shared}
    assert f"--setenv={SETTINGS['Environment'][0]}" in told
    assert "--wait" in told


def test_a_command_in_the_services_place_that_is_none_says_how(tmp_path: Path) -> None:
    assert played(tmp_path) == []
