"""Every built-in source is held to the contract of sources."""

from importlib import import_module
from pathlib import Path

from sync.sources import BUILT_IN

from .contract import SourceContract


def test_every_built_in_source_has_a_subclass_of_the_contract_suite() -> None:
    for path in Path(__file__).parent.rglob("test_*.py"):
        folders = path.relative_to(Path(__file__).parent).with_suffix("").parts
        import_module(f"{__package__}.{'.'.join(folders)}")
    suites = SourceContract.__subclasses__()
    suites += [below for suite in suites for below in suite.__subclasses__()]
    tested = {type(suite().absent()) for suite in suites if not suite.__abstractmethods__}
    assert tested >= set(BUILT_IN.values())
