"""What a plan costs when the state is in PostgreSQL, beside the same plan with SQLite. Run it as a script.

It takes the files of `bench_plan.py` (100,000 learners, 5,000 tests, 500,000 candidates), and two states in which all
of them are known: one in a file, one in a PostgreSQL of its own whose database sorts as Norwegians do. The plans are
measured in one run, in turns, the best of each counts. Promised for the unchanged: at most 2 times SQLite's time, and
less than 200 MB. `--first` also measures, once each, a plan of which everything is new, for information.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.bench_plan import (
    CONFIG,
    CONFIGURATION,
    LEARNERS,
    SEATS,
    STATE,
    TESTS,
    Cost,
    best,
    run,
    write_files,
)
from tests.support.servers.postgres import SUPERUSER, postgres

ROUNDS = 3
MOST_TIMES, MOST_MEGABYTES = 2.0, 200.0
ON_POSTGRES = "postgres.yaml"
DATABASE = "state"
UNCHANGED, NEW = "no change; 0 row errors", f"create {TESTS * SEATS:,} candidates"


def make_known(config: Path) -> None:
    """Makes all that the files want known in the state of this configuration, with what a run would have left."""
    from datetime import UTC, datetime

    from sqlalchemy import text
    from sync.app import App
    from sync.commands.plan import make_store
    from sync.engine.extract.extract import extract
    from sync.records.kinds import COMPARED, KEY_FIELDS

    app = App.open(config, print)
    with app.state.open_to_write("benchmark") as opened:
        connection = opened.connection
        extracted = extract(
            app.feeds, make_store(app, connection), datetime.now(UTC), lambda *_: None
        )
        if extracted.unhealthy:
            raise SystemExit(f"the benchmark's own files can't be used: {extracted.unhealthy}")
        for kind in extracted.kinds:
            names = ", ".join(
                f'"{name}"' for name in (*KEY_FIELDS[kind], *COMPARED[kind], "fingerprint")
            )
            connection.execute(
                text(
                    f"INSERT INTO known_{kind} ({names}, remote_id, lifecycle, managed, updated)"
                    f" SELECT {names}, CAST(rowid AS TEXT), 'active', true, '2026-01-01T00:00:00Z' FROM wanted_{kind}"
                )
            )
        connection.commit()


def plan(config: Path, printing: str) -> Cost:
    return run("-m", "sync", "-c", str(config), "plan", printing=printing)


def measure(folder: Path, *, first: bool) -> dict[str, tuple[Cost, Cost]]:
    """The costs of plans with SQLite and with PostgreSQL, by what was planned."""
    write_files(folder)
    measured = {}
    with postgres() as server:
        url = server.create_database(DATABASE, icu="nb-NO").replace("://", f"://{SUPERUSER}@")
        file, database = folder / CONFIG, folder / ON_POSTGRES
        database.write_text(CONFIGURATION.replace(f"sqlite:///{STATE}", url), encoding="utf-8")
        if first:
            measured["all new"] = plan(file, NEW), plan(database, NEW)
        for config in (file, database):
            run(__file__, "--known", str(config), printing="")
        server.execute(
            "VACUUM ANALYZE", database=DATABASE
        )  # as the server does by itself after a minute
        rounds = [(plan(file, UNCHANGED), plan(database, UNCHANGED)) for _ in range(ROUNDS)]
        measured["unchanged"] = (
            best([one for one, _ in rounds]),
            best([other for _, other in rounds]),
        )
    return measured


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--known",
        type=Path,
        help="only make the state of what the files of this configuration want",
    )
    arguments.add_argument(
        "--first", action="store_true", help="also plan when nothing is known yet"
    )
    wanted = arguments.parse_args()
    if wanted.known:
        make_known(wanted.known)
        return 0
    with tempfile.TemporaryDirectory() as name:
        measured = measure(Path(name), first=wanted.first)
    print(f"{LEARNERS + TESTS + TESTS * SEATS:,} rows, seconds:")
    for what, (file, database) in measured.items():
        print(
            f"{what + ':':<11}{file.seconds:.2f} with SQLite, {database.seconds:.2f} with PostgreSQL,",
            end=" ",
        )
        print(
            f"{database.seconds / file.seconds:.2f} times; {database.megabytes:.0f} MB at its peak"
        )
    file, database = measured["unchanged"]
    print(
        f"promised for the unchanged: at most {MOST_TIMES:.0f} times, less than {MOST_MEGABYTES:.0f} MB"
    )
    return (
        0
        if database.seconds <= MOST_TIMES * file.seconds and database.megabytes < MOST_MEGABYTES
        else 1
    )


if __name__ == "__main__":
    sys.exit(main())
