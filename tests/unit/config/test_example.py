import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sync.config import Configuration, json_schema, load
from sync.mapping import FeedRule, FieldRule, compile_feed
from sync.records.base import Kind

EXAMPLE = Path(__file__).parents[3] / "config" / "inspera-sync.yaml"
SWITCHED_OFF = re.compile(r"^(\s*)#(?=[A-Za-z0-9_.]+:)", re.MULTILINE)


def all_switched_on() -> str:
    return SWITCHED_OFF.sub(r"\1", EXAMPLE.read_text(encoding="utf-8"))


@pytest.fixture
def whole(tmp_path: Path) -> Configuration:
    """The example with every setting in it switched on."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("made up", encoding="utf-8")
    path = tmp_path / "inspera-sync.yaml"
    path.write_text(
        all_switched_on().replace("/etc/ssl/certs/ca-certificates.crt", str(bundle)),
        encoding="utf-8",
    )
    return load(path)


def test_the_mapping_can_follow_every_feed_of_the_example(whole: Configuration) -> None:
    for feed in whole.settings.feeds:
        rules = {name: FieldRule(**spec.as_rule()) for name, spec in feed.fields().items()}
        options = whole.settings.inspera.options_in_force()
        compiled = compile_feed(
            FeedRule(feed.kind, rules, {}, feed.clear_blanks, options), feed.source
        )
        assert compiled.kind is feed.kind
        assert compiled.columns


def used(value: Any) -> Iterator[tuple[str, str]]:
    """Every setting of the model that this value sets, with the model's name."""
    for name in getattr(value, "model_fields_set", ()):
        yield type(value).__name__, name
        yield from used(getattr(value, name))
    for inner in (
        value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
    ):
        yield from used(inner)


OF_A_FIELD = {f"{name}Settings" for name in ("Field", "Time", "End", "Minutes", "Duration", "List")}


def offered(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for title, definition in [*schema["$defs"].items(), ("Settings", schema)]:
        mapping = definition.get("anyOf", [definition])[-1]
        for name in mapping.get("properties", ()):
            yield title, name


def test_the_example_can_be_loaded_as_it_stands() -> None:
    assert load(EXAMPLE).warnings == ()


def test_every_setting_of_the_model_stands_in_the_example(whole: Configuration) -> None:
    shown = set(used(whole.settings))
    fields = {name for owner, name in shown if owner in OF_A_FIELD}
    missing = {
        (owner, name)
        for owner, name in offered(json_schema())
        if not (
            (owner, name) in shown
            or (owner in OF_A_FIELD and name in fields)
            or feed_setting(owner, name, shown)
        )
    }
    assert missing == set()


def feed_setting(owner: str, name: str, shown: set[tuple[str, str]]) -> bool:
    """Settings that all feeds share are explained once, and so are the proofs that all sources share."""
    if name == "completeness":
        return True
    alike = (str.endswith, "Feed") if owner.endswith("Feed") else (str.endswith, "Completeness")
    return alike[0](owner, alike[1]) and any(
        alike[0](other, alike[1]) and name == shared for other, shared in shown
    )


def test_a_setting_that_is_switched_off_shows_its_default(whole: Configuration) -> None:
    plain, full = load(EXAMPLE).settings, whole.settings
    without_default = {"api_key_ends", "proxy", "proxy_user", "proxy_password", "ca_bundle"}
    without_default |= {"calls", "options", "statuses"}
    for name in set(type(plain.inspera).model_fields) - without_default:
        assert getattr(full.inspera, name) == getattr(plain.inspera, name), name
    assert (full.limits.kind, full.limits.test) == (plain.limits.kind, plain.limits.test)
    assert (full.limits.updates.at_least, full.limits.updates.percent) == (10, 50)
    assert (full.state, full.on_absence, full.verify) == (
        plain.state,
        plain.on_absence,
        plain.verify,
    )
    assert (full.existing.unread, full.existing.match_email) == (
        plain.existing.unread,
        plain.existing.match_email,
    )
    assert full.reconcile == plain.reconcile
    for name, source in plain.sources.items():
        assert full.sources[name].completeness.shrink == source.completeness.shrink
        own = {
            one: getattr(source, one)
            for one in ("completeness", *WITHOUT_DEFAULT)
            if one in type(source).model_fields
        }
        assert full.sources[name].model_copy(update=own) == source


WITHOUT_DEFAULT = ("done_marker", "sha256", "listen", "columns", "escape", "roles", "ca_file")
"""Settings of sources that are shown switched off although they have no default, or one that is worked out."""


def test_the_example_has_a_feed_of_every_kind() -> None:
    assert {feed.kind for feed in load(EXAMPLE).settings.feeds} == set(Kind)


def test_the_example_explains_every_setting_in_prose() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    prose = sum(line.lstrip().startswith("# ") for line in lines)
    assert prose > len(SWITCHED_OFF.findall(EXAMPLE.read_text(encoding="utf-8"))) * 2
