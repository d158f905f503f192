"""The house stands on floors, and imports run downward only: this reads them and fails on any that does not."""

import ast
from pathlib import Path

import sync

ROOT = Path(sync.__file__).parent

FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"text"}),
    frozenset({"errors", "exit_codes", "log", "progress", "console", "contract"}),
    frozenset({"config_base", "records", "schedule"}),
    frozenset({"sources", "mapping", "planning"}),
    frozenset({"config"}),
    frozenset({"inspera", "state", "report"}),
    frozenset({"engine"}),
    frozenset({"service", "sandbox"}),
    frozenset({"concerns"}),
    frozenset({"page", "notify"}),
    frozenset({"app"}),
    frozenset({"commands"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)
"""Rooms by floor, the ground first. A room may import what stands below it, never a neighbour on its own floor."""

PURE = frozenset({"text", "contract", "records", "mapping", "planning"})
STRANGERS = {
    "requests": {"inspera", "notify"},
    "apprise": {"notify"},
    "sqlmodel": {"state"},
    "sqlalchemy": {"state", "sources", "commands", "page", "concerns"},
    "ldap3": {"sources"},
    "starlette": {"sandbox", "service", "page"},
    "anyio": {"page"},
    "uvicorn": {"sandbox", "service"},
    "apscheduler": {"schedule"},
    "cronsim": {"schedule"},
    "ijson": {"inspera"},
    "jinja2": {"report", "sandbox", "page"},
    "markupsafe": {"report"},
    "prometheus_client": {"service"},
    "stdnum": {"text"},
    "truststore": {"inspera"},
}
"""Libraries that only some rooms may touch. Three of them name the type of a connection that they hand on."""


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imports(path: Path) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = (
                [f"sync.{alias.name}" for alias in node.names]
                if node.module == "sync"
                else [str(node.module)]
            )
            found += [(name, node.lineno) for name in names]
    return found


def files() -> list[tuple[str, Path]]:
    rooms = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts != ("__init__",) and parts[0] != "_demo":
            rooms.append((parts[0], path))
    return rooms


def floor(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def test_every_room_stands_on_a_floor() -> None:
    assert {room for room, _ in files()} == set().union(*FLOORS)


def test_imports_run_downward_only_also_those_under_type_checking() -> None:
    up = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for room, path in files()
        for name, line in imports(path)
        if name.startswith("sync.") and name != "sync.__version__"
        if room_of(name) != room and floor(room_of(name)) >= floor(room)
    ]
    assert not up


def test_no_room_has_a_circle_of_its_own_files() -> None:
    graph: dict[str, set[str]] = {}
    for _, path in files():
        module = ".".join(("sync", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        graph[module] = {name for name, _ in imports(path) if name.startswith("sync.")}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " → ".join((*trail, module))
        if module in done or module not in graph:
            return
        for other in graph[module]:
            visit(other, (*trail, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def test_strangers_stay_at_the_door() -> None:
    inside = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for room, path in files()
        for name, line in imports(path)
        if room not in STRANGERS.get(name.split(".", maxsplit=1)[0], {room})
    ]
    assert not inside


def test_the_engine_sees_protocols_and_the_sandbox_shares_nothing_with_the_client() -> None:
    forbidden = {
        "engine": {"inspera", "sources", "config", "report"},
        "sandbox": set(ROOM_NAMES),
    }
    crossing = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for room, path in files()
        for name, line in imports(path)
        if name.startswith("sync.")
        and room_of(name) != room
        and room_of(name) in forbidden.get(room, set())
    ]
    assert not crossing


ROOM_NAMES = frozenset().union(*FLOORS)


def test_pure_rooms_touch_no_file_clock_network_database_source_or_setting() -> None:
    outside = {
        "os",
        "time",
        "pathlib",
        "socket",
        "requests",
        "sqlite3",
        "sqlalchemy",
        "sqlmodel",
        "threading",
        "random",
    }
    touching = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for room, path in files()
        if room in PURE
        for name, line in imports(path)
        if name.split(".", maxsplit=1)[0] in outside
        or name.startswith(("sync.sources", "sync.config"))
    ]
    assert not touching


def test_pure_rooms_ask_no_clock() -> None:
    asking = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for room, path in files()
        if room in PURE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"}
    ]
    assert not asking


def test_planning_sees_records_alone() -> None:
    others = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for room, path in files()
        if room == "planning"
        for name, line in imports(path)
        if name.startswith("sync.") and room_of(name) not in {"planning", "records"}
    ]
    assert not others
