"""The vendor's export of all people of one kind: ordered, awaited, and read during the download."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from sync.contract import EXPORT_ORDER, EXPORT_STATUS
from sync.errors import Refused, Retry, Unknown
from sync.inspera.caller import Caller
from sync.inspera.request import Request
from sync.inspera.requests import bodies
from sync.inspera.responses import records, stream
from sync.records.base import Kind
from sync.records.remote import RemotePerson

_PATIENCE: Final = {Kind.LEARNER: 600.0, Kind.STAFF: 1800.0}
"""Seconds until an export is given up, as other clients do (vendor contract, Users API: export)."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 15.0
_PAUSE_AFTER_FAILURE = 1.0
_FAILED: Final = ("failed", "error")


class Export:
    """Orders and reads exports. Thread-safe; raises what `Lookups` raises, also in the read."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def people(self, kind: Kind) -> Iterator[RemotePerson]:
        """Yield all learners or all staff (vendor contract, Users API: export users).

        The file is an object with `admins`, or for learners, which is inferred, `students`: per
        person user id, names and username. Any array of people is read, and external ids too where
        a tenant shows them. An identical order before the first is done gives the same job, so
        ordering again is safe.
        """
        call = self._caller.named(EXPORT_ORDER)
        body = bodies.wrapped(call, bodies.export_order(kind))
        job = self._caller.call(Request(call, body=body), records.export_job)
        link, count = self._await_link(job, _PATIENCE[kind]), 0
        try:
            for row in stream.entries(self._open(link)):
                yield records.exported_person(row)
                count += 1
        except ValueError as error:
            raise Unknown(
                f"Inspera's export of its users is not a JSON list of people after {count} of "
                f"them: {error}; run the command again, or else ask Inspera for the format"
            ) from None

    def _await_link(self, job: str, patience: float) -> str:
        """Ask for the export's status, with growing pauses, until there is a link to it."""
        request = Request(self._caller.named(EXPORT_STATUS), {"job": job})
        until, pause = self._caller.elapsed() + patience, _FIRST_PAUSE
        while True:
            status, link = self._caller.call(request, records.export_status)
            if status in _FAILED:
                raise Refused(
                    "Inspera could not make the export of its users; order it again later", 200
                )
            if status == "success":
                if not link:
                    raise Unknown("Inspera made the export of its users, but gave no link to it")
                return link
            if self._caller.elapsed() >= until:
                raise Unknown(
                    f"Inspera did not finish the export of its users in {patience / 60:.0f} minutes"
                )
            if not self._caller.pause(pause):
                raise Retry("the run is being ended, so the export is not awaited")
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _open(self, link: str) -> Iterator[bytes]:
        """Return the file's chunks; try again while it does not begin.

        A download that has begun is not repeated: people would be yielded twice.
        """
        for left in reversed(range(self._caller.connection.attempts)):
            chunks = self._caller.download(link)
            try:
                first = next(chunks, b"")
            except Retry:
                if not left or not self._caller.pause(_PAUSE_AFTER_FAILURE):
                    raise
            else:
                return chain((first,), chunks)
        raise Unknown("the export was not downloaded")
