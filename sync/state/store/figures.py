"""The figures that a run leaves for people: of its sources, and of the tests that start soon."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection

from sync.records.base import Kind
from sync.state import exam_figures, source_readings
from sync.state.source_readings import SourceReading


class Figures:
    """What the newest run has counted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep_readings(self, run_id: int, now: datetime, readings: Iterable[SourceReading]) -> None:
        """Store how many rows a run has read from each source."""
        source_readings.keep(self._connection, run_id, now, readings)

    def keep_exams(
        self, run_id: int, now: datetime, kinds: Collection[Kind], relied_on: Collection[Kind]
    ) -> None:
        """Store how complete the tests are that start soon, after a run has sent its plan."""
        exam_figures.keep(self._connection, run_id, now, kinds, relied_on)
