"""All people of one kind at once, by the vendor's export: ordered, waited for, and read while it is downloaded."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from sync.contract import EXPORT_ORDER, EXPORT_STATUS
from sync.errors import Refused, Retry, Unknown
from sync.inspera.caller import Caller
from sync.inspera.calls import Request
from sync.inspera.requests import bodies
from sync.inspera.responses import records, stream
from sync.records.base import Kind
from sync.records.remote import RemotePerson

_PATIENCE: Final = {Kind.LEARNER: 600.0, Kind.STAFF: 1800.0}
"""Seconds until an export is given up; others wait as long (vendor contract, Users API: export users)."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
_FAILED: Final = ("failed", "error")


class Export:
    """Orders and reads exports. Thread-safe; `people` raises as `Lookups` does, also while it is read."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def people(self, kind: Kind) -> Iterator[RemotePerson]:
        """All learners or all staff (vendor contract, Users API: export users).

        That the file is a JSON array of people as they are read one by one, or an object with such an array, is
        inferred. The link lives as long as the token.
        """
        link = self._link(self._order(kind), _PATIENCE[kind])
        try:
            for row in stream.entries(self._opened(link)):
                yield records.exported_person(row)
        except ValueError:
            raise Unknown(
                "the export cannot be read: it is assumed to be a JSON list of people, and it is not, or it is cut off"
            ) from None

    def _order(self, kind: Kind) -> str:
        call = self._caller.named(EXPORT_ORDER)
        body = bodies.wrapped(call, bodies.export_order(kind))
        return self._caller.call(Request(call, body=body), records.export_job)

    def _link(self, job: str, patience: float) -> str:
        """Asks, with growing pauses, until the export is there."""
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
                raise Retry("the run is being ended, so the export is not waited for")
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _opened(self, link: str) -> Iterator[bytes]:
        """The file, asked for again when it does not begin; once it has begun it can only be read to its end."""
        for left in reversed(range(self._caller.connection.attempts)):
            pieces = self._caller.download(link)
            try:
                first = next(pieces, b"")
            except Retry:
                if not left or not self._caller.pause(_FIRST_PAUSE):
                    raise
            else:
                return chain((first,), pieces)
        raise Unknown("the export was not asked for")
