"""Exports of people: ordered, polled, and fetched by a signed link (vendor contract, Users API).

That a link gives a JSON array of users, in the form of `GET /v1/users/{userId}`, is an assumption:
the contract does not describe the file. Orders are forgotten when the sandbox stops.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Connection

from sync.sandbox.people import PersonKind, all_people
from sync.sandbox.reader import BodyReader
from sync.sandbox.wire import Answer, ReceivedCall, Refusal

LINK_PATH = "/export/"
"""The beginning of a signed link's path; the rest is a secret."""

_LIFE = timedelta(hours=1)
_KINDS: dict[str, PersonKind] = {"student": "student", "admin": "staff"}


@dataclass(slots=True)
class _Job:
    kind: PersonKind
    link: str
    expires: datetime
    asked: int = 0


class Exports:
    """The export orders of the last hour."""

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}
        self._by_link: dict[str, _Job] = {}

    def order(self, _: Connection, call: ReceivedCall) -> Answer:
        """Answer `POST /v1/fileExport/order`, for all people of a kind."""
        read = BodyReader(call.json())
        read.choice("resourceType", ["AllUsers"], needed=True)
        parameters = read.inner("parameters", needed=True)
        wanted = parameters and parameters.choice("userType", list(_KINDS), needed=True)
        if parameters is not None:
            parameters.done()
        read.close()
        self._forget(call.now)
        job_id, job = (
            secrets.token_hex(8),
            _Job(_KINDS[str(wanted)], secrets.token_urlsafe(32), call.now + _LIFE),
        )
        self._jobs[job_id] = self._by_link[job.link] = job
        return Answer(200, {"jobId": job_id})

    def status(self, _: Connection, call: ReceivedCall) -> Answer:
        """Answer `GET /v1/fileExport/status/{jobId}`: ready from the second time on."""
        job = self._jobs.get(call.ids["job"])
        if job is None or job.expires <= call.now:
            raise Refusal(404, f"job {call.ids['job']} does not exist")
        job.asked += 1
        if job.asked == 1:
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
        return Answer(200, [person for _, person in all_people(db, job.kind)])

    def _forget(self, now: datetime) -> None:
        self._jobs = {job_id: job for job_id, job in self._jobs.items() if job.expires > now}
        self._by_link = {job.link: job for job in self._jobs.values()}
