"""The university beside a sandbox for Inspera, with `apply` as a real process that can be watched and killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from sync.cli import run
from sync.sandbox import Sandbox

from .university_rows import Contents, UniversityRows

PATIENCE = 30.0
"""Seconds after which something that must happen is taken not to."""

Sent = tuple[str, ...]
"""One record on the wire: kind, method, and Inspera's own names for it."""

STUDENT, TEST, SEATS = "/api/v1/users/student", "/api/v1/test", "/api/v1/test/*/candidates"
"""Where learners, tests and candidates are sent, as the sandbox's rules match paths."""


class CommandProcess:
    """One `apply`, or another command, as a process of its own."""

    program: tuple[str, ...] = ("-m", "sync")
    """What Python is to run."""

    def __init__(self, config: Path, *arguments: str) -> None:
        self._output = config.with_name(f"{arguments[0] if arguments else 'output'}.txt")
        command = [
            sys.executable,
            *self.program,
            "-c",
            str(config),
            *(arguments or ("apply", "--all")),
        ]
        plain = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=plain,
            )

    @property
    def output(self) -> str:
        """Everything that it printed so far."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self._process.send_signal(number)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def kill(self) -> None:
        """Kills it on the spot, which it can't prevent or prepare for."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def wait(self) -> int:
        """Its exit status."""
        return self._process.wait(PATIENCE)


Process = TypeVar("Process", bound=CommandProcess)


