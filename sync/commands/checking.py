"""`check`: is the configuration sound, can every source be read, and does every mapping work on every row?"""

from itertools import chain

from sync.commands.checking_values import Watched, key_warnings
from sync.commands.planning import make_store
from sync.commands.wiring import House, Say, now
from sync.engine.doors import Progress
from sync.engine.gather import gather
from sync.exits import Exit, worst
from sync.mapping import late_faults, nameless
from sync.model import key_of
from sync.report.plan_text import MOST, faults_text
from sync.report.schedule_text import schedule_text
from sync.report.wording import plural
from sync.state.store import Store


def check(house: House, say: Say, progress: Progress, *, show_all: bool) -> Exit:
    """Reads everything, sends nothing, leaves the state alone."""
    sources = plural(len(house.loaded.settings.sources), "source")
    say(f"Configuration: {sources}, {plural(len(house.feeds), 'feed')}, sound.")
    with house.state.open_to_read() as connection:
        store = make_store(house, connection)
        watched = [Watched(feed) for feed in house.feeds]
        gathered = gather([one.feed for one in watched], store, now(), progress)
        _judge_people(store)
        for problem in gathered.unhealthy:
            say(f"Source: {problem}")
        for reading in gathered.readings:
            if not reading.unread:
                rows = f"{plural(reading.rows, 'row')} read"
                say(f"{reading.place}: {rows}, {plural(reading.records, reading.kind)} selected by `where` and usable")
        for line in chain(*(one.unnamed() for one in watched), key_warnings(store)):
            say(line)
        for line in faults_text(store.faults(), None if show_all else MOST):
            say(line)
        number = store.fault_count()
    for line in schedule_text(house.schedules, now()):
        say(line)
    say(f"{plural(number, 'fault')}." if number else "No faults.")
    return worst(source=bool(gathered.unhealthy), faults=number > 0)


def _judge_people(store: Store) -> None:
    """Looks for what is too dear to look for in every row."""
    for record, where in store.staged_people():
        store.add_faults(late_faults(record, where))
        if store.known(record.kind, key_of(record)) is None:
            store.add_faults(nameless(record, where))
