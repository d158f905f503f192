"""`init`: a first configuration from options and answers, which never replaces a file."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import typer

from sync.app import Say
from sync.commands.init.answers import (
    Check,
    a_file,
    a_file_or_none,
    a_key_file,
    a_tenant,
    a_zone,
    an_encoding,
    checked,
    filled,
    one_of,
    zone_here,
)
from sync.commands.init.detect import ColumnSample, guess, keys_of_people
from sync.commands.init.inspect import (
    csv_source,
    is_utf8,
    ldap_source,
    login,
    sql_source,
    stands_at,
)
from sync.commands.init.render import Answers, configuration, needs
from sync.config import load
from sync.errors import UsageError
from sync.exit_codes import Exit
from sync.records.base import Kind

Ask = Callable[[str, str, Check], str]
"""Ask a person: the question, the default ('' for none), and the check."""


def ask_on_terminal(question: str, default: str, check: Check) -> str:
    """Ask until the answer passes the check. A default of one space stands for nothing."""

    def checked_answer(text: str) -> str:
        try:
            return check(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    answer: str = typer.prompt(
        question, default or None, value_proc=checked_answer, show_default=bool(default.strip())
    )
    return answer


HOLDS: Mapping[str, tuple[Kind, str]] = {
    "students": (Kind.LEARNER, "people who sit exams"),
    "staff": (Kind.STAFF, "people who make, run or grade exams"),
    "exams": (Kind.TEST, "exams, with their times"),
    "registrations": (Kind.CANDIDATE, "who sits which exam"),
    "graders": (Kind.CONTRIBUTOR, "who grades or runs which exam"),
}
"""What a file can hold, in the words that people are asked in, with what each means."""

NOTHING = "other"
_CHOICES = "\n".join(
    f"  {word:<14}{about}"
    for word, about in [
        *((w, about) for w, (_, about) in HOLDS.items()),
        (NOTHING, "none of these"),
    ]
)
a_holding = one_of(*HOLDS, NOTHING)

KEY_FILE = "/etc/inspera-sync/api-key"


@dataclass(frozen=True, slots=True)
class StartOptions:
    """The options of the init command; a missing one is asked for on a terminal."""

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


def init(options: StartOptions, say: Say, ask: Ask | None) -> Exit:
    """Write the configuration, and say what is left to do. Without `ask` all must be given.

    Raises:
        UsageError: the file is there already, or something is missing or can't be used.
        SourceError: a source can't be read.
    """
    output = Path(os.path.abspath(options.output))  # noqa: PTH100 - resolve() would follow links
    if os.path.lexists(output):
        raise UsageError(
            f"{options.output}: is there already, and is never written over; give another --output"
        )
    if not output.parent.is_dir():
        raise UsageError(f"{options.output}: its folder is not there; make it first")
    questions = _Questions(options, ask, output.parent)
    sources = questions.sources()
    answers = questions.answers(sources)
    questions.refuse_missing()
    text = configuration(sources, answers)
    _write(output, text)
    load(output)
    _say_result(options.output, sources, text.count("TODO"), say)
    return Exit.OK


def _say_result(output: Path, sources: list[ColumnSample], todo: int, say: Say) -> None:
    """Yield what was written, and what comes next."""
    say(f"Written: {output}")
    for one in sources:
        kind = guess(one).kind
        say(
            f"  {one.name}: "
            + (f"rows of the kind {kind}" if kind else "what its rows are is unknown")
        )
    say("Read all of it" + (", see to each TODO in it," if todo else "") + " and then run:")
    for command in ("check", *(f"sample {one.name}" for one in sources)):
        say(f"  inspera-sync --config {output} {command}")


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path}: is there already, and is never written over") from None
    except OSError as error:
        raise UsageError(
            f"{path}: can't be written ({error.strerror}); give another --output"
        ) from None


@dataclass(slots=True)
class _Questions:
    """Takes each answer from the options, or from a person, or notes that it is missing."""

    options: StartOptions
    ask: Ask | None
    folder: Path
    missing: list[str] = field(default_factory=list)

    def sources(self) -> list[ColumnSample]:
        """Return the sources, inspected."""
        given = self.options
        if (given.sql is None) != (not given.tables):
            raise UsageError("init: --sql and --table go together")
        if (given.ldap is None) != (given.base is None):
            raise UsageError("init: --ldap and --base go together")
        if given.sql and given.ldap:
            raise UsageError("init: give --sql or --ldap, and add the other source by hand")
        if given.csv or given.sql or given.ldap:
            return self._with_answers(keys_of_people(self._looked(given)))
        if self.ask is None:
            self.missing.append(
                "--csv FILE, or --sql URL --table NAME, or --ldap URL --base DN (where rows come "
                "from)"
            )
            return []
        return self._with_answers(keys_of_people(self._looked(self._asked_source(self.ask))))

    def _with_answers(self, looked: list[ColumnSample]) -> list[ColumnSample]:
        """Return the sources with what a person says that they hold, where one can be asked."""
        if self.ask is None:
            return looked
        return [self._asked_kind(one, self.ask) for one in looked]

    def _asked_kind(self, one: ColumnSample, ask: Ask) -> ColumnSample:
        likely = next(
            (word for word, (kind, _) in HOLDS.items() if kind is guess(one).kind), NOTHING
        )
        answer = ask(
            f"What is in {one.hint or one.name}?\n{_CHOICES}\nOne of these words", likely, a_holding
        )
        return replace(
            one, holds=HOLDS[answer][0] if answer in HOLDS else None, no_feed=answer == NOTHING
        )

    def _asked_source(self, ask: Ask) -> StartOptions:
        kind = ask(
            "Where do people and exams come from: csv (files), sql (a database) or ldap (a "
            "directory)?",
            "csv",
            one_of("csv", "sql", "ldap"),
        )
        if kind == "csv":
            files = [Path(ask("CSV file", "", a_file))]
            while more := ask("Another CSV file (return for none)", " ", a_file_or_none):
                files.append(Path(more))
            return replace(self.options, csv=tuple(files))
        url = ask("Its URL, without a password", "", filled)
        if kind == "sql":
            tables = tuple(ask("Tables or views, with spaces between them", "", filled).split())
            given = replace(self.options, sql=url, tables=tables)
        else:
            base = ask(
                "The entry below which to search, such as ou=people,dc=example,dc=edu", "", filled
            )
            given = replace(self.options, ldap=url, base=base)
        user = given.user or ask("Who logs in (return for nobody)", " ", str.strip)
        if not user or given.password_file:
            return replace(given, user=user or None)
        return replace(
            given, user=user, password_file=Path(ask("The file with the password", "", a_file))
        )

    def _looked(self, given: StartOptions) -> list[ColumnSample]:
        looked: list[ColumnSample] = []

        def taken() -> list[str]:
            return [one.name for one in looked]

        for path in given.csv:
            looked.append(
                csv_source(path, self._encoding(path, given.encoding), self.folder, taken())
            )
        password = stands_at(given.password_file, self.folder) if given.password_file else None
        access = login(given.user, password)
        for table in given.tables:
            looked.append(sql_source(given.sql or "", table, access, self.folder, taken()))
        if given.ldap:
            looked.append(ldap_source(given.ldap, given.base or "", access, self.folder, taken()))
        return looked

    def _encoding(self, path: Path, given: str | None) -> str | None:
        if given or is_utf8(path):
            return given
        if self.ask is not None:
            return self.ask(
                f"{path} is not UTF-8. Its encoding, such as cp1252 or iso-8859-1", "", an_encoding
            )
        raise UsageError(f"{path}: is not UTF-8; give its --encoding, such as cp1252 or iso-8859-1")

    def answers(self, sources: list[ColumnSample]) -> Answers:
        """Return everything else; a missing answer is empty, and noted."""
        given, (auth, zone) = self.options, needs(sources)
        url = self._answer("--url URL", "the tenant's address", given.url, "", a_tenant)
        host = (urlsplit(url).hostname or "").partition(".")[0]
        client = given.client_id or ""
        if url:  # of which it is usually a part
            client = self._answer(
                "--client-id ID", "shown next to the API key", given.client_id, host, filled
            )
        key, name, local = self._key(), given.auth_system, given.zone
        if auth:
            name = self._answer(
                "--auth-system NAME", "with which people log in, such as FEIDE", name, "", filled
            )
        if zone:
            local = self._answer(
                "--zone ZONE", "the sources' time zone, such as Europe/Oslo", local, "", a_zone
            )
        return Answers(url, client, key, name or "", local or "")

    def _key(self) -> str:
        """Return the file with the key as the configuration names it; it need not exist yet."""
        given = str(self.options.key_file) if self.options.key_file else None
        if given is None and self.ask is not None:
            given = self.ask(
                "The file with the API key (it need not be there yet)", KEY_FILE, a_key_file
            )
        return checked("--key-file", a_key_file, stands_at(Path(given or KEY_FILE), self.folder))

    def _answer(
        self, option: str, about: str, given: str | None, default: str, check: Check
    ) -> str:
        if given is not None:
            return checked(option.partition(" ")[0], check, given)
        if self.ask is not None:
            offered = default or (zone_here() if check is a_zone else "")
            return self.ask(f"{about[0].upper()}{about[1:]}", offered, check)
        if not default:
            self.missing.append(f"{option} ({about})")
        return default

    def refuse_missing(self) -> None:
        """Name everything that is missing at once.

        Raises:
            UsageError: something is.
        """
        if self.missing:
            raise UsageError(
                f"init: give {'; '.join(self.missing)}; or run it on a terminal, where it asks"
            )
