import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sync.settings import ConfigurationFaults, Loaded, json_schema, load

from .configurations import SOUND, changed

SECRET = "Zq9hemmelig"

NAMES = sorted(
    {name for one in [json_schema(), *json_schema()["$defs"].values()] for name in one.get("properties", ())}
    | {"column", "template", "constant", "default", "lookup", "lower", "upper", "pattern", "format", "zone", "minutes"}
)
WORDS = st.one_of(
    st.sampled_from(
        ["csv", "learner", "test", "candidate", "keep", "https://a.example.edu", "{a}", "{", "${", "${X}", "%z", "5"]
    ),
    st.text(max_size=20),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | WORDS, inner, max_size=6),
    max_leaves=25,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configurations") / "a.yaml"


def outcome(file: Path, text: str) -> Loaded | ConfigurationFaults:
    """What becomes of a text; anything but these two fails the test."""
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        return load(file)
    except ConfigurationFaults as faults:
        return faults


def well_told(answer: Loaded | ConfigurationFaults) -> bool:
    """Whether a refusal has faults, each of one line with all its parts."""
    if isinstance(answer, Loaded):
        return True
    return bool(answer.faults) and all(
        len(str(fault).splitlines()) == 1 and fault.reason and fault.remedy for fault in answer.faults
    )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.dictionaries(st.sampled_from(["inspera", "sources", "feeds", "limits", "found", "state"]), VALUES))
def test_any_mapping_is_loaded_or_refused_with_faults(file: Path, data: dict[str, Any]) -> None:
    assert well_told(outcome(file, json.dumps(data)))


@settings(deadline=None)
@given(text=st.text(alphabet=st.sampled_from("ab:-{}[]*&!<>|'\"#%@`,?~ \n\t$\\0\x85Å") | st.characters(), max_size=60))
def test_any_text_is_loaded_or_refused_with_faults(file: Path, text: str) -> None:
    assert well_told(outcome(file, text))


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_sound_file_with_a_piece_replaced_is_loaded_or_refused_with_faults(file: Path, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(SOUND)))
    end = data.draw(st.integers(start, min(len(SOUND), start + 40)))
    piece = data.draw(st.text(alphabet="ab:-{}[]*&!|'\"#, \n\t$5", max_size=12))
    assert well_told(outcome(file, SOUND[:start] + piece + SOUND[end:]))


@settings(deadline=None)
@given(
    before=st.sampled_from(
        ["", "'", '"', "*", "&", "!", "|", ">", "%", "@", "`", "{", "[", "- ", "? ", "${", "$${", "\t", "a: "]
    ),
    after=st.sampled_from(["", "'", '"', "}", ":", "\\", "\n  client_id: x", "\n\t", "\n x", " #"]),
    elsewhere=st.sampled_from(["client_id: example", "clientid: example", "client_id: [", "workers: x"]),
)
def test_no_fault_and_no_repr_ever_shows_the_secret(file: Path, before: str, after: str, elsewhere: str) -> None:
    assume((before, after) != ("${", "}"))  # a sound reference, by a name that may be shown
    text = changed("${INSPERA_KEY}", f"{before}{SECRET}{after}").replace("client_id: example", elsewhere, 1)
    answer = outcome(file, text)
    shown = f"{answer!r} {answer}"
    if isinstance(answer, Loaded):
        shown += f"{answer.settings!s} {[str(warning) for warning in answer.warnings]}"
    else:
        chain = (answer.__cause__, None if answer.__suppress_context__ else answer.__context__)
        shown += f"{answer.faults!r} {chain!r}"
    assert SECRET not in shown


@settings(deadline=None)
@given(setting=st.sampled_from(["url: https://example.inspera.com", "client_id: example", "kind: test", "title: name"]))
def test_a_value_in_the_wrong_place_is_not_repeated_by_its_fault(file: Path, setting: str) -> None:
    name = setting.partition(":")[0]
    answer = outcome(file, changed(setting, f"{name}: {SECRET}: x" if name == "title" else f"{name}: [{SECRET}]"))
    assert SECRET not in str(answer) or isinstance(answer, Loaded)
