"""What the service costs while nothing is due: memory and processor time. Run it as a script.

`inspera-sync serve` runs as a process of its own, with an empty SQLite state, two jobs that are not due, and its pages
of health. After a while to settle it is watched for 60 seconds by what the kernel counts in /proc. Promised: less than
120 MB resident, and less than 0.5 % of one core.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.servers.needed import free_port

MOST_MEGABYTES, MOST_PERCENT = 120.0, 0.5
SECONDS, SETTLED, LONGEST_START = 60.0, 5.0, 60.0

CONFIGURATION = """\
inspera: {{url: "http://127.0.0.1:9", client_id: example, api_key: "${{UNUSED_KEY}}"}}
state: sqlite:///state.db
sources:
  students: {{type: csv, path: students.csv}}
feeds:
  - kind: learner
    source: students
    auth_system: FEIDE
    map: {{key: number, username: login, external_id: login, first_name: given, last_name: family, email: login}}
jobs:
  nightly: {{cron: "{minute} {hour} * * *", zone: UTC}}
  rehearsal: {{cron: "{minute} {hour} * * *", zone: UTC, mode: plan}}
service: {{listen: "127.0.0.1:{port}"}}
"""


def write_files(folder: Path, port: int) -> Path:
    """A configuration whose jobs are due twelve hours from now."""
    due = datetime.now(UTC) + timedelta(hours=12)
    config = folder / "inspera-sync.yaml"
    config.write_text(
        CONFIGURATION.format(minute=due.minute, hour=due.hour, port=port), encoding="utf-8"
    )
    (folder / "students.csv").write_text("number,login,given,family\n", encoding="utf-8")
    return config


def wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + LONGEST_START
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(
                f"the service ended with {process.returncode} instead of waiting for its jobs"
            )
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"the service was not ready within {LONGEST_START:.0f} s")


def processor_seconds(pid: int) -> float:
    """Of all its threads, in user and in kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024 / 1e6


def watched(pid: int, seconds: float) -> tuple[float, float]:
    """Megabytes at the end, and percent of one core meanwhile."""
    begun, worked = time.monotonic(), processor_seconds(pid)
    time.sleep(seconds)
    share = (processor_seconds(pid) - worked) / (time.monotonic() - begun)
    return megabytes(pid), share * 100


def measure(seconds: float) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        config = write_files(Path(name), port)
        command = [sys.executable, "-m", "sync", "--config", str(config), "serve"]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, env={**os.environ, "UNUSED_KEY": "unused"}
        )
        try:
            wait_until_ready(process, port)
            time.sleep(SETTLED)
            return watched(process.pid, seconds)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seconds", type=float, default=SECONDS, help="how long to watch")
    memory, percent = measure(words.parse_args().seconds)
    print(f"memory:    {memory:.1f} MB resident (less than {MOST_MEGABYTES:.0f})")
    print(f"processor: {percent:.2f} % of one core (less than {MOST_PERCENT})")
    return 0 if memory < MOST_MEGABYTES and percent < MOST_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
