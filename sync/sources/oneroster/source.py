"""OneRoster 1.1 and 1.2 bundles of CSV files (1EdTech), as student information systems export them."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, model_validator

from sync.config_base.base import InvalidSetting, Named, empty_is_default, filled, told
from sync.records.extract import Extract
from sync.sources.base import SourceSettings
from sync.sources.completeness import FileCompleteness
from sync.sources.files.delivery import Beside, Delivery, FilePath, NewestBy
from sync.sources.files.open import age_doubt, open_failure, open_file, place_in
from sync.sources.oneroster.bundle import Archive, Bundle, Folder
from sync.sources.oneroster.manifest import read_manifest
from sync.sources.oneroster.plan import DEFAULT_ROLES, DELETED, STATUS, RowsOf, TestsBy, plan_of
from sync.sources.oneroster.rows import RowMeaning, Rows


class BundleCompleteness(FileCompleteness):
    """Proofs that a bundle is whole. One that fails makes it unhealthy: nothing is removed on its word."""

    references: bool = True
    """Whatever a row names by its `sourcedId` is in the bundle, unless that file is a delta."""


class OneRosterSettings(SourceSettings):
    """A bundle of CSV files as OneRoster 1.1 and 1.2 define it, with its manifest: one kind of rows of it.

    Name the same bundle in several sources to take several kinds of rows from it.
    """

    departures: ClassVar[Mapping[str, tuple[str, ...]]] = {STATUS: (DELETED,)}
    may_be_delta: ClassVar[bool] = True

    type: Literal["oneroster"] = "oneroster"
    """The kind of source."""
    path: FilePath
    """The folder with the files, or the zip archive. A relative path starts at the folder of the configuration file.
    Its last part may be a pattern, such as `drop/oneroster-*.zip`: then the newest complete archive counts."""
    rows_of: RowsOf
    """Which rows this source gives: `learners`, `staff`, `tests`, `candidates` (learners enrolled in tests) or
    `contributors` (staff enrolled in tests)."""
    roles: Annotated[tuple[Named, ...], AfterValidator(filled)] | None = None
    """The roles of those who are meant. Default: `student` for learners and candidates, `teacher` for staff and
    contributors."""
    tests_by: TestsBy = "class"
    """What a test is made of: each `class`, or each `course`."""
    select_by: NewestBy = "time"
    """What makes an archive the newest of those that match: the `time` when it was written, or its `name`."""
    done_marker: Beside | None = None
    """The name of the marker that is written once the archive is complete, such as `{file}.done` or `READY`; of a
    folder, once each of its files is. What is newer than its marker is not used."""
    sha256: Beside | None = None
    """The name of the file with the checksum of the archive, or of each file in a folder, as `sha256sum` writes it."""
    completeness: Annotated[BundleCompleteness, BeforeValidator(empty_is_default)] = (
        BundleCompleteness()
    )
    """What has to hold before this source's word is taken for what it does not name."""

    @model_validator(mode="after")
    def _fits_together(self) -> "OneRosterSettings":
        if self.rows_of == "tests" and self.roles is not None:
            raise told([InvalidSetting("roles", "does nothing for tests", "take it out")])
        return self

    def place(self, folder: Path) -> str:
        """How the bundle (or the pattern) is named to people: from `folder` on when it is in there, otherwise whole."""
        return place_in(folder, self.path)

    @contextmanager
    def open(self, folder: Path) -> Iterator[Extract]:
        """The bundle, for one reading; a row has the line of the file that it is of, such as `enrollments.csv`.

        Raises:
            SourceError: the bundle is not complete, is of another version, or lacks a file or a column that these rows
                need. Of its rows: a file is not sound to its very end, contradicts itself, or was changed while it was
                read.
        """
        with ExitStack() as stack:
            bundle = self._bundle(folder, stack)
            manifest = read_manifest(bundle)
            plan = plan_of(self.rows_of, self.tests_by, manifest.minor)
            manifest.require({plan.base, *plan.needed}, self.rows_of)
            files = sorted(file for file in plan.files if manifest.has(file))
            tables = {file: bundle.table(f"{file}.csv") for file in files}
            rows = Rows(plan, tables, manifest, self._meant())
            rows.doubts += self._age_doubts(bundle)
            place = tables[plan.base].place
            yield Extract(place, rows.columns, rows.rows(), manifest.partial(files), rows.doubts)

    def _bundle(self, folder: Path, stack: ExitStack) -> Bundle:
        drop = Delivery(self.select_by, self.done_marker, self.sha256)
        path = drop.chosen(folder / self.path, self.place(folder))
        place = place_in(folder, path)
        if _is_folder(path, place):
            return Folder(path, place, stack, drop.require_proofs)
        opened = stack.enter_context(open_file(path, place))
        drop.require_proofs(opened)
        return Archive(opened, stack)

    def _meant(self) -> RowMeaning:
        roles = () if self.rows_of == "tests" else self.roles or (DEFAULT_ROLES[self.rows_of],)
        lower = frozenset(role.lower() for role in roles)
        return RowMeaning(lower, self.tests_by == "course", self.completeness.references)

    def _age_doubts(self, bundle: Bundle) -> list[str]:
        """Of a folder, the oldest file that was opened counts."""
        name, oldest = min(bundle.opened, key=lambda one: one[1].written_ns)
        doubt = age_doubt(oldest.written_ns, self.completeness.max_age, time.time())
        return [f"{name} {doubt}".strip()] if doubt else []


def _is_folder(path: Path, place: str) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise open_failure(place, error) from None
