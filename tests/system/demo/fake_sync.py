"""A stand-in for `python -m sync` in the tests of the demo: `python fake_sync.py WORDS...`.

It sends nothing: `apply` puts what the demo's own judge expects where the fake sandbox answers
from, or something a little wrong when the variable FAKE_FLAW asks for it. So the tests show that
the story notices.
"""

import argparse
import json
import os
import runpy
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

MATERIALS = Path(__file__).resolve().parents[3] / "config" / "demo"
FLAW = os.environ.get("FAKE_FLAW", "")

sys.path.insert(0, str(MATERIALS))  # the judge is in two files


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("-c", type=Path, default=Path())
    parser.add_argument("command")
    given, options = parser.parse_known_args()
    if given.command == "sandbox":
        return sandbox(Path(options[options.index("--data") + 1]))
    return Fake(given.c.parent).run(given.command, options)


def sandbox(data: Path) -> int:
    if FLAW == "the sandbox does not start":
        print("sandbox: the port is in use; name another", file=sys.stderr)
        return 2
    data.mkdir()
    (data / "pid").write_text(str(os.getpid()))

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/_sandbox/").partition("?")[0]
            file = data / f"{name}.json"
            found = (
                json.loads(file.read_text())
                if file.is_file()
                else {"students": [], "staff": [], "tests": []}
            )
            if name == "requests":
                after = int(self.path.partition("after=")[2])
                calls = [call for call in found.get("calls", ()) if call["seq"] > after]
                found = {"requests": calls[:2], "more": len(calls) > 2}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the parent's word
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Site)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"sandbox is listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
    return 0


class Fake:
    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "sandbox"
        self.second = (folder / "day2.json").is_file()
        self.planted = json.loads((folder / "day2.json").read_text()) if self.second else {}

    def run(self, command: str, options: list[str]) -> int:
        assert os.environ["INSPERA_DEMO_URL"].startswith("http://127.0.0.1:")
        assert os.environ["INSPERA_DEMO_KEY"]
        if f"{command} fails" == FLAW:
            return 4
        if f"{command} hangs" == FLAW:
            (self.folder / "hangs").write_text(str(os.getpid()))
            signal.pause()
        if command == "reconcile":
            return 3 if FLAW == "reconcile finds drift" else 0
        if command == "apply":
            self.apply()
        elif command == "plan" and self.second:
            self.plan(as_json="--json" in options)
        else:
            print("\n".join(f"line {number} of {command}" for number in range(30)))
        return 1 if self.second and FLAW != "apply hides the row errors" else 0

    def apply(self) -> None:
        first = not (self.data / "contents.json").exists()
        if first or self.second:
            judge = runpy.run_path(str(MATERIALS / "check_contents.py"))
            before = self.folder / "day1" if self.second and FLAW != "nothing is kept" else None
            contents = contents_of(judge["expected_contents"](self.folder, before))
            if FLAW == "a seat is lost":
                contents["tests"][7]["candidates"].pop()
            if FLAW == "a role is lost":
                contents["tests"][7]["contributors"][0]["roles"].pop()
            (self.data / "contents.json").write_text(json.dumps(contents))
            (self.folder / "applied").write_text("2" if self.second else "1")
        if first or FLAW == "the second apply fetches a token":
            self.call("POST", "/api/authenticate/token/")
        if first:
            self.call("POST", "/api/v1/users/student")
            self.call("POST", "/api/v1/test")

    def call(self, method: str, path: str) -> None:
        file = self.data / "requests.json"
        calls = json.loads(file.read_text())["calls"] if file.is_file() else []
        calls.append({"seq": len(calls) + 1, "method": method, "path": path})
        file.write_text(json.dumps({"calls": calls}))

    def plan(self, as_json: bool) -> None:
        asked = runpy.run_path(str(MATERIALS / "check_plan.py"))["EXPECTED_CHANGES"]
        done = (
            self.folder / "applied"
        ).read_text() == "2" and FLAW != "there is always something left"
        changes = (
            []
            if done
            else [change for what, words in asked.items() for change in self.changes(what, *words)]
        )
        row_errors = [
            {"where": f"{bad['file']} line {bad['line']}", "field": bad["field"]}
            for bad in self.planted["bad_rows"]
        ]
        if FLAW == "the plan forgets a late seat":
            changes = [
                change for change in changes if change["key"] != self.planted["late"][3]["key"]
            ]
        if as_json:
            print(
                json.dumps(
                    {"version": 1, "changes": changes, "row_errors": row_errors, "summary": {}}
                )
            )
            return
        for change in changes:
            print(
                f"{change['action']} {change['kind']} {' / '.join(change['key'])} "
                f"({change['where']})"
            )
        for row_error in row_errors:
            print(f"{row_error['where']}: {row_error['field']}: cannot be read; correct it")

    def changes(self, what: str, action: str, kind: str) -> list[dict[str, Any]]:
        return [
            {
                "action": action,
                "kind": kind,
                "key": entry["key"],
                "verdict": "pass",
                "reason": "",
                "where": "" if entry.get("day") == 1 else f"{entry['file']} line {entry['line']}",
                "changed": entry.get("changed", {}),
            }
            for entry in self.planted[what]
        ]


def contents_of(expected: Any) -> dict[str, Any]:
    """Return the sandbox's contents from what the judge expects."""
    tests = {
        key: {
            "externalTestId": key,
            "title": test["title"],
            "startTime": test["start"],
            "endTime": test["end"],
            "duration": test["duration"],
            "sourceTemplateId": test["template"],
            "templates_sent": 1,
            "options": {"securityOptions": {}, "generalOptions": {}},
            "committees": [],
            "contributors": [],
            "candidates": [],
        }
        for (key,), test in expected.tests.items()
    }
    for (key, name), option in expected.options.items():
        value = {"sha256": option["digest"]} if "digest" in option else json.loads(option["value"])
        tests[key]["options"]["securityOptions"][name] = value
    for (key, name), committee in expected.committees.items():
        tests[key]["committees"].append({"name": name, "type": committee["type"]})
    for (key, username), work in expected.contributors.items():
        lists = {"roles": work["roles"], "committees": work["committees"] or []}
        tests[key]["contributors"].append(
            {"username": username, **lists, "roomName": work["room"], "notified": 0}
        )
    for (key, username), seat in expected.candidates.items():
        said = {
            "candidateId": seat["number"],
            "extraTimeMins": seat["extra minutes"] or 0,
            "roomName": seat["room"],
        }
        tests[key]["candidates"].append(
            {"username": username, **said, "committees": seat["committees"] or []}
        )
    students = [person_of(username, one) for (username,), one in expected.learners.items()]
    staff = [
        person_of(username, one) | {"status": one["status"]}
        for (username,), one in expected.staff.items()
    ]
    return {"students": students, "staff": staff, "tests": list(tests.values())}


def person_of(username: str, one: Any) -> dict[str, Any]:
    ids = [{"authType": system, "externalId": given} for system, given in one["external ids"]]
    names = {"firstName": one["first name"], "lastName": one["last name"], "email": one["email"]}
    return {"username": username, **names, "externalIds": ids}


if __name__ == "__main__":
    sys.exit(main())
