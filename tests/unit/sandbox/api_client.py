"""A plain client of the vendor's API, written from the contract page, and a clock."""

from datetime import UTC, datetime
from typing import Any

import requests
from sync.sandbox import Sandbox

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ASE = {
    "username": "ase@example.edu",
    "firstName": "Åse",
    "lastName": "Prøvesen",
    "email": "ase@example.edu",
    "externalIds": [{"authType": "FEIDE", "externalId": "ase@example.edu"}],
}
EXAM = {
    "externalTestId": "INF1000-H26",
    "title": "INF1000 Prøveeksamen",
    "startTime": "2026-12-01T08:00:00Z",
    "endTime": "2026-12-01T12:00:00Z",
    "duration": 240,
}
EMPTY: dict[str, Any] = {"students": [], "staff": [], "tests": []}
BERIT = {
    "username": "berit@example.edu",
    "firstName": "Berit",
    "lastName": "Påhittad",
    "email": "berit@example.edu",
    "externalIds": [{"authType": "FEIDE", "externalId": "berit@example.edu"}],
}
TEST = "/v1/test/INF1000-H26?isExternal=true"
OPTIONS = "/v1/test/INF1000-H26/options?isExternal=true"
COMMITTEES = "/v1/test/INF1000-H26/committees?isExternal=true"
CONTRIBUTORS = "/v1/test/INF1000-H26/contributors?isExternal=true"
CANDIDATES = "/v1/test/INF1000-H26/candidates?isExternal=true"


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class ApiClient:
    """Calls one sandbox as an integration would; a token is fetched at the first call."""

    def __init__(self, url: str, client_id: str = "example", api_key: str = "sandbox-key") -> None:
        self.url, self.client_id, self.api_key = url, client_id, api_key
        self._session = requests.Session()
        self._session.trust_env = False

    def ask_token(
        self, query: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        right = {"grant_type": "authorization_code", "client_id": self.client_id}
        params = right if query is None else query
        sent = {"code": self.api_key, **FORM} if headers is None else headers
        return self._session.post(
            f"{self.url}/api/authenticate/token/", params=params, headers=sent, timeout=10
        )

    def call(
        self, method: str, path: str, body: Any = None, timeout: float = 10, **more: Any
    ) -> requests.Response:
        if "Authorization" not in self._session.headers:
            self._session.headers["Authorization"] = (
                f"Bearer {self.ask_token().json()['access_token']}"
            )
        return self._session.request(
            method, f"{self.url}/api{path}", json=body, timeout=timeout, **more
        )

    def get(self, path: str) -> requests.Response:
        return self.call("GET", path)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.call("POST", path, body)

    def delete(self, path: str, body: Any) -> requests.Response:
        return self.call("DELETE", path, body)

    def send(self, case: Any) -> requests.Response:
        """A call that schemathesis made up, with this client's own token."""
        answer: requests.Response = case.call(
            base_url=f"{self.url}/api", session=self._session, headers={**self._session.headers}
        )
        return answer

    def page(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        """One of the sandbox's own pages, asked for without any token."""
        return requests.request(
            method, f"{self.url}/_sandbox/{path}", json=body, timeout=10, **more
        )

    def close(self) -> None:
        self._session.close()


def learner(number: int) -> dict[str, Any]:
    """A plainly made-up learner."""
    login = f"prove{number}@example.edu"
    return {
        "username": login,
        "firstName": "Prøve",
        "lastName": f"Nummer {number}",
        "email": login,
        "externalIds": [{"authType": "FEIDE", "externalId": login}],
    }


def batch(*external_ids: str, **seat: Any) -> dict[str, Any]:
    """A candidates body that says the same about everybody in it."""
    return {
        "authenticationSystem": "FEIDE",
        "candidates": [{"externalId": external_id, **seat} for external_id in external_ids],
    }


def staff_batch(*external_ids: str, **said: Any) -> dict[str, Any]:
    """A contributors body that says the same about everybody in it."""
    return {
        "authenticationSystem": "FEIDE",
        "contributors": [{"externalId": external_id, **said} for external_id in external_ids],
    }


def committees(*names: str, **more: Any) -> dict[str, Any]:
    """A committees body."""
    return {"committees": [{"name": name, **more} for name in names]}


def options(group: str, **values: Any) -> dict[str, Any]:
    """An options body of one group."""
    return {
        "testOptions": {group: [{"option": name, "value": value} for name, value in values.items()]}
    }


def only_test(sandbox: Sandbox) -> dict[str, Any]:
    """The one test that the sandbox holds, with everything on it."""
    (test,) = sandbox.contents()["tests"]
    found: dict[str, Any] = test
    return found


def plant(sandbox: Sandbox) -> None:
    """Åse who sits exams, Berit who grades them, and the exam, as if by hand."""
    sandbox.edit(student=ASE)
    sandbox.edit(staff=BERIT)
    sandbox.edit(
        test="INF1000-H26",
        title=EXAM["title"],
        start=EXAM["startTime"],
        end=EXAM["endTime"],
        duration=240,
    )


def errors(answer: requests.Response) -> str:
    """The reasons of a refusal in one text; fails when it has not the vendor's form."""
    said = answer.json()
    assert said["success"] is False
    assert said["errors"]
    return "\n".join(said["errors"])
