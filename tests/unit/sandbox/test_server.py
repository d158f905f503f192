import ast
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import sync.sandbox
from sync.sandbox import Sandbox, serve

from .api_client import ASE, CANDIDATES, EMPTY, EXAM, ApiClient, batch, learner

SERVE = """
import sys
from pathlib import Path
from sync.sandbox import serve

def ready(url):
    print(url, flush=True)

sys.exit(serve(0, Path(sys.argv[1]) if sys.argv[1:] else None, ready=ready))
"""

Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts sandboxes as processes of their own, and leaves none behind."""
    started: list[subprocess.Popen[str]] = []

    def begin(*folder: Path) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-c", SERVE, *map(str, folder)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_served_sandbox_answers_until_it_is_reported_to_stop_and_ends_well(
    start: Start, number: int
) -> None:
    process, url = start()
    assert ApiClient(url).get("/v1/test/search").status_code == 200
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "")


@pytest.mark.process
def test_everything_that_was_answered_outlives_a_kill(start: Start, tmp_path: Path) -> None:
    process, url = start(tmp_path)
    client = ApiClient(url)
    client.post("/v1/users/student", ASE)
    client.post("/v1/test?isExternal=true", EXAM | {"sourceTemplateId": 1001})
    client.post(CANDIDATES, batch("ase@example.edu", extraTimeMins=30))
    before = client.page("GET", "contents").json(), client.page("GET", "requests").json()
    assert [one["templates_sent"] for one in before[0]["tests"]] == [1]
    process.kill()
    process.communicate()

    again = ApiClient(start(tmp_path)[1])
    assert (again.page("GET", "contents").json(), again.page("GET", "requests").json()) == before
    assert again.post("/v1/test?isExternal=true", EXAM).json()["status"] == "updated"
    assert [one["seq"] for one in again.page("GET", "requests").json()["requests"]] == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]


@pytest.mark.process
def test_a_kill_amid_many_writes_loses_none_that_was_answered(start: Start, tmp_path: Path) -> None:
    process, url = start(tmp_path)
    answered: list[str] = []
    enough = threading.Event()

    def post(first: int) -> None:
        client = ApiClient(url)
        try:
            for number in range(first, first + 10_000):
                said = client.post("/v1/users/student", learner(number))
                answered.append(said.json()["username"])
                if len(answered) > 100:
                    enough.set()
        except (requests.RequestException, ValueError):
            client.close()

    threads = [
        threading.Thread(target=post, args=(first,)) for first in (0, 10_000, 20_000, 30_000)
    ]
    for thread in threads:
        thread.start()
    assert enough.wait(30)
    process.kill()
    for thread in threads:
        thread.join()

    after = ApiClient(start(tmp_path)[1])
    kept = {student["username"] for student in after.page("GET", "contents").json()["students"]}
    noted = after.page("GET", "requests").json()["requests"]
    assert set(answered) <= kept
    assert kept == {one["body"]["username"] for one in noted if one["committed"]}


@pytest.mark.process
def test_a_token_outlives_a_kill_too(start: Start, tmp_path: Path) -> None:
    process, url = start(tmp_path)
    token = ApiClient(url).ask_token().json()["access_token"]
    process.kill()
    process.communicate()
    _, url = start(tmp_path)
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{url}/api/v1/test/search", headers=headers, timeout=10).status_code == 200


def test_without_a_folder_nothing_is_kept_and_with_one_all_is(tmp_path: Path) -> None:
    for folder, kept in ((None, 0), (tmp_path / "deep" / "data", 1)):
        with Sandbox(data=folder) as sandbox:
            sandbox.edit(student=ASE)
        with Sandbox(data=folder) as sandbox:
            assert len(sandbox.contents()["students"]) == kept


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with Sandbox(data=folder) as sandbox:
        sandbox.edit(student=ASE)
        files = list(folder.iterdir())
        assert {file.name for file in files} >= {"inspera.db", "requests.jsonl"}
        assert {file.stat().st_mode & 0o077 for file in (folder, *files)} == {0}


def test_a_port_in_use_is_named_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            OSError,
            match=rf"^port {port} on 127.0.0.1 cannot be used \(address already in use\); choose",
        ):
            serve(port)


def test_a_port_that_cannot_be_is_named() -> None:
    with pytest.raises(OSError, match=r"^port 70000 on 127\.0\.0\.1 cannot be used"):
        serve(70000)


def test_a_folder_that_another_sandbox_uses_is_refused(tmp_path: Path) -> None:
    with (
        Sandbox(data=tmp_path),
        pytest.raises(OSError, match="is another sandbox using this folder"),
    ):
        serve(0, tmp_path)


def test_a_damaged_database_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "inspera.db").write_bytes(b"something else" * 1000)
    with pytest.raises(OSError, match=r"inspera\.db: is not a sandbox's database"):
        serve(0, tmp_path)


def test_a_folder_of_an_older_sandbox_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "inspera.db") as db:
        db.execute("CREATE TABLE students (user_id INTEGER)")
        db.execute("PRAGMA user_version = 1")
    db.close()
    with pytest.raises(
        OSError,
        match=r"was created by another version of the sandbox; choose another folder or delete",
    ):
        serve(0, tmp_path)


def test_a_folder_that_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file: cannot be used as the sandbox's folder"):
        serve(0, tmp_path / "file")


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        serve(0, api_key="")


def test_it_listens_on_loopbacks_own_address_only(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=10)


@pytest.mark.parametrize("host", ["inspera.example.edu", "127.0.0.1.example.edu", "192.0.2.1"])
def test_a_call_by_any_other_name_than_loopbacks_is_refused(stranger: ApiClient, host: str) -> None:
    assert stranger.page("GET", "contents", headers={"Host": host}).status_code == 400
    assert stranger.call("GET", "/v1/test/search", headers={"Host": host}).status_code == 400
    assert stranger.page("GET", "contents", headers={"Host": "localhost"}).status_code == 200


def test_two_sandboxes_share_nothing() -> None:
    with Sandbox() as first, Sandbox() as second:
        first.edit(student=ASE)
        assert first.url != second.url
        assert second.contents() == EMPTY


def test_it_shares_no_code_with_our_side_of_the_wire() -> None:
    folder = Path(sync.sandbox.__file__).parent
    modules = set()
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                modules.add(str(node.module))
    ours = {module for module in modules if module.split(".")[0] == "sync"}
    assert ours
    assert all(module.startswith("sync.sandbox.") for module in ours)


@pytest.mark.process
def test_importing_it_loads_no_web_server() -> None:
    code = (
        "import sys, sync.sandbox; "
        "print(sorted({'starlette', 'uvicorn', 'asyncio'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
