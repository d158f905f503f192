"""What the made-up tenant holds, and how it answers about it: people, and what is on its tests."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, str]


@dataclass
class Seen:
    """One request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class Reply:
    """A failure's response; `carried_out`: the call is done first; `lost`: no response comes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    carried_out: bool = False
    lost: bool = False


OPTION_GROUPS = (
    "generalOptions",
    "securityOptions",
    "examDayOptions",
    "afterTestOptions",
    "explanationOptions",
)

PLACES = {"roomName": "removeRoomName", "buildingName": "removeBuildingName"}
"""Room and building, each with the only thing that clears it."""

NO_SUCH_PAGE = Reply(404, {"error": "no such page"})


class People:
    """Users, and the exports of them (contract page, 3)."""

    def __init__(self) -> None:
        self.learners: dict[str, dict[str, Any]] = {}
        self.staff: dict[str, dict[str, Any]] = {}
        self.jobs: list[dict[str, Any]] = []
        self.polls_needed = 2
        self.export_shows: tuple[str, ...] = ("userId", "firstName", "lastName", "username")
        self.refuses_existing = False
        self.second: list[dict[str, Any]] = []
        self.shows_flat = False
        self._last_id = 7000000000

    @property
    def everyone(self) -> list[dict[str, Any]]:
        return [*self.learners.values(), *self.staff.values(), *self.second]

    def answer(self, seen: Seen, parts: list[str]) -> Reply:
        match (seen.method, *parts):
            case ("POST", "student"):
                return self._save(self.learners, seen.body)
            case ("POST",):
                return self._save(self.staff, self._as_listed(seen.body))
            case ("GET", "external", auth, external_id):
                wanted = {"authType": auth, "externalId": external_id}
                return Reply(
                    200,
                    [self._shown(p) for p in self.everyone if wanted in p.get("externalIds", [])],
                )
            case ("GET", "search"):
                return Reply(
                    200,
                    [
                        self._shown(p)
                        for p in self.everyone
                        if self._matches(p, seen.query["query"])
                    ],
                )
            case (method, user):
                return self._one(method, user)
            case _:
                return NO_SUCH_PAGE

    def export(self, seen: Seen, parts: list[str], url: str) -> Reply:
        match (seen.method, *parts):
            case ("POST", "order"):
                wanted = seen.body["parameters"]["userType"]
                for number, job in enumerate(self.jobs, 1):
                    if job["type"] == wanted and job["polls"] < self.polls_needed:
                        return Reply(200, {"jobId": number})  # the same order, not done yet
                self.jobs.append({"type": wanted, "polls": 0})
                return Reply(200, {"jobId": len(self.jobs)})
            case ("GET", "status", number):
                job = self.jobs[int(number) - 1]
                job["polls"] += 1
                if job["polls"] < self.polls_needed:
                    return Reply(200, {"status": "running"})
                link = f"{url}/signed/{job['type']}?signature=made-up-signature"
                return Reply(200, {"status": "success", "exportInfo": {"signedResponseUrl": link}})
            case _:
                return NO_SUCH_PAGE

    def exported(self, seen: Seen, user_type: str) -> Reply:
        if "Authorization" in seen.headers or seen.query != {"signature": "made-up-signature"}:
            return Reply(403, {"error": "a signed link takes no other key"})
        member, people = {"student": ("students", self.learners), "admin": ("admins", self.staff)}[
            user_type
        ]
        shown = [
            {name: value for name, value in person.items() if name in self.export_shows}
            for person in people.values()
        ]
        owner = {"userId": 1, "firstName": "The", "lastName": "Owner", "username": "administrator"}
        return Reply(200, {member: [*([owner] if user_type == "admin" else []), *shown]})

    def _save(self, people: dict[str, dict[str, Any]], body: dict[str, Any]) -> Reply:
        if self.refuses_existing and body["username"] in people:
            return Reply(409, {"error": "Username already in use"})
        person = people.setdefault(body["username"], {})
        if "userId" not in person:
            self._last_id += 1
            person["userId"] = self._last_id
        person.update(body)
        return Reply(200, {"success": True, "username": body["username"]})

    def _one(self, method: str, user: str) -> Reply:
        person = next((p for p in self.everyone if str(p.get("userId")) == user), None)
        if person is None:
            return Reply(404, {"error": "not found"})
        if method == "DELETE":
            self.staff.pop(person["username"])
            return Reply(200, {"success": True})
        return Reply(200, self._shown(person)) if method == "GET" else NO_SUCH_PAGE

    @staticmethod
    def _as_listed(body: dict[str, Any]) -> dict[str, Any]:
        """A flat body has one external id beside its system (contract page, 3)."""
        if "externalSystem" not in body:
            return body
        ids = [{"authType": body["externalSystem"], "externalId": body["externalId"]}]
        return {**body, "externalIds": ids}

    def _shown(self, person: dict[str, Any]) -> dict[str, Any]:
        hidden = {"password", "userType"}
        flat = {"externalId", "externalSystem"}
        hidden |= {"externalIds"} if self.shows_flat else flat
        return {name: value for name, value in person.items() if name not in hidden}

    @staticmethod
    def _matches(person: dict[str, Any], words: str) -> bool:
        return any(
            words.lower() in str(person.get(name, "")).lower() for name in ("username", "email")
        )


class OnTests:
    """Candidates, contributors, committees and options by the test's number (contract page, 4)."""

    def __init__(self) -> None:
        self.seats: dict[str, dict[Key, dict[str, Any]]] = {}
        self.contributors: dict[str, dict[Key, dict[str, Any]]] = {}
        self.committees: dict[str, dict[str, str]] = {}
        self.options: dict[str, dict[str, Any]] = {}
        self.notified: list[str] = []
        self.shows = ["contributors", "committees"]

    def add(self, number: str) -> None:
        self.seats[number], self.contributors[number] = {}, {}
        self.committees[number], self.options[number] = {}, {}

    @staticmethod
    def named(what: str, body: Any) -> Iterator[str]:
        """The ids and names in a body."""
        if what == "options":
            return (one["option"] for group in body["testOptions"].values() for one in group)
        return (one.get("externalId") or one["name"] for one in body[what])

    def answer(self, method: str, number: str, what: str, body: Any) -> Reply:
        match (method, what):
            case ("GET", "candidates"):
                return Reply(
                    200,
                    {"candidates": [self._candidate(*one) for one in self.seats[number].items()]},
                )
            case ("POST", "options"):
                for name, group in body["testOptions"].items():
                    if name in OPTION_GROUPS:  # others are ignored
                        self.options[number].update({one["option"]: one["value"] for one in group})
                return Reply(200, {"success": True})
            case ("POST" | "DELETE", "committees"):
                return self._committees(method, number, body["committees"])
            case ("POST" | "DELETE", "candidates"):
                return self._people(method, self.seats[number], body, body["candidates"])
            case ("POST" | "DELETE", "contributors"):
                return self._contributors(method, number, body)
            case _:
                return NO_SUCH_PAGE

    def shown(self, number: str) -> dict[str, Any]:
        """What reading a test shows of it, roles with the vendor's prefix."""
        contributors = [
            {
                "userId": 7000000002,
                "userName": key[1],
                "externalUserIds": [{"authType": key[0], "externalUserId": key[1]}],
                "roles": [f"ar_{role}" for role in one.get("roles", [])],
                "committees": one.get("committeesName", []),
            }
            for key, one in self.contributors[number].items()
        ]
        committees = [
            {"name": name, "type": type_} for name, type_ in self.committees[number].items()
        ]
        shown = {"contributors": contributors, "committees": committees}
        return {name: rows for name, rows in shown.items() if name in self.shows}

    def _committees(self, method: str, number: str, committees: list[dict[str, Any]]) -> Reply:
        there = self.committees[number]
        for committee in committees:
            if method == "DELETE":
                there.pop(committee["name"], None)
            elif committee["name"] in there:
                return Reply(
                    200,
                    {"success": False, "errors": [f"Committee {committee['name']} exists already"]},
                )
            else:
                there[committee["name"]] = committee.get("type", "GRADING")
        return Reply(200, {"success": True})

    def _contributors(self, method: str, number: str, body: Any) -> Reply:
        wanted = {name for one in body["contributors"] for name in one.get("committeesName", [])}
        missing = wanted - set(self.committees[number])
        if missing:
            return Reply(
                200, {"success": False, "errors": [f"Committee {min(missing)} does not exist"]}
            )
        self.notified += [
            one["externalId"] for one in body["contributors"] if one.get("sendNotification")
        ]
        return self._people(method, self.contributors[number], body, body["contributors"])

    @staticmethod
    def _people(
        method: str, there: dict[Key, dict[str, Any]], body: Any, people: list[dict[str, Any]]
    ) -> Reply:
        for person in people:
            key = (body["authenticationSystem"], person["externalId"])
            if method == "DELETE":
                there.pop(key, None)
            else:
                there.setdefault(key, {}).update(
                    {
                        name: value
                        for name, value in person.items()
                        if name not in PLACES.values() and not (name in PLACES and not value)
                    }
                )
                for name, flag in PLACES.items():
                    if person.get(flag) is True:
                        there[key].pop(name, None)
        return Reply(200, {"success": True})

    @staticmethod
    def _candidate(key: Key, seat: dict[str, Any]) -> dict[str, Any]:
        ids = [{"authType": key[0], "externalUserId": key[1]}]
        shown: dict[str, Any] = {
            name: seat[name] for name in ("candidateId", "extraTimeMins") if name in seat
        }
        return {"userId": 7000000001, "externalUserIds": ids, **shown}
