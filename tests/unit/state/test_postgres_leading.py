"""Who may write a state on PostgreSQL: locks, waiting, taking over, deposed runs."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count

import psycopg
import pytest
from sqlalchemy import Connection, text
from sync.errors import Deposed, Locked, StateError, StateUnreachable
from sync.state.backend import Backend, OpenState, Pause, Wait
from sync.state.open import backend_for

from ...support.servers.postgres import Postgres, postgres

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MOST_SECONDS = 10
_numbers = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        server.execute("CREATE ROLE inspera_sync LOGIN")
        yield server


@pytest.fixture
def url(server: Postgres) -> str:
    name = f"state{next(_numbers)}"
    server.create_database(name)
    server.execute(f"ALTER DATABASE {name} OWNER TO inspera_sync")
    return f"postgresql://inspera_sync@127.0.0.1:{server.port}/{name}"


@pytest.fixture
def state(url: str) -> Backend:
    """Return a state that no run holds."""
    one = backend_for(url)
    with one.open_to_write("apply"):
        return one


def learn(connection: Connection, key: str) -> None:
    insert = (
        "INSERT INTO known_learner (key, lifecycle, managed, updated)"
        " VALUES (:key, 'active', true, '')"
    )
    connection.execute(text(insert), {"key": key})


def learners(state: Backend) -> list[str]:
    with state.open_to_read() as connection:
        return list(
            connection.execute(text("SELECT key FROM known_learner ORDER BY key")).scalars()
        )


def cut_locks(server: Postgres, url: str) -> None:
    """End the connections that hold our locks, as an administrator would, or a firewall."""
    database = url.rpartition("/")[2]
    held = (
        "SELECT l.pid FROM pg_locks l JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
    )
    server.execute(
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid IN ({held}"
        f" AND datname = '{database}')"
    )


def held_by_a_process(url: str, what: str) -> subprocess.Popen[str]:
    """Another process, which does this with the state `place` and then waits to be killed."""
    script = (
        "import sys, time; from sync.state.open import backend_for; place = "
        f"backend_for(sys.argv[1])\n{what}"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, url], stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_held_state_says_who_holds_it_and_can_be_read(state: Backend, url: str) -> None:
    with state.open_to_write("apply"):
        with pytest.raises(
            Locked,
            match=r"state is in use by adopt pid|state is in use by apply pid \d+ on .+; wait",
        ):
            backend_for(url).open_to_write("adopt").__enter__()
        assert backend_for(url).holder().startswith("apply pid ")
        assert learners(backend_for(url)) == []
    assert backend_for(url).holder() == ""


def test_a_lock_is_free_again_at_once(state: Backend) -> None:
    for _ in range(20):
        with state.open_to_write("apply"):
            pass


def test_anyone_who_waits_is_reported_the_holder_and_gets_the_lock(
    state: Backend, url: str
) -> None:
    told: list[str] = []
    with ExitStack() as running:
        running.enter_context(state.open_to_write("apply"))

        def wait(holder: str) -> bool:
            told.append(holder)
            if len(told) == 2:
                running.close()
            return True

        with backend_for(url).open_to_write("adopt", wait):
            assert [one.startswith("apply pid ") for one in told] == [True, True]


def test_anyone_who_gives_up_waiting_is_reported_that_it_is_locked(
    state: Backend, url: str
) -> None:
    with state.open_to_write("apply"), pytest.raises(Locked, match="in use by apply pid"):
        backend_for(url).open_to_write("adopt", lambda _holder: False).__enter__()


def test_a_lock_dies_with_its_process(state: Backend, url: str) -> None:
    what = "with place.open_to_write('apply'): print('there', flush=True); time.sleep(60)"
    process = held_by_a_process(url, what)
    assert state.holder().startswith(f"apply pid {process.pid} on ")
    end(process)
    ends = time.monotonic() + MOST_SECONDS

    def wait(_holder: str) -> bool:
        time.sleep(0.05)
        return time.monotonic() < ends

    with state.open_to_write("apply", wait):
        pass


def test_a_run_writes_as_long_as_nobody_takes_over(state: Backend) -> None:
    with state.open_to_write("apply") as opened:
        for key in ("1", "2"):
            learn(opened.connection, key)
            opened.confirm()
            opened.connection.commit()
    assert learners(state) == ["1", "2"]


def test_a_run_whose_lock_is_cut_may_send_nothing_more(
    state: Backend, server: Postgres, url: str
) -> None:
    with state.open_to_write("apply") as opened:
        learn(opened.connection, "1")
        opened.confirm()
        cut_locks(server, url)
        with pytest.raises(
            Deposed,
            match="the lock on this state is lost, as its connection was cut; this run stops",
        ):
            opened.confirm()
        # nobody else has begun: what has become of its calls may still be noted
        opened.connection.commit()
    assert learners(state) == ["1"]


def test_a_deposed_run_commits_nothing_more(state: Backend, server: Postgres, url: str) -> None:
    with state.open_to_write("apply") as old:
        learn(old.connection, "old")
        cut_locks(server, url)
        with backend_for(url).open_to_write("apply") as new:
            learn(new.connection, "new")
            new.confirm()
            new.connection.commit()
            with pytest.raises(
                Deposed, match="another process has taken over this state; this run stops"
            ):
                old.connection.commit()
            old.connection.rollback()
            learn(old.connection, "old again")
            with pytest.raises(Deposed, match="another process has taken over"):
                old.confirm()
    assert learners(state) == ["new"]


def test_nobody_takes_over_between_a_confirmation_and_its_commit(
    state: Backend, server: Postgres, url: str
) -> None:
    with state.open_to_write("apply") as old:
        learn(old.connection, "old")
        old.confirm()
        cut_locks(server, url)
        what = (
            "print('there', flush=True)\nwith place.open_to_write('apply') as opened:\n"
            " print([row[0] for row in opened.connection.exec_driver_sql('SELECT key"
            " FROM known_learner')], flush=True)"
        )
        process = held_by_a_process(url, what)
        await_blocked(server)
        old.connection.commit()
        assert process.communicate(timeout=MOST_SECONDS)[0] == "['old']\n"
        with pytest.raises(Deposed, match="another process has taken over"):
            old.confirm()


def await_blocked(server: Postgres) -> None:
    """Until one of our sessions waits for another."""
    ends = time.monotonic() + MOST_SECONDS
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND query LIKE 'INSERT INTO leader%'"
    )
    while not server.execute(waiting):
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_a_run_that_loses_its_connection_says_that_the_state_is_not_there(
    state: Backend, server: Postgres, url: str
) -> None:
    def lose(opened: OpenState) -> None:
        server.terminate_all(url.rpartition("/")[2])
        opened.confirm()

    with (
        pytest.raises(StateUnreachable, match="can't be reached"),
        state.open_to_write("apply") as opened,
    ):
        lose(opened)
    with state.open_to_write("apply"):
        pass


def test_a_pause_works_at_once_from_anywhere_and_stays(state: Backend, url: str) -> None:
    with state.open_to_write("apply") as opened:
        learn(opened.connection, "1")
        opened.confirm()  # the run is in the midst of a transaction
        backend_for(url).pause("a drill", NOW)
        assert state.paused() == Pause("2026-11-23T08:00:00Z", "a drill")
        opened.connection.commit()
    assert backend_for(url).paused() == Pause("2026-11-23T08:00:00Z", "a drill")
    backend_for(url).pause("another", NOW)
    assert state.paused() == Pause("2026-11-23T08:00:00Z", "another")
    assert (state.resume(), state.resume(), state.paused()) == (True, False, None)


def test_a_state_can_be_paused_before_its_first_run(url: str) -> None:
    backend_for(url).pause("", NOW)
    assert backend_for(url).paused() == Pause("2026-11-23T08:00:00Z", "")


def test_questions_are_answered_again_after_all_connections_were_cut(
    state: Backend, server: Postgres, url: str
) -> None:
    state.pause("a drill", NOW)
    server.terminate_all(url.rpartition("/")[2])
    assert state.paused() == Pause("2026-11-23T08:00:00Z", "a drill")
    server.terminate_all(url.rpartition("/")[2])
    assert (state.holder(), state.resume()) == ("", True)


def test_many_questions_take_one_connection(state: Backend, server: Postgres, url: str) -> None:
    database = url.rpartition("/")[2]
    pids: set[object] = set()
    for _ in range(5):
        assert state.paused() is None
        found = server.execute(f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}'")
        pids.update(pid for (pid,) in found)
    assert len(pids) == 1


def test_one_service_leads_and_another_stands_by(url: str) -> None:
    with backend_for(url).service() as first, backend_for(url).service() as second:
        assert not first.leads()
        assert (first.try_lead(), second.try_lead(), first.try_lead()) == (True, False, True)
        assert (first.leads(), second.leads()) == (True, False)
        assert second.leader() == first.leader() != ""
        assert second.leader().startswith("serve pid ")
    with backend_for(url).service() as third:
        assert third.try_lead()


def test_a_leading_service_leaves_the_state_to_runs(state: Backend, url: str) -> None:
    with backend_for(url).service() as service:
        assert service.try_lead()
        with state.open_to_write("apply"):
            assert service.leads()
        assert service.leads()


def test_a_service_takes_over_when_the_leading_one_is_killed(state: Backend, url: str) -> None:
    what = (
        "with place.service() as service, place.open_to_write('job nightly') as opened:\n"
        " assert service.try_lead(); print('there', flush=True); time.sleep(60)"
    )
    process = held_by_a_process(url, what)
    with state.service() as service:
        assert not service.try_lead()
        assert service.leader().startswith(f"serve pid {process.pid} on ")
        end(process)
        await_lead(service.try_lead)
        # The server notices each lost connection by itself.
        with state.open_to_write("job nightly", wait=patient()):
            assert service.leads()


def test_a_service_whose_connection_is_cut_leads_no_more_until_it_takes_the_lead_anew(
    server: Postgres, url: str
) -> None:
    with backend_for(url).service() as first, backend_for(url).service() as second:
        assert first.try_lead()
        cut_locks(server, url)
        assert not first.leads()
        assert second.try_lead()
        assert (first.try_lead(), first.leads(), second.leads()) == (False, False, True)


def await_lead(try_lead: Callable[[], bool]) -> None:
    keep_waiting = patient()
    while not try_lead():
        assert keep_waiting("")


def patient() -> Wait:
    ends = time.monotonic() + MOST_SECONDS

    def wait(_holder: str) -> bool:
        time.sleep(0.05)
        return time.monotonic() < ends

    return wait


def test_what_others_lock_in_the_same_database_is_no_concern_of_managed(
    state: Backend, server: Postgres, url: str
) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(1), pg_advisory_lock(1, 2)")
        assert state.holder() == ""
        with state.open_to_write("apply"):
            pass
    server.create_database("beside")
    with psycopg.connect(server.url("beside"), user="postgres", autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(0, 1)")
        assert state.holder() == ""


def test_a_service_tells_when_the_state_cannot_be_reached(server: Postgres) -> None:
    with backend_for(f"postgresql://x@127.0.0.1:{server.port}/none").service() as service:
        assert (service.leads(), service.leader()) == (False, "")
        with pytest.raises(StateError, match="the state"):
            service.try_lead()
