"""The settings of OneRoster bundles, and how a bundle is opened.

OneRoster 1.1 and 1.2 (1EdTech) are bundles of CSV files that student information systems export.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, model_validator

from sync.config_base.base import (
    ColumnName,
    InvalidSetting,
    empty_is_default,
    require_entries,
    validation_errors,
)
from sync.records.extract import Extract
from sync.sources.base import SourceSettings
from sync.sources.completeness import FileCompleteness
from sync.sources.files.delivery import CompanionName, Delivery, FilePath, SelectBy
from sync.sources.files.open import age_doubt, open_error, open_file, place_in
from sync.sources.files.watch import DeliveryWatch
from sync.sources.oneroster.bundle import Bundle, FolderBundle, ZipBundle
from sync.sources.oneroster.manifest import read_manifest
from sync.sources.oneroster.plan import DEFAULT_ROLES, DELETED, STATUS, RowsOf, TestsBy, plan_of
from sync.sources.oneroster.reader import BundleReader, Selection


class BundleCompleteness(FileCompleteness):
    """Proofs that a bundle is complete.

    If one fails, the source is unhealthy and removes nothing.
    """

    references: bool = True
    """Every `sourcedId` that a row names is in the bundle, except in a file that is a delta."""


class OneRosterSettings(SourceSettings):
    """One kind of rows of a OneRoster 1.1 or 1.2 bundle of CSV files, with its manifest.

    For several kinds of rows, name the same bundle in several sources.
    """

    departures: ClassVar[Mapping[str, tuple[str, ...]]] = {STATUS: (DELETED,)}
    may_be_delta: ClassVar[bool] = True

    type: Literal["oneroster"] = "oneroster"
    """The kind of source."""
    path: FilePath
    """The folder with the files, or the zip archive.

    A relative path starts at the folder of the configuration file. Its last part may be a pattern,
    such as `drop/oneroster-*.zip`: then the newest complete archive is read.
    """
    rows_of: RowsOf
    """Which rows to read: `learners`, `staff`, `tests`, `candidates` or `contributors`.

    Candidates are the learners, and contributors the staff, who are enrolled in tests.
    """
    roles: Annotated[tuple[ColumnName, ...], AfterValidator(require_entries)] | None = None
    """The roles of the people to read.

    Default: `student` for learners and candidates, `teacher` for staff and contributors.
    """
    tests_by: TestsBy = "class"
    """What becomes a test: each `class`, or each `course`."""
    select_by: SelectBy = "time"
    """How the newest of several archives is selected: by the `time` of writing, or by `name`."""
    done_marker: CompanionName | None = None
    """The name of the marker that the export writes last, such as `{file}.done` or `READY`.

    In a folder, each file needs its marker. A file that is newer than its marker is not used.
    """
    sha256: CompanionName | None = None
    """The name of the file with the checksum by `sha256sum`, such as `{file}.sha256`.

    In a folder, each file needs its own.
    """
    moved_into_place: bool = False
    """Whether each delivery is written elsewhere and then moved here as a whole, as by `mv`.

    A job can `watch` a source only with this, with `done_marker` or with `sha256`: otherwise nobody
    can tell when a delivery is complete.
    """
    completeness: Annotated[BundleCompleteness, BeforeValidator(empty_is_default)] = (
        BundleCompleteness()
    )
    """What must hold before the absence of a record in this source means anything."""

    @model_validator(mode="after")
    def _fits_together(self) -> "OneRosterSettings":
        if self.rows_of == "tests" and self.roles is not None:
            raise validation_errors(
                [InvalidSetting("roles", "has no effect for tests", "remove it")]
            )
        return self

    def watcher(self, folder: Path) -> DeliveryWatch | None:
        """Return what notices a new complete delivery; None if nothing tells when it is complete."""
        if not (self.moved_into_place or self.done_marker or self.sha256):
            return None
        delivery = Delivery(self.select_by, self.done_marker, self.sha256)
        return DeliveryWatch(folder / self.path, delivery, self.place(folder))

    def place(self, folder: Path) -> str:
        """Return the path of the bundle (or the pattern) for people."""
        return place_in(folder, self.path)

    @contextmanager
    def open(self, folder: Path) -> Iterator[Extract]:
        """Open the bundle for one read. A row has its line in the base file, such as `users.csv`.

        Raises:
            SourceError: the bundle is not complete, is of another version, or lacks a file or a
                column that these rows need. Of its rows: a file is not valid to its very end, has
                two rows with one id that differ, or was changed while it was read.
        """
        with ExitStack() as stack:
            bundle = self._bundle(folder, stack)
            manifest = read_manifest(bundle)
            plan = plan_of(self.rows_of, self.tests_by, manifest.minor)
            manifest.require({plan.base, *plan.needed}, self.rows_of)
            files = sorted(file for file in plan.files if manifest.has(file))
            tables = {file: bundle.table(f"{file}.csv") for file in files}
            reader = BundleReader(plan, tables, manifest, self._selection())
            reader.doubts += self._age_doubts(bundle)
            place = tables[plan.base].place
            partial = manifest.partial_reason(files)
            yield Extract(place, reader.columns, reader.rows(), partial, reader.doubts)

    def _bundle(self, folder: Path, stack: ExitStack) -> Bundle:
        delivery = Delivery(self.select_by, self.done_marker, self.sha256)
        path = delivery.choose(folder / self.path, self.place(folder))
        place = place_in(folder, path)
        try:
            is_folder = path.is_dir()
        except OSError as error:
            raise open_error(place, error) from None
        if is_folder:
            return FolderBundle(path, place, stack, delivery.require_proofs)
        opened = stack.enter_context(open_file(path, place))
        delivery.require_proofs(opened)
        return ZipBundle(opened, stack)

    def _selection(self) -> Selection:
        roles = () if self.rows_of == "tests" else self.roles or (DEFAULT_ROLES[self.rows_of],)
        lower = frozenset(role.lower() for role in roles)
        return Selection(lower, self.tests_by == "course", self.completeness.references)

    def _age_doubts(self, bundle: Bundle) -> list[str]:
        """Return the doubt about the age of the bundle, by its oldest open file."""
        name, oldest = min(bundle.opened, key=lambda named: named[1].written_ns)
        doubt = age_doubt(oldest.written_ns, self.completeness.max_age, time.time())
        return [f"{name} {doubt}".strip()] if doubt else []
