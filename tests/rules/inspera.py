"""What stories see of a sandbox: what it holds, and what was sent to it."""

from typing import Any

from sync.sandbox import Sandbox

TEST = "INF1000-H26"
"""The test that most stories are about: 1 December 2026, 08:00 to 12:00 UTC, 240 minutes."""
OTHER = "MAT1100-H26"


class Inspera:
    """A sandbox to be looked at, and to be made to fail. What is called sent is of the last command."""

    sandbox: Sandbox
    _seen = 0

    def _look_from_here(self) -> None:
        self._seen = max(
            (call["seq"] for call in self.sandbox.requests(self._seen)), default=self._seen
        )

    def people(self) -> dict[str, dict[str, Any]]:
        """Inspera's learners by username."""
        return {one["username"]: one for one in self.sandbox.contents()["students"]}

    def staff(self) -> dict[str, dict[str, Any]]:
        """Inspera's staff by username."""
        return {one["username"]: one for one in self.sandbox.contents()["staff"]}

    def tests(self) -> dict[str, dict[str, Any]]:
        """Inspera's tests by external id."""
        return {one["externalTestId"]: one for one in self.sandbox.contents()["tests"]}

    def seats(self, test: str = TEST) -> dict[str, dict[str, Any]]:
        """A test's candidates in Inspera by username."""
        return {one["username"]: one for one in self.tests()[test]["candidates"]}

    def contributors(self, test: str = TEST) -> dict[str, dict[str, Any]]:
        """A test's contributors in Inspera by username."""
        return {one["username"]: one for one in self.tests()[test]["contributors"]}

    def committees(self, test: str = TEST) -> dict[str, str]:
        """The types of a test's committees in Inspera by name."""
        return {one["name"]: one["type"] for one in self.tests()[test]["committees"]}

    def options(self, test: str = TEST) -> dict[str, dict[str, Any]]:
        """A test's options in Inspera that are set, by group and name; of a secret there is only a digest."""
        return {group: set_ for group, set_ in self.tests()[test]["options"].items() if set_}

    def calls(self) -> list[dict[str, Any]]:
        """Every call of the last command."""
        return self.sandbox.requests(self._seen)

    def sent(self, path: str = "", method: str = "") -> list[dict[str, Any]]:
        """The last command's writing calls, whole; only those to a path that ends so, and of that method."""
        calls = [
            call
            for call in self.calls()
            if call["method"] != "GET" and "authenticate" not in call["path"]
        ]
        return [
            call for call in calls if call["path"].endswith(path) and method in ("", call["method"])
        ]

    def writes(self) -> list[str]:
        """The last command's writing calls, such as `POST /v1/users/student`."""
        return [f"{call['method']} {call['path'].removeprefix('/api')}" for call in self.sent()]

    def written(self) -> list[str]:
        """The last command's writes in their order, each with what it was about, such as `POST student s1001`."""
        runs = {str(test["assessmentRunId"]): key for key, test in self.tests().items()}
        found = []
        for call in self.sent():
            parts = call["path"].split("/")
            about = (
                call["body"].get("username") or call["body"].get("externalTestId") or runs[parts[4]]
            )
            found.append(f"{call['method']} {parts[-1]} {about}")
        return found

    def fail(self, **rule: Any) -> None:
        """Makes Inspera fail as the rule says, from now on."""
        self.sandbox.control(fail=[rule])

    def heal(self) -> None:
        """Ends all failing."""
        self.sandbox.control(fail=[])
