"""`init`: a first configuration from options and answers, which never replaces a file."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from sync.app import Say
from sync.commands.init.detect import SourceSample, guess, with_keys_of_people
from sync.commands.init.inspect import (
    credentials,
    inspect_csv,
    inspect_directory,
    inspect_table,
    is_utf8,
    path_for,
    with_distinct_names,
)
from sync.commands.init.prompts import (
    Ask,
    Check,
    check_option,
    existing_file,
    key_file_path,
    one_line,
    one_of,
    optional,
    text_encoding,
)
from sync.commands.init.render import Answers, configuration, needs
from sync.config import load
from sync.config.addresses import check_tenant
from sync.config.patterns import check_zone
from sync.errors import UsageError
from sync.exit_codes import Exit
from sync.records.base import Kind

CONTENTS: Mapping[str, tuple[Kind | None, str]] = {
    "students": (Kind.LEARNER, "people who sit exams"),
    "staff": (Kind.STAFF, "people who make, run or grade exams"),
    "exams": (Kind.TEST, "exams, with their times"),
    "registrations": (Kind.CANDIDATE, "who sits which exam"),
    "graders": (Kind.CONTRIBUTOR, "who grades or runs which exam"),
    "other": (None, "none of these"),
}
"""What a source can contain, in the words of the question, with what each means."""

KEY_FILE = "/etc/inspera-sync/api-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOptions:
    """The options of the command; a missing one is asked for on a terminal."""

    output: Path
    csv: tuple[Path, ...] = ()
    encoding: str | None = None
    sql: str | None = None
    tables: tuple[str, ...] = ()
    ldap: str | None = None
    base: str | None = None
    user: str | None = None
    password_file: Path | None = None
    url: str | None = None
    client_id: str | None = None
    key_file: Path | None = None
    auth_system: str | None = None
    zone: str | None = None


def init(options: InitOptions, say: Say, ask: Ask | None) -> Exit:
    """Write the configuration, and say what is left to do. Without `ask` all must be given.

    Raises:
        UsageError: the file exists already, or something is missing or can't be used.
        SourceError: a source can't be read.
    """
    output = Path(os.path.abspath(options.output))  # noqa: PTH100 - resolve() would follow links
    if os.path.lexists(output):
        raise UsageError(
            f"{options.output}: exists already, and is never overwritten; give another --output"
        )
    if not output.parent.is_dir():
        raise UsageError(f"{options.output}: its folder does not exist; create it first")
    interview = _Interview(options, ask, output.parent)
    sources = interview.sources()
    answers = interview.answers(sources)
    interview.refuse_if_missing()
    text = configuration(sources, answers)
    _write(output, text)
    load(output)
    _say_what_is_next(options.output, sources, "TODO" in text, say)
    return Exit.OK


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:  # x: never over another file
            file.write(text)
    except OSError as error:
        raise UsageError(
            f"{path}: can't be written ({error.strerror}); give another --output"
        ) from None


def _say_what_is_next(output: Path, sources: Sequence[SourceSample], todo: bool, say: Say) -> None:
    say(f"Written: {output}")
    for sample in sources:
        kind = guess(sample).kind
        say(f"  {sample.name}: {f'rows of the kind {kind}' if kind else 'rows of unknown kind'}")
    say(f"Read all of it{', decide each TODO in it,' if todo else ''} and then run:")
    for command in ("check", *(f"sample {sample.name}" for sample in sources)):
        say(f"  inspera-sync --config {output} {command}")


@dataclass(slots=True)
class _Interview:
    """The answers: each comes from an option or from a person, or is noted as missing."""

    options: InitOptions
    ask: Ask | None
    folder: Path
    missing: list[str] = field(default_factory=list)

    def sources(self) -> list[SourceSample]:
        """Return the sources, inspected, with the kinds of their rows if a person can be asked."""
        options = self.options
        if (options.sql is None) != (not options.tables):
            raise UsageError("init: --sql and --table go together")
        if (options.ldap is None) != (options.base is None):
            raise UsageError("init: --ldap and --base go together")
        if options.sql and options.ldap:
            raise UsageError("init: give --sql or --ldap, and add the other source by hand")
        if not (options.csv or options.sql or options.ldap):
            if self.ask is None:
                self.missing.append(
                    "--csv FILE, or --sql URL --table NAME, or --ldap URL --base DN (where rows "
                    "come from)"
                )
                return []
            options = _ask_for_source(options, self.ask)
        samples = with_keys_of_people(with_distinct_names(list(self._inspect(options))))
        ask = self.ask
        return [_ask_for_kind(sample, ask) for sample in samples] if ask else samples

    def _inspect(self, options: InitOptions) -> Iterator[SourceSample]:
        for path in options.csv:
            yield inspect_csv(path, options.encoding or self._encoding(path), self.folder)
        login = credentials(options.user, options.password_file, self.folder)
        for table in options.tables:
            yield inspect_table(options.sql or "", table, login, self.folder)
        if options.ldap:
            yield inspect_directory(options.ldap, options.base or "", login, self.folder)

    def _encoding(self, path: Path) -> str | None:
        """Return the encoding of a file without one in the options; None for UTF-8."""
        if is_utf8(path):
            return None
        such_as = "such as cp1252 or iso-8859-1"
        if self.ask is None:
            raise UsageError(f"{path}: is not UTF-8; give its --encoding, {such_as}")
        return self.ask(f"{path} is not UTF-8. Its encoding, {such_as}", None, text_encoding)

    def answers(self, sources: Sequence[SourceSample]) -> Answers:
        """Return everything else; a missing answer is empty, and noted."""
        options, (needs_auth_system, needs_zone) = self.options, needs(sources)
        url = self._answer("--url URL", "the tenant's address", options.url, check_tenant)
        client_id = options.client_id
        if url:  # usually the client id is the first part of the host's name
            host = (urlsplit(url).hostname or "").partition(".")[0]
            client_id = self._answer(
                "--client-id ID", "shown next to the API key", client_id, one_line, host
            )
        key_file = self._key_file()
        auth_system, zone = options.auth_system, options.zone
        if needs_auth_system:
            about = "with which people log in, such as FEIDE"
            auth_system = self._answer("--auth-system NAME", about, auth_system, one_line)
        if needs_zone:
            about = "the sources' time zone, such as Europe/Oslo"
            zone = self._answer("--zone ZONE", about, zone, check_zone)
        return Answers(url or "", client_id or "", key_file, auth_system, zone)

    def _key_file(self) -> str:
        """Return the path of the file with the API key for the configuration."""
        path = self.options.key_file
        if path is None:
            question = "The file with the API key (it need not exist yet)"
            path = Path(self.ask(question, KEY_FILE, key_file_path) if self.ask else KEY_FILE)
        return check_option("--key-file", path_for(path, self.folder), key_file_path)

    def _answer(
        self, option: str, about: str, given: str | None, check: Check, default: str | None = None
    ) -> str | None:
        """Return the option's value, else a person's answer, else the default."""
        if given is not None:
            return check_option(option.partition(" ")[0], given, check)
        if self.ask is not None:
            return self.ask(f"{about[0].upper()}{about[1:]}", default, check)
        if default is None:
            self.missing.append(f"{option} ({about})")
        return default

    def refuse_if_missing(self) -> None:
        """Name everything that is missing at once.

        Raises:
            UsageError: something is missing.
        """
        if self.missing:
            raise UsageError(
                f"init: give {'; '.join(self.missing)}; or run it on a terminal, where it asks"
            )


def _ask_for_source(options: InitOptions, ask: Ask) -> InitOptions:
    """Return the options with the source that a person names."""
    question = (
        "Where do people and exams come from: csv (files), sql (a database) or ldap (a directory)?"
    )
    kind = ask(question, "csv", one_of("csv", "sql", "ldap"))
    if kind == "csv":
        files = [Path(ask("CSV file", None, existing_file))]
        while more := ask("Another CSV file (return for none)", "", optional(existing_file)):
            files.append(Path(more))
        return replace(options, csv=tuple(files))
    url = ask("Its URL, without a password", None, one_line)
    if kind == "sql":
        tables = ask("Tables or views, with spaces between them", None, one_line)
        options = replace(options, sql=url, tables=tuple(tables.split()))
    else:
        example = "ou=people,dc=example,dc=edu"
        base = ask(f"The entry below which to search, such as {example}", None, one_line)
        options = replace(options, ldap=url, base=base)
    user = options.user or ask("Who logs in (return for nobody)", "", optional(one_line))
    if not user or options.password_file:
        return replace(options, user=user or None)
    password_file = Path(ask("The file with the password", None, existing_file))
    return replace(options, user=user, password_file=password_file)


def _ask_for_kind(sample: SourceSample, ask: Ask) -> SourceSample:
    """Return the source with the kind of its rows, or that they are of none."""
    kind = guess(sample).kind
    likely = next(word for word, (one, _) in CONTENTS.items() if one is kind)
    choices = "\n".join(f"  {word:<14}{about}" for word, (_, about) in CONTENTS.items())
    question = f"What is in {sample.hint or sample.name}?\n{choices}\nOne of these words"
    answer = CONTENTS[ask(question, likely, one_of(*CONTENTS))][0]
    return replace(sample, answer=answer, no_feed=answer is None)
