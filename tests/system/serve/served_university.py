"""The university with `serve` as a real process, and the log of what it did."""

import json
import time
from datetime import date
from pathlib import Path
from typing import Any

from ...support.process_university import PATIENCE, CommandProcess, ProcessUniversity
from ...support.university_rows import FAMILY, GIVEN

LIMITS = """
limits:
  updates: {at_least: 100000, percent: 100}
service: {shutdown_timeout: 20s}
"""


class ServedUniversity(ProcessUniversity):
    """A university whose jobs are run by a service."""

    looks_every = 0.1  # its log and its calls are read whole for each look, on the cores that the service needs

    def __init__(self, folder: Path, today: date, jobs: str = "often: {every: 2s}") -> None:
        super().__init__(folder, today)
        self.jobs, self.more = jobs, LIMITS

    def configuration(self) -> Path:
        """Writes the files; gives the configuration's."""
        config = super().configuration()
        jobs = "".join(f"  {job}\n" for job in self.jobs.split("\n"))
        config.write_text(f"{config.read_text('utf-8')}{self.more}jobs:\n{jobs}", "utf-8")
        return config

    def write_rows(self) -> None:
        """Writes the files of the sources as they are now, under the running service."""
        self.configuration()

    def serve(self) -> "ServiceProcess":
        """Starts the service on the files as they are now."""
        self.configuration()
        return self.beside()

    def beside(self) -> "ServiceProcess":
        """Starts a service on the files as they were written last."""
        return self.watched(ServiceProcess(self.rows.folder / "inspera-sync.yaml", "serve"))

    def command(self, *arguments: str) -> CommandProcess:
        """Starts a command on the files as they were written last."""
        return self.watched(CommandProcess(self.rows.folder / "inspera-sync.yaml", *arguments))

    def enlarge(self, students: int, seats: int) -> None:
        """Makes it a university of so many students, and of six exams with so many seats each."""
        rows = self.rows
        numbers = [str(number) for number in range(1001, 1001 + students)]
        rows.students = {
            number: {
                "feide": f"s{number}",
                "mail": f"s{number}@example.edu",
                "given": GIVEN[int(number) % len(GIVEN)],
                "family": FAMILY[int(number) % len(FAMILY)],
            }
            for number in numbers
        }
        rows.seats = {
            (exam, number): {"number": str(turn + 1), "extra": ""}
            for exam in rows.exams
            for turn, number in enumerate(numbers[:seats])
        }

    def change_all(self, word: str, minutes: int) -> int:
        """Gives every student a new name and every candidate new minutes; gives how many changes that is."""
        rows = self.rows
        for row in rows.students.values():
            row["family"] = f"{row['family'].split('-')[0]}-{word}"
        for row in rows.seats.values():
            row["extra"] = str(minutes)
        return len(rows.students) + len(rows.seats)

    def settled(self, process: CommandProcess, patience: float = PATIENCE) -> None:
        """Waits until Inspera holds what the files say."""
        deadline = time.monotonic() + patience
        while self.contents() != self.rows.expected():
            assert process.running, f"it ended too early: {process.output[-3000:]}"
            assert time.monotonic() < deadline, f"it never came to that: {process.output[-3000:]}"
            time.sleep(0.1)


class ServiceProcess(CommandProcess):
    """One `serve` as a process of its own."""

    @property
    def log(self) -> list[dict[str, Any]]:
        """Every whole line of its log."""
        lines = self.output.splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n") and line.startswith("{")]

    def events(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """Those lines of its log that say this event, with these fields."""
        return [one for one in self.log if one["event"] == event and fields.items() <= one.items()]

    def ran(self, job: str) -> list[str]:
        """What became of the runs of a job."""
        return [str(one["outcome"]) for one in self.events("run ended", job=job)]