class ProcessUniversity:
    """One university with its Inspera in one folder. Leave it by `close`."""

    looks_every = 0.01
    """Seconds between two looks at whether something has happened."""

    def __init__(self, folder: Path, today: date) -> None:
        self.rows = UniversityRows(folder, today)
        self.settings: dict[str, object] = {}
        self._state = folder / "state.db"
        self._sandbox = Sandbox(data=folder / "inspera")
        self._sandbox.__enter__()
        self._log: list[dict[str, Any]] = []
        self._since = 0
        self._started: list[CommandProcess] = []
        self.mark()

    def close(self) -> None:
        """Ends a process that is still running, and the sandbox."""
        for one in self._started:
            one.kill()
        self._sandbox.__exit__(None, None, None)

    def start(self) -> CommandProcess:
        """Starts an `apply` on the files as they are now."""
        return self.watched(CommandProcess(self.configuration()))

    def watched(self, process: Process) -> Process:
        """The same process, which is killed with this site at the latest."""
        self._started.append(process)
        return process

    def configuration(self) -> Path:
        """Writes the files; gives the configuration's."""
        return self.rows.write(self._sandbox.url, **self.settings)

    def apply(self) -> str:
        """An `apply` from beginning to end, in this process, which must go well; gives what it said."""
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        output = StringIO()
        try:
            with redirect_stdout(output), redirect_stderr(output):
                status = run(["-c", str(self.configuration()), "apply", "--all"])
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        assert status == 0, output.getvalue()
        return output.getvalue()

    def rule(self, method: str, path: str, **rule: object) -> None:
        """Makes Inspera treat the next call (or as many as `times` says) to this address as the rule says."""
        self._sandbox.control(fail=[{"method": method, "path": path, "times": 1, **rule}])

    def slow(self, seconds: float) -> None:
        """Makes the answer to every write come late."""
        self._sandbox.control(latency=seconds)

    def clock(self, offset: float) -> None:
        """Make Inspera's clock so many seconds ahead of this machine's."""
        self._sandbox.control(clock_offset=offset)

    def heal(self) -> None:
        """Lets all go well from now on."""
        self._sandbox.control(fail=[], latency=0.0)

    def rule_met(self) -> bool:
        """Whether every call that the rule is meant for has arrived; it may not have been carried out yet."""
        return all(rule["times"] == 0 for rule in self._sandbox.control()["fail"])

    def mark(self) -> None:
        """From now on, `calls` and `sent` tell of later calls only."""
        self.calls()
        self._since = len(self._log)

    def calls(self) -> list[dict[str, Any]]:
        """Every call since the mark that Inspera has dealt with."""
        self._log += self._sandbox.requests(self._log[-1]["seq"] if self._log else 0)
        return self._log[self._since :]

    def writes(self, method: str, path: str) -> int:
        """How many calls since the mark wrote to an address that ends so."""
        return sum(
            call["committed"] and call["method"] == method and call["path"].endswith(path)
            for call in self.calls()
        )

    def sent(self) -> set[Sent]:
        """Every record in a writing call since the mark."""
        external_ids = {
            test["assessmentRunId"]: test["externalTestId"]
            for test in self._sandbox.contents()["tests"]
        }
        found: set[Sent] = set()
        for call in self.calls():
            method, path, body = call["method"], call["path"], call["body"]
            if method == "GET" or "/v1/" not in path or "fileExport" in path:
                continue
            if path == STUDENT:
                found.add(("learner", method, body["username"]))
            elif path == TEST:
                found.add(("test", method, body["externalTestId"]))
            else:
                test = external_ids[int(path.split("/")[-2])]
                found |= {
                    ("candidate", method, test, seat["externalId"]) for seat in body["candidates"]
                }
        return found

    def unknown(self) -> set[Sent]:
        """Every record of which the state has an intent without an outcome."""
        if not self._state.exists():
            return set()
        with closing(sqlite3.connect(self._state, timeout=PATIENCE)) as state:
            if not state.execute("SELECT 1 FROM sqlite_master WHERE name = 'intent'").fetchone():
                return set()
            rows = state.execute(
                "SELECT kind, action, k1, k2 FROM intent WHERE outcome IS NULL"
            ).fetchall()
        return {self._sent_as(*row) for row in rows}

    def unmanaged(self) -> list[str]:
        """Keys of all that the state takes for somebody else's: here nobody else has put anything into Inspera."""
        union = " UNION ALL ".join(
            f"SELECT {key} FROM known_{kind} WHERE NOT managed"
            for kind, key in (
                ("learner", "key"),
                ("test", "key"),
                ("candidate", "test || ' ' || learner"),
            )
        )
        with closing(sqlite3.connect(self._state, timeout=PATIENCE)) as state:
            return [key for (key,) in state.execute(union)]

    def _sent_as(self, kind: str, action: str, first: str, second: str) -> Sent:
        method = "DELETE" if action == "remove" else "POST"
        if kind == "learner":
            return (kind, method, self.rows.students[first]["feide"])
        return (
            (kind, method, first, self.rows.students[second]["feide"])
            if second
            else (kind, method, first)
        )

    def contents(self) -> Contents:
        """What Inspera holds, in the words of `University.expected`."""
        contents = self._sandbox.contents()
        return {
            "people": {
                one["username"]: (one["firstName"], one["lastName"], one["email"])
                for one in contents["students"]
            },
            "tests": {
                one["externalTestId"]: (
                    *(
                        one[name]
                        for name in (
                            "title",
                            "startTime",
                            "endTime",
                            "duration",
                            "sourceTemplateId",
                        )
                    ),
                    one["templates_sent"],
                )
                for one in contents["tests"]
            },
            "seats": {
                (test["externalTestId"], seat["username"]): (
                    seat["candidateId"],
                    seat["extraTimeMins"],
                )
                for test in contents["tests"]
                for seat in test["candidates"]
            },
        }

    def until(
        self, met: Callable[[], bool], process: CommandProcess, patience: float = PATIENCE
    ) -> None:
        """Watches until something has happened; the run must not end before it has."""
        deadline = time.monotonic() + patience
        while not met():
            assert process.running, f"it ended too early: {process.output}"
            assert time.monotonic() < deadline, f"it never happened: {process.output}"
            time.sleep(self.looks_every)

    def recovers(self) -> set[Sent]:
        """Applies again after a kill and holds what comes of it to the rules; gives the records that were sent again.

        Inspera ends as the files say; no template was sent twice; only what was of unknown outcome was sent again; and
        nothing is left of unknown outcome, or taken for somebody else's (and so never removed).
        """
        self.heal()
        before, unknown = self.sent(), self.unknown()
        self.mark()
        self.apply()
        again = before & self.sent()
        assert self.contents() == self.rows.expected()
        assert again <= unknown
        assert self.unknown() == set()
        assert self.unmanaged() == []
        return again
