"""When the state's figures are read, and that a reading never blocks the service."""

import threading

from sync.errors import StateError
from sync.service.figure_reader import EVERY, FigureReader
from sync.state.service_figures import ServiceFigures


class Place:
    """A state whose figures are counted as they are read."""

    def __init__(self) -> None:
        self.now, self.readings = 0.0, 0
        self.free = threading.Event()
        self.free.set()
        self.broken = False
        self.passed: list[ServiceFigures] = []
        self.reader = FigureReader(self.read, self.passed.append, lambda: self.now)

    def read(self) -> ServiceFigures:
        self.free.wait()
        self.readings += 1
        if self.broken:
            raise StateError("made up")
        return ServiceFigures(exams=self.readings)


def test_figures_are_read_every_minute_and_after_a_run() -> None:
    place = Place()
    for now, expired, readings in [(0.0, False, 1), (EVERY - 1, False, 1), (EVERY - 1, True, 2)]:
        place.now = now
        if expired:
            place.reader.expire()
        place.reader.refresh(wait=10)
        assert [one.exams for one in place.passed] == list(range(1, readings + 1))


def test_a_slow_reading_is_passed_on_in_a_later_round() -> None:
    place = Place()
    place.free.clear()
    place.reader.refresh()
    assert place.passed == []
    place.free.set()
    place.reader.refresh(wait=10)
    assert (place.readings, len(place.passed)) == (1, 1)


def test_the_figures_of_before_stay_while_the_state_cannot_be_read() -> None:
    place = Place()
    place.reader.refresh(wait=10)
    place.broken, place.now = True, EVERY
    place.reader.refresh(wait=10)
    assert (place.readings, len(place.passed)) == (2, 1)


def test_what_was_read_before_a_run_ended_is_not_passed_on_after_it() -> None:
    place = Place()
    place.free.clear()
    place.reader.refresh()
    place.reader.expire()
    place.free.set()
    place.reader.refresh(wait=10)
    assert place.passed == []
    place.reader.refresh(wait=10)
    assert [one.exams for one in place.passed] == [2]
