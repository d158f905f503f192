"""Learners and candidates from a real directory: limits, flags, and groups whose members are people."""

from pathlib import Path
from typing import Any

import pytest

from ..support.servers.slapd import Slapd, group, person
from ..support.university import TEST, University

pytestmark = pytest.mark.server


ATTRIBUTES = {"feide": "uid", "family": "sn"}


PEOPLE = {"type": "ldap", "base": "ou=people,dc=example,dc=edu", "filter": "(objectClass=person)"}


def learners(university: University, server: Slapd, **more: Any) -> None:
    university.config["sources"]["people"] = {
        **PEOPLE,
        "servers": server.url,
        "attributes": ATTRIBUTES,
        **more,
    }
    feed = university.feed("learner")
    feed.pop("where", None)
    feed["source"] = "people"
    names = {"key": "feide", "username": "feide", "external_id": "feide"}
    feed["map"] = {**names, "first_name": {"constant": "Åse"}, "last_name": "family"}


def test_all_of_2500_are_read_by_pages_and_without_pages_nothing_is_used_and_nobody_released(
    university: University, tmp_path: Path
) -> None:
    server = Slapd(tmp_path / "slapd", (person(f"p{n}", sn=f"Eksempel{n}") for n in range(2_500)))
    with server.running():
        learners(university, server, filter="(uid=p24*)")
        university.keep_feeds("learner")
        university.apply_cleanly()
        assert len(university.learners()) == 111
        learners(university, server)
        assert "2,500 rows, 2,500 valid learners" in university.run("check").out
        learners(university, server, paged=False)
        ran = university.apply()
        assert ran.status == 4
        assert (
            "nothing of it is used in this run, and nothing that rests on it is removed" in ran.out
        )
        assert university.planned("pass") == []
        assert len(university.learners()) == 111


def test_members_of_a_group_are_candidates_by_way_of_who_they_are(
    university: University, tmp_path: Path
) -> None:
    entries = [person(f"p{n}", employeeNumber=str(n)) for n in (1, 2, 3)]
    members = ["UID=p1, ou=People,dc=example,dc=edu", "uid=p3,ou=people,dc=example,dc=edu"]
    server = Slapd(tmp_path / "slapd", [*entries, group(TEST, members)])
    with server.running():
        learners(university, server)
        university.exams.add(TEST)
        university.config["sources"]["groups"] = {
            "type": "ldap",
            "servers": server.url,
            "base": "ou=groups,dc=example,dc=edu",
            "filter": "(objectClass=groupOfNames)",
            "attributes": {"test": "cn", "member": {"many": "all"}},
        }
        university.config["sources"].pop("registrations")
        candidates = university.feed("candidate")
        candidates |= {
            "source": "groups",
            "join": {"people": {"by": {"member": "dn"}, "missing": "error"}},
            "map": {"test": "test", "learner": "people.feide"},
        }
        university.apply_cleanly()
        assert set(university.candidates()) == {"p1", "p3"}


def test_a_flag_that_some_entries_do_not_show_makes_nobody_absent(
    university: University, tmp_path: Path
) -> None:
    server = Slapd(tmp_path / "slapd", [person(f"p{n}", employeeNumber="512") for n in range(3)])
    with server.running():
        attributes = {
            **ATTRIBUTES,
            "disabled": {"attribute": "employeeNumber", "flag": "ACCOUNTDISABLE"},
        }
        learners(university, server, attributes=attributes)
        university.feed("learner")["where"] = {"disabled": "false"}
        university.keep_feeds("learner")
        university.apply_cleanly()
        server.modify("uid=p1,ou=people,dc=example,dc=edu", employeeNumber=())
        ran = university.apply()
        assert ran.status == 4
        assert "1 of 3 entries have no employeeNumber, which a column's 'flag' needs" in ran.out
        assert university.planned("pass") == []
