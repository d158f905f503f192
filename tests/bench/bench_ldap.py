"""What reading a directory costs, against ldap3 alone. Run it as a script; it needs OpenLDAP (slapd).

The baseline is what ldap3's documentation shows: `paged_search` as a generator, with the same attributes, pages and
options, whose entries nobody looks at; it believes whatever comes and completes nothing. Both are measured in one run,
by the clock and in processor time of this process, best of three; the ratios are what to watch.
"""

import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from sync.sources.ldap.library import ldap3
from sync.sources.ldap.source import LdapSettings
from tests.support.servers.slapd import PEOPLE, Slapd, person

ENTRIES, PAGE = 20_000, 500
LIMIT = 1.5
MEMORY = 150e6
GROWTH = 1.2
FILTER = "(objectClass=inetOrgPerson)"
ATTRIBUTES = ("uid", "givenName", "sn", "mail", "employeeNumber", "departmentNumber")


def served(folder: Path, count: int) -> Slapd:
    entries = (
        person(
            f"learner{n}",
            givenName=f"Åse{n}",
            mail=f"learner{n}@example.edu",
            employeeNumber=str(500_000 + n),
            departmentNumber=f"P{n % 40}",
        )
        for n in range(count)
    )
    return Slapd(folder, entries)


def baseline(server: Slapd) -> int:
    connection = ldap3.Connection(
        ldap3.Server(server.url, get_info=ldap3.NONE),
        auto_bind=True,
        auto_referrals=False,
        check_names=False,
        return_empty_attributes=False,
    )
    found = connection.extend.standard.paged_search(
        PEOPLE,
        FILTER,
        dereference_aliases=ldap3.DEREF_NEVER,
        attributes=list(ATTRIBUTES),
        paged_size=PAGE,
        generator=True,
    )
    count = sum(1 for _ in found)
    connection.unbind()
    return count


def read(server: Slapd) -> int:
    source = LdapSettings.model_validate(
        {
            "servers": server.url,
            "base": PEOPLE,
            "filter": FILTER,
            "attributes": ATTRIBUTES,
            "page_size": PAGE,
        }
    )
    return sum(1 for _ in source.rows(Path()))


def seconds(work: Callable[[Slapd], int], server: Slapd) -> tuple[float, float]:
    """By the clock, and in processor time."""
    clock, processor = time.perf_counter(), time.process_time()
    count = work(server)
    if count != ENTRIES:
        raise SystemExit(f"{count} entries were read, not {ENTRIES}")
    return time.perf_counter() - clock, time.process_time() - processor


def peak_memory(server: Slapd) -> int:
    tracemalloc.start()
    read(server)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served(folder / "all", ENTRIES).running() as server:
            pairs = [(seconds(baseline, server), seconds(read, server)) for _ in range(3)]
            peak = peak_memory(server)
        with served(folder / "tenth", ENTRIES // 10).running() as server:
            tenth = peak_memory(server)
    least = [min(pair[0][which] for pair in pairs) for which in (0, 1)]
    ours = [min(pair[1][which] for pair in pairs) for which in (0, 1)]
    ratios = [mine / theirs for mine, theirs in zip(ours, least, strict=True)]
    print(
        f"ldap3:  {least[0]:.2f} s, of it {least[1]:.2f} s processor, {least[1] / ENTRIES * 1e6:.0f} µs an entry"
    )
    print(
        f"source: {ours[0]:.2f} s, of it {ours[1]:.2f} s processor, {ours[1] / ENTRIES * 1e6:.0f} µs an entry"
    )
    print(
        f"ratio:  {ratios[0]:.2f} by the clock, {ratios[1]:.2f} in processor time (at most {LIMIT})"
    )
    print(
        f"memory: {peak / 1e6:.1f} MB at its peak, {tenth / 1e6:.1f} MB with a tenth of the entries"
    )
    within = max(ratios) <= LIMIT and peak < MEMORY and peak <= GROWTH * tenth
    return 0 if within else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except pytest.skip.Exception as missing:
        sys.exit(f"not measured: {missing}")
