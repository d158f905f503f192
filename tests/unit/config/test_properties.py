import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sync.config import Configuration, ConfigurationErrors, json_schema, load
from sync.contract import CALLS
from sync.records.base import Kind

from ...support.examples import examples
from .configurations import changed, with_contributors, with_inspera, with_option

SECRET = "Zq9hemmelig"

NAMES = sorted(
    {
        name
        for one in [json_schema(), *json_schema()["$defs"].values()]
        for name in one.get("properties", ())
    }
    | {
        "column",
        "template",
        "constant",
        "default",
        "lookup",
        "lower",
        "upper",
        "pattern",
        "format",
        "zone",
        "minutes",
    }
    | {"separator", "LOCKDOWN_BROWSER", "candidate.assign"}
)
WHOLE = with_contributors("roles: {column: r, separator: ','}, notify: n").replace(
    "client_id: example",
    "client_id: example\n  calls: {test.read: {path: '/v1/t/{test}'}}\n  options: {CLOCK: {group: general, type: pin}}",
)
"""A sound configuration with nearly everything in it."""
SECTIONS = ["inspera", "sources", "feeds", "limits", "existing", "state", "verify", "reconcile"]
PIECES = [
    "/",
    "v1",
    "{test}",
    "{user}",
    "{job}",
    "{x}",
    "{",
    "}",
    "..",
    "%2e%2E",
    ":",
    "?a=",
    "#",
    "\0",
    "Å",
    " ",
    "@",
]
WORDS = st.one_of(
    st.sampled_from(
        [
            "csv",
            "keep",
            "GET",
            "/v1/{test}",
            *Kind,
            "https://a.example.edu",
            "{a}",
            "{",
            "${",
            "${X}",
            "%z",
            "5",
        ]
    ),
    st.text(max_size=20),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | WORDS, inner, max_size=6)
    ),
    max_leaves=25,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configurations") / "a.yaml"


def outcome(file: Path, text: str) -> Configuration | ConfigurationErrors:
    """What becomes of a text; anything but these two fails the test."""
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        return load(file)
    except ConfigurationErrors as errors:
        return errors


def well_told(answer: Configuration | ConfigurationErrors) -> bool:
    """Whether a refusal has errors, each of one line with all its parts."""
    if isinstance(answer, Configuration):
        return True
    return bool(answer.errors) and all(
        len(str(error).splitlines()) == 1 and error.reason and error.remedy
        for error in answer.errors
    )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.dictionaries(st.sampled_from(SECTIONS), VALUES))
def test_any_mapping_is_loaded_or_refused_with_errors(file: Path, data: dict[str, Any]) -> None:
    assert well_told(outcome(file, json.dumps(data)))


@settings(deadline=None)
@given(
    text=st.text(
        alphabet=st.sampled_from("ab:-{}[]*&!<>|'\"#%@`,?~ \n\t$\\0\x85Å") | st.characters(),
        max_size=60,
    )
)
def test_any_text_is_loaded_or_refused_with_errors(file: Path, text: str) -> None:
    assert well_told(outcome(file, text))


@given(data=st.data())
@settings(max_examples=examples(100), deadline=None)
def test_a_sound_file_with_a_piece_replaced_is_loaded_or_refused_with_errors(
    file: Path, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(WHOLE)))
    end = data.draw(st.integers(start, min(len(WHOLE), start + 40)))
    piece = data.draw(st.text(alphabet="ab:-{}[]*&!|'\"#, \n\t$5", max_size=12))
    assert well_told(outcome(file, WHOLE[:start] + piece + WHOLE[end:]))


