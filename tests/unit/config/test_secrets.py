from pathlib import Path

import pytest
from sync.config import SecretRef
from sync.errors import UsageError

from .configurations import SOUND, changed
from .conftest import Errors, Load

SECRET = "Zq9-hemmelig-Å"


def secret(load_text: Load, written: str) -> tuple[SecretRef, Path]:
    loaded = load_text(changed("${INSPERA_KEY}", written))
    return loaded.settings.inspera.api_key, loaded.folder


def test_a_secret_is_not_read_when_the_file_is_loaded(
    load_text: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INSPERA_KEY", raising=False)
    loaded = load_text(SOUND)
    with pytest.raises(
        UsageError,
        match=r"^\$\{INSPERA_KEY\} names an environment variable that is not set; set it",
    ):
        loaded.settings.inspera.api_key.reveal(loaded.folder)
    monkeypatch.setenv("INSPERA_KEY", SECRET)
    assert loaded.settings.inspera.api_key.reveal(loaded.folder) == SECRET


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_in_a_file_next_to_the_configuration_loses_one_line_ending(
    load_text: Load, ending: str
) -> None:
    key, folder = secret(load_text, "${file:key}")
    (folder / "key").write_bytes((SECRET + ending).encode())
    assert key.reveal(folder) == SECRET


def test_a_secret_may_be_a_credential_that_systemd_passes(
    load_text: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, folder = secret(load_text, "${cred:api-key}")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(
        UsageError,
        match=r"^\$\{cred:api-key\} needs a credential from systemd, .*LoadCredential=api-key:PATH",
    ):
        key.reveal(folder)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "api-key").write_text(SECRET, encoding="utf-8")
    assert key.reveal(folder) == SECRET


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "names a file that does not exist; create it, or correct the path"),
        (b"", "is empty; put the value into it"),
        (b"\n", "is empty; put the value into it"),
        (b"Zq9\xff", "gives something that is not UTF-8 text; save it as UTF-8"),
        (
            b"Zq9" * 30000,
            "gives more than 64 KiB; let it contain the value and nothing else",
        ),
        (
            b"Zq9\nZq9",
            "contains a line break, an invisible character or white space around the value",
        ),
        (b" Zq9", "contains a line break, an invisible character or white space around the value"),
    ],
)
def test_a_secret_that_can_not_be_used_is_named_by_its_reference_only(
    load_text: Load, content: bytes | None, reason: str
) -> None:
    key, folder = secret(load_text, "${file:key}")
    if content is not None:
        (folder / "key").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        key.reveal(folder)
    assert str(caught.value).startswith("${file:key} " + reason)
    assert "Zq9" not in str(caught.value)
    assert caught.value.__context__ is None or "Zq9" not in repr(caught.value.__context__)


def test_a_folder_or_a_pipe_is_no_file_with_a_secret(load_text: Load) -> None:
    key, folder = secret(load_text, "${file:key}")
    (folder / "key").mkdir()
    with pytest.raises(UsageError, match="does not name an ordinary file"):
        key.reveal(folder)


def test_a_secret_in_plain_text_works_with_a_warning_that_does_not_show_it(load_text: Load) -> None:
    loaded = load_text(changed("${INSPERA_KEY}", SECRET))
    assert loaded.settings.inspera.api_key.reveal(loaded.folder) == SECRET
    (warning,) = loaded.warnings
    assert (warning.line, warning.column, warning.path) == (4, 12, "inspera.api_key")
    assert "is a secret in plain text; move it to a file" in str(warning)
    assert (
        "Zq9" not in f"{warning!r} {loaded!r} {loaded.settings} {loaded.settings.model_dump_json()}"
    )


def test_a_secret_in_a_file_that_others_may_read_is_warned_about(load_text: Load) -> None:
    folder = load_text(SOUND).folder
    (folder / "key").write_text(SECRET, encoding="utf-8")
    (folder / "key").chmod(0o640)
    (warning,) = load_text(changed("${INSPERA_KEY}", "${file:key}")).warnings
    assert warning.reason == "${file:key} can be read by users other than its owner"
    (folder / "key").chmod(0o400)
    assert load_text(changed("${INSPERA_KEY}", "${file:key}")).warnings == ()


def test_a_reference_is_shown_as_written_and_a_secret_never(load_text: Load) -> None:
    key, _ = secret(load_text, "${file:key}")
    assert (str(key), repr(key)) == ("${file:key}", "SecretRef(${file:key})")
    mixed, _ = secret(load_text, SECRET + "${INSPERA_KEY}")
    assert (str(mixed), repr(mixed)) == ("****", "SecretRef(****)")


@pytest.mark.parametrize(
    "written",
    ["Zq9${", "Zq9${}", "Zq9${a b}", "Zq9${vault:x}", "Zq9${cred:../x}", "Zq9${file:${X}}"],
)
def test_a_secret_with_a_broken_reference_is_a_error_that_does_not_show_it(
    errors_of: Errors, written: str
) -> None:
    (error,) = errors_of(changed("${INSPERA_KEY}", f"'{written}'"))
    assert error.startswith("4:12: inspera.api_key: has a '${")
    assert "Zq9" not in error


def test_a_secret_that_is_no_single_text_is_refused(errors_of: Errors) -> None:
    remedy = "write ${file:PATH}, ${cred:NAME}, ${cmd:COMMAND} or ${NAME} on this line"
    error = f"inspera.api_key: should be a secret; {remedy}"
    assert errors_of(changed("${INSPERA_KEY}", "[a]")) == [f"4:12: {error}"]
    assert errors_of(changed("${INSPERA_KEY}", "")) == [
        "4:11: inspera.api_key: is empty; give it a value, or remove the line"
    ]


def test_other_settings_are_read_through_references_at_once(
    load_text: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANT", "bokmal")
    loaded = load_text(changed("https://example.inspera.com", "https://${TENANT}.inspera.com"))
    assert loaded.settings.inspera.url == "https://bokmal.inspera.com"


def test_a_doubled_dollar_stands_for_the_characters_themselves(load_text: Load) -> None:
    loaded = load_text(changed("client_id: example", "client_id: a$${b}$c"))
    assert loaded.settings.inspera.client_id == "a${b}$c"


def test_a_missing_reference_in_another_setting_is_one_error_with_its_line(
    errors_of: Errors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    assert errors_of(changed("https://example.inspera.com", "https://${NO_SUCH}/")) == [
        "2:8: inspera.url: ${NO_SUCH} names an environment variable that is not set; "
        "set it where this program is started"
    ]
    assert errors_of(changed("learner: no}", 'learner: no, room: "${file:x}"}')) == [
        "24:55: feeds[3].map.room: ${file:x} names a file that does not exist; create it, or correct the path"
    ]
