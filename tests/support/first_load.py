"""A first load of any size: learners, tests and candidates in files, sent to a sandbox."""

import contextlib
import io
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

from sync.cli import run
from sync.sandbox import Sandbox
from sync.sandbox.wire import Refusal

from .call_names import count_calls

_CONFIG = """\
inspera:
  url: "{url}"
  client_id: example
  api_key: ${{file:api-key}}
  calls_per_second: 10000
  read_after_write_delay: 0s
  call_timeout: 0s
state: sqlite:///state.db
verify: none
existing: {{export_above: {above}}}
sources:
  students: {{type: csv, path: students.csv}}
  exams: {{type: csv, path: exams.csv}}
  registrations: {{type: csv, path: registrations.csv}}
feeds:
  - {{kind: learner, source: students, auth_system: FEIDE,
     map: {{key: number, username: login, external_id: mail, first_name: given, last_name: family, email: mail}}}}
  - {{kind: test, source: exams,
     map: {{external_test_id: exam, title: exam, start: start, end: end, duration: minutes}}}}
  - {{kind: candidate, source: registrations, map: {{test: exam, learner: number}}}}
"""

PROBE = 20
"""Records of a kind that are looked up before an empty state sends anything (rules 18)."""


@dataclass(frozen=True, kw_only=True)
class FirstLoad:
    """The size of a load, and how many of its learners have accounts already.

    Attributes:
        same: under the same login.
        other: under another login, with the same external id.
        twice: two accounts under the same login.
    """

    learners: int
    tests: int
    candidates: int
    same: int = 0
    other: int = 0
    twice: int = 0
    above: int = 500

    def least(self) -> dict[str, int]:
        """Return the fewest calls by name of a load into an empty tenant."""
        return {
            "learner.save": self.learners,
            "export.order": 2,
            "export.file": 2,
            "test.search": self.tests,
            "test.save": self.tests,
            "candidate.list": self.tests,
            "candidate.assign": self.tests * ceil(self.candidates / self.tests / 100),
        }

    def apply(self, folder: Path) -> tuple[Counter[str], str]:
        """Send it, and return the calls by name and what was printed."""
        with Sandbox() as sandbox:
            self._write(folder, sandbox.url, sandbox.api_key)
            self._make_accounts(sandbox)
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                run(["--config", str(folder / "inspera-sync.yaml"), "apply"])
            return count_calls(sandbox.requests()), printed.getvalue()

    def _write(self, folder: Path, url: str, key: str) -> None:
        (folder / "api-key").touch(0o600)
        (folder / "api-key").write_text(key)
        (folder / "inspera-sync.yaml").write_text(_CONFIG.format(url=url, above=self.above))
        rows = [f"{n},login{n},p{n}@example.edu,Prøve,Person-{n}\n" for n in range(self.learners)]
        (folder / "students.csv").write_text("number,login,mail,given,family\n" + "".join(rows))
        first = datetime.now(UTC) + timedelta(days=30)
        rows = [f"INF{n},{_hour(first, n)},{_hour(first, n, 4)},240\n" for n in range(self.tests)]
        (folder / "exams.csv").write_text("exam,start,end,minutes\n" + "".join(rows))
        rows = [
            f"INF{n % self.tests},{n // self.tests * 7 % self.learners}\n"
            for n in range(self.candidates)
        ]
        (folder / "registrations.csv").write_text("exam,number\n" + "".join(rows))

    def _make_accounts(self, sandbox: Sandbox) -> None:
        for n in range(self.same + self.other + self.twice):
            one = {
                "username": f"login{n}",
                "firstName": "Prøve",
                "lastName": f"Person-{n}",
                "email": f"p{n}@example.edu",
            }
            linked = one | {
                "externalIds": [{"authType": "FEIDE", "externalId": f"p{n}@example.edu"}]
            }
            if n < self.same:
                sandbox.edit(student=linked)
            elif n < self.same + self.other:
                sandbox.edit(student=linked | {"username": f"another{n}"})
            else:
                sandbox.edit(student=one)
                with contextlib.suppress(Refusal):  # a sandbox that keeps usernames apart
                    sandbox.edit(student=one | {"second": True})


def _hour(first: datetime, days: int, hours: int = 0) -> str:
    return f"{first + timedelta(days=days, hours=hours):%Y-%m-%dT%H:00:00Z}"
