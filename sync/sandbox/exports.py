"""Exports of people: ordered, polled, and fetched by a signed link (vendor contract, Users API).

The file is an object with `admins` or `students`. Each person has `userId`, names and `username`;
the control `export_details` adds what a read by id shows. That the file has no external ids is
inferred. Orders are forgotten when the sandbox stops.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Connection

from sync.sandbox.controls import Controls
from sync.sandbox.people import PersonKind, all_people
from sync.sandbox.reader import BodyReader
from sync.sandbox.wire import Answer, ReceivedCall, Refusal

LINK_PATH = "/export/"
"""The beginning of a signed link's path; the rest is a secret."""

_LIFE = timedelta(hours=1)
_KINDS: dict[str, PersonKind] = {"student": "student", "admin": "staff"}
_MEMBERS: dict[PersonKind, str] = {"student": "students", "staff": "admins"}
_SHOWN = ("userId", "firstName", "lastName", "username")
_ADMINISTRATOR: dict[str, object] = {
    "userId": 1,
    "firstName": "Sandbox",
    "lastName": "Administrator",
    "username": "administrator",
}
"""Who has made the key of the API. A tenant has at least one such account."""


@dataclass(slots=True)
class _Job:
    kind: PersonKind
    link: str
    expires: datetime
    asked: int = 0

    @property
    def done(self) -> bool:
        """Tell whether the file is ready."""
        return self.asked > 1


class Exports:
    """The export orders of the last hour."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._jobs: dict[str, _Job] = {}
        self._by_link: dict[str, _Job] = {}

    def order(self, _: Connection, call: ReceivedCall) -> Answer:
        """Answer `POST /v1/fileExport/order`, for all people of a kind.

        The same order, before the first one is done, gets the same job.
        """
        read = BodyReader(call.json())
        read.choice("resourceType", ["AllUsers"], needed=True)
        parameters = read.inner("parameters", needed=True)
        wanted = parameters and parameters.choice("userType", list(_KINDS), needed=True)
        if parameters is not None:
            parameters.done()
        read.close()
        self._forget(call.now)
        kind = _KINDS[str(wanted)]
        for job_id, job in self._jobs.items():
            if job.kind == kind and not job.done:
                return Answer(200, {"jobId": job_id})
        job_id, job = secrets.token_hex(8), _Job(kind, secrets.token_urlsafe(32), call.now + _LIFE)
        self._jobs[job_id] = self._by_link[job.link] = job
        return Answer(200, {"jobId": job_id})

    def status(self, _: Connection, call: ReceivedCall) -> Answer:
        """Answer `GET /v1/fileExport/status/{jobId}`: ready from the second time on."""
        job = self._jobs.get(call.ids["job"])
        if job is None or job.expires <= call.now:
            raise Refusal(404, f"job {call.ids['job']} does not exist")
        job.asked += 1
        if not job.done:
            return Answer(200, {"status": "inProgress"})
        url = f"{call.base}{LINK_PATH}{job.link}"
        return Answer(200, {"status": "success", "exportInfo": {"signedResponseUrl": url}})

    def fetch(self, db: Connection, call: ReceivedCall) -> Answer:
        """Answer a signed link, which needs no token: one that is sent with it is refused."""
        if "authorization" in call.headers:
            raise Refusal(400, "Authorization: must not be sent with a signed link")
        job = self._by_link.get(call.ids["link"])
        if job is None or job.expires <= call.now:
            raise Refusal(403, "the link is not valid, or has expired")
        people = [person for _, person in all_people(db, job.kind)]
        if not self._controls.export_details:
            people = [{name: person[name] for name in _SHOWN} for person in people]
        administrators = [_ADMINISTRATOR] if job.kind == "staff" else []
        return Answer(200, {_MEMBERS[job.kind]: [*administrators, *people]})

    def _forget(self, now: datetime) -> None:
        self._jobs = {job_id: job for job_id, job in self._jobs.items() if job.expires > now}
        self._by_link = {job.link: job for job in self._jobs.values()}