@settings(deadline=None)
@given(
    before=st.sampled_from(
        [
            "",
            "'",
            '"',
            "*",
            "&",
            "!",
            "|",
            ">",
            "%",
            "@",
            "`",
            "{",
            "[",
            "- ",
            "? ",
            "${",
            "$${",
            "\t",
            "a: ",
        ]
    ),
    after=st.sampled_from(["", "'", '"', "}", ":", "\\", "\n  client_id: x", "\n\t", "\n x", " #"]),
    elsewhere=st.sampled_from(
        ["client_id: example", "clientid: example", "client_id: [", "workers: x"]
    ),
)
def test_no_error_and_no_repr_ever_shows_the_secret(
    file: Path, before: str, after: str, elsewhere: str
) -> None:
    assume((before, after) != ("${", "}"))  # a sound reference, by a name that may be shown
    text = changed("${INSPERA_KEY}", f"{before}{SECRET}{after}").replace(
        "client_id: example", elsewhere, 1
    )
    assert SECRET not in shown(outcome(file, text))


def shown(answer: Configuration | ConfigurationErrors) -> str:
    """Everything that could be printed of it."""
    if isinstance(answer, Configuration):
        return f"{answer!r} {answer} {answer.settings!s} {[str(warning) for warning in answer.warnings]}"
    chain = (answer.__cause__, None if answer.__suppress_context__ else answer.__context__)
    return f"{answer!r} {answer} {answer.errors!r} {chain!r}"


@settings(deadline=None)
@given(
    option=st.sampled_from(
        ["SEB_SETTINGS_PINCODE", "LOCKDOWN_QUIT_CODE", "LOCKDOWN_BROWSER", "UNKNOWN", "${X}"]
    ),
    rule=st.sampled_from(
        [
            "{{constant: {}}}",
            "{{column: a, default: {}}}",
            "{{column: a, lookup: {{x: {}}}}}",
            "{{constant: {}, lower: true}}",
            "{{constant: [{}]}}",
        ]
    ),
    value=st.sampled_from(
        [SECRET, SECRET[:5], f"'{SECRET} æ'", f'"{SECRET}\\t1"', f"'${{{SECRET}'", f"'{{{SECRET}'"]
    ),
    elsewhere=st.sampled_from(["source: seats", "source: nowhere"]),
)
def test_no_error_and_no_repr_ever_shows_a_pin(
    file: Path, option: str, rule: str, value: str, elsewhere: str
) -> None:
    text = with_option(f"{{constant: '{option}'}}", rule.format(value)).replace(
        "source: seats", elsewhere
    )
    assert SECRET[:5] not in shown(outcome(file, text))


@settings(deadline=None)
@given(name=st.sampled_from(sorted(CALLS)), pieces=st.lists(st.sampled_from(PIECES), max_size=6))
def test_a_call_s_path_is_refused_or_can_be_filled_and_stays_below_the_tenant(
    file: Path, name: str, pieces: list[str]
) -> None:
    path = json.dumps("".join(["/", *pieces]))
    answer = outcome(file, with_inspera("calls:", f"  {name}: {{path: {path}}}"))
    assert well_told(answer)
    if isinstance(answer, Configuration):
        call = answer.settings.inspera.calls_in_force()[name]
        filled = call.path.format(**dict.fromkeys(CALLS[name].places, "X"))
        assert call.places == CALLS[name].places
        assert urlsplit(f"https://a.example/api{filled}").hostname == "a.example"
        assert ".." not in unquote(filled)
        assert filled.isascii()


@settings(deadline=None)
@given(
    setting=st.sampled_from(
        ["url: https://example.inspera.com", "client_id: example", "kind: test", "title: name"]
    )
)
def test_a_value_in_the_wrong_place_is_not_repeated_by_its_error(file: Path, setting: str) -> None:
    name = setting.partition(":")[0]
    answer = outcome(
        file, changed(setting, f"{name}: {SECRET}: x" if name == "title" else f"{name}: [{SECRET}]")
    )
    assert SECRET not in str(answer) or isinstance(answer, Configuration)


def test_the_configuration_whose_pieces_are_replaced_is_sound(file: Path) -> None:
    assert isinstance(outcome(file, WHOLE), Configuration)
