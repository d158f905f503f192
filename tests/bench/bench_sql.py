"""What reading a million rows from PostgreSQL costs, against SQLAlchemy alone. Run it as a script.

The baseline streams the same rows with SQLAlchemy Core (the same options, the same number fetched at a time) and makes
of each the numbered row of texts by column that every source has to give, without making anything text. What Core costs
without even that is printed for information. Each reading is a process of its own, so that its peak memory is its own;
the best of some turns counts. Promised: at most 1.5 times the baseline's time, less than 150 MB, and as much for a
tenth of the rows.
"""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

ROWS = 1_000_000
ROUNDS = 4
MOST_TIMES, MOST_MEGABYTES, MOST_GROWTH = 1.5, 150, 10
QUERY = "SELECT student_no, given, family, mail, programme, seat FROM people"


class Cost(NamedTuple):
    """Seconds by the clock, seconds of this process's processor, and megabytes at its peak."""

    seconds: float
    processor: float
    megabytes: float


def fill(port: int) -> None:
    import psycopg

    with psycopg.connect(host="127.0.0.1", port=port, user="postgres") as connection:
        connection.execute(
            f"""CREATE TABLE people AS SELECT (500000 + n)::text AS student_no, 'Given' || n AS given,
            'Example' || n AS family, 'learner' || n || '@example.edu' AS mail,
            CASE WHEN n % 5 > 0 THEN 'P' || n % 40 END AS programme, n AS seat
            FROM generate_series(1, {ROWS}) AS n"""
        )
        connection.execute("COMMIT")
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE people")


def core(port: int, limit: int, *, bare: bool) -> int:
    from sqlalchemy import NullPool, create_engine, text
    from sync.records.base import Row

    engine = create_engine(
        f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres", poolclass=NullPool
    )
    count = 0
    with engine.connect() as connection:
        options = {"stream_results": True, "yield_per": 5000}
        result = connection.execute(text(f"{QUERY} LIMIT {limit}"), execution_options=options)
        names = tuple(result.keys())
        if bare:
            return sum(1 for _ in result)
        for count, cells in enumerate(result, 1):
            Row(count, dict(zip(names, cells, strict=True)))
    return count


def ours(port: int, limit: int) -> int:
    from sync.sources.sql.source import SqlSettings

    url = f"postgresql://127.0.0.1:{port}/postgres"
    source = SqlSettings(url=url, user="postgres", query=f"{QUERY} LIMIT {limit}")
    return sum(1 for _ in source.rows(Path()))


def read(how: str, port: int, limit: int) -> None:
    """What a process of its own does: reads, and prints what it cost."""
    begun, worked = time.perf_counter(), time.process_time()
    count = ours(port, limit) if how == "ours" else core(port, limit, bare=how == "bare")
    if count != limit:
        raise SystemExit(f"{count} rows were read, not {limit}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.perf_counter() - begun, time.process_time() - worked, peak)


def cost(how: str, port: int, limit: int = ROWS) -> Cost:
    command = [sys.executable, __file__, how, str(port), str(limit)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, encoding="utf-8", check=True, env=os.environ
    )
    return Cost(*map(float, done.stdout.split()))


def best(costs: list[Cost]) -> Cost:
    return Cost(
        min(one.seconds for one in costs), min(one.processor for one in costs), costs[-1].megabytes
    )


def main() -> int:
    from ..support.servers.postgres import postgres

    with postgres() as server:
        fill(server.port)
        rounds = [
            [cost(how, server.port) for how in ("bare", "core", "ours")] for _ in range(ROUNDS)
        ]
        small = cost("ours", server.port, ROWS // 10)
    bare, least, source = (best([one[at] for one in rounds]) for at in range(3))
    times, growth = source.seconds / least.seconds, source.megabytes - small.megabytes
    print(
        f"Core alone: {bare.seconds:.2f} s for {ROWS:,} rows, {bare.processor:.2f} s of it ours (for information)"
    )
    print(f"baseline:   {least.seconds:.2f} s, {least.processor:.2f} s of it ours")
    print(f"source:     {source.seconds:.2f} s, {source.processor:.2f} s of it ours")
    print(f"            {times:.2f} times the baseline (at most {MOST_TIMES})")
    print(f"            {source.seconds / bare.seconds:.2f} times Core alone (for information)")
    print(
        f"peak:       {source.megabytes:.0f} MB (less than {MOST_MEGABYTES}), {small.megabytes:.0f} for a tenth"
    )
    return (
        0
        if times <= MOST_TIMES and source.megabytes < MOST_MEGABYTES and growth <= MOST_GROWTH
        else 1
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        read(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(main())
