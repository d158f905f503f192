"""Learners and candidates from a real directory: limits, flags, and groups whose members are people."""

from pathlib import Path
from typing import Any

import pytest

from ..support.servers.slapd import Slapd, group, person
from .site import TEST, Site

pytestmark = pytest.mark.server

ATTRIBUTES = {"feide": "uid", "family": "sn"}
PEOPLE = {"type": "ldap", "base": "ou=people,dc=example,dc=edu", "filter": "(objectClass=person)"}


def learners(site: Site, server: Slapd, **more: Any) -> None:
    site.config["sources"]["people"] = {
        **PEOPLE,
        "servers": server.url,
        "attributes": ATTRIBUTES,
        **more,
    }
    feed = site.feed("learner")
    feed.pop("where", None)
    feed["source"] = "people"
    names = {"key": "feide", "username": "feide", "external_id": "feide"}
    feed["map"] = {**names, "first_name": {"constant": "Åse"}, "last_name": "family"}


def test_all_of_2500_are_read_by_pages_and_without_pages_nothing_is_used_and_nobody_released(
    site: Site, tmp_path: Path
) -> None:
    server = Slapd(tmp_path / "slapd", (person(f"p{n}", sn=f"Eksempel{n}") for n in range(2_500)))
    with server.running():
        learners(site, server, filter="(uid=p24*)")
        site.only("learner")
        site.settled()
        assert len(site.people()) == 111
        learners(site, server)
        assert "2,500 rows, 2,500 valid learners" in site.run("check").out
        learners(site, server, paged=False)
        ran = site.apply()
        assert ran.status == 4
        assert (
            "nothing of it is used in this run, and nothing that rests on it is removed" in ran.out
        )
        assert site.planned("pass") == []
        assert len(site.people()) == 111


def test_members_of_a_group_are_candidates_by_way_of_who_they_are(
    site: Site, tmp_path: Path
) -> None:
    entries = [person(f"p{n}", employeeNumber=str(n)) for n in (1, 2, 3)]
    members = ["UID=p1, ou=People,dc=example,dc=edu", "uid=p3,ou=people,dc=example,dc=edu"]
    server = Slapd(tmp_path / "slapd", [*entries, group(TEST, members)])
    with server.running():
        learners(site, server)
        site.exams.add(TEST)
        site.config["sources"]["groups"] = {
            "type": "ldap",
            "servers": server.url,
            "base": "ou=groups,dc=example,dc=edu",
            "filter": "(objectClass=groupOfNames)",
            "attributes": {"test": "cn", "member": {"many": "all"}},
        }
        site.config["sources"].pop("registrations")
        candidates = site.feed("candidate")
        candidates |= {
            "source": "groups",
            "join": {"people": {"by": {"member": "dn"}, "missing": "error"}},
            "map": {"test": "test", "learner": "people.feide"},
        }
        site.settled()
        assert set(site.seats()) == {"p1", "p3"}


def test_a_flag_that_some_entries_do_not_show_makes_nobody_absent(
    site: Site, tmp_path: Path
) -> None:
    server = Slapd(tmp_path / "slapd", [person(f"p{n}", employeeNumber="512") for n in range(3)])
    with server.running():
        attributes = {
            **ATTRIBUTES,
            "disabled": {"attribute": "employeeNumber", "flag": "ACCOUNTDISABLE"},
        }
        learners(site, server, attributes=attributes)
        site.feed("learner")["where"] = {"disabled": "false"}
        site.only("learner")
        site.settled()
        server.modify("uid=p1,ou=people,dc=example,dc=edu", employeeNumber=())
        ran = site.apply()
        assert ran.status == 4
        assert "1 of 3 entries have no employeeNumber, which a column's 'flag' needs" in ran.out
        assert site.planned("pass") == []
