"""A sandbox as a process of its own, for the demo."""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sync.errors import SyncError

_LISTENING = re.compile(r"^sandbox is listening on http://127\.0\.0\.1:(\d+)\n", re.MULTILINE)
_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_ANSWER_SECONDS = 30.0


class StoryError(SyncError):
    """The demo did not go as it should; `str()` says where it went another way."""


def environment(**more: str) -> Mapping[str, str]:
    """Return this process's environment, set so that child processes print plain text at once."""
    plain = {
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }
    # The last of these would hide the demo's scripts from each other.
    unwanted = {"FORCE_COLOR", "PY_COLORS", "PYTHONSAFEPATH"}
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return kept | plain | more


class SandboxProcess:
    """A sandbox on a free loopback port while entered. `folder` gets its data and its log."""

    def __init__(self, folder: Path) -> None:
        self._data, self._log = folder / "sandbox", folder / "sandbox.log"
        self._port = 0

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        command = [
            sys.executable,
            "-m",
            "sync",
            "sandbox",
            "--port",
            "0",
            "--data",
            str(self._data),
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter, our own words
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(),
            )
        try:
            self._port = self._wait_for_port()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stop()

    def _wait_for_port(self) -> int:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            running = self._process.poll() is None
            said = self._log.read_text(encoding="utf-8", errors="replace")
            if listening := _LISTENING.search(said):
                return int(listening[1])
            if not running or time.monotonic() > deadline:
                raise StoryError(
                    "the sandbox did not start: "
                    + (said.strip().splitlines() or ["it printed nothing"])[-1]
                )
            time.sleep(0.02)

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def contents(self) -> dict[str, Any]:
        """Return everything that it holds.

        Raises:
            StoryError: it does not answer.
        """
        contents: dict[str, Any] = self._read("/_sandbox/contents")
        return contents

    def calls(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the calls that Inspera would have seen after the one with that number (`seq`).

        Raises:
            StoryError: it does not answer.
        """
        calls: list[dict[str, Any]] = []
        more = True
        while more:
            page = self._read(f"/_sandbox/requests?after={after}")
            calls += page["requests"]
            more = page["more"] and bool(page["requests"])
            after = calls[-1]["seq"] if calls else after
        return [call for call in calls if not call["path"].startswith("/_sandbox/")]

    def _read(self, path: str) -> Any:
        # http.client knows no proxies, whatever the environment says.
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise StoryError(f"the sandbox answers {answer.status} to GET {path}")
            return json.load(answer)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise StoryError(
                f"the sandbox does not answer GET {path}: {type(error).__name__}"
            ) from None
        finally:
            connection.close()
