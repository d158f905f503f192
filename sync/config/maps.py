"""The settings of a feed's `map`, built for each kind from its record type."""

from typing import TYPE_CHECKING, TypeAlias

from pydantic import Field, create_model

from sync.config.fields import (
    DurationSettings,
    EndSettings,
    FieldSettings,
    ListSettings,
    MinutesSettings,
    TimeSettings,
)
from sync.config_base.base import Strict
from sync.records.base import Kind
from sync.records.fields import FieldSpec, RecordType
from sync.records.kinds import RECORD_TYPES

_BY_TYPE: dict[str, type[FieldSettings]] = {
    "time": TimeSettings,
    "duration": DurationSettings,
    "extra_time": MinutesSettings,
}


class RecordMap(Strict):
    """The `map` of a feed. A field that is not mapped is never sent."""

    __test__ = False  # pytest would collect `TestMap` by its name

    def mapped(self) -> dict[str, FieldSettings]:
        """Return the fields that are mapped, in the record's order."""
        every = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: settings for name, settings in every if settings is not None}


def _settings_of(name: str, spec: FieldSpec) -> type[FieldSettings]:
    if spec.many:
        return ListSettings
    if name == "end":  # the only time that can be computed
        return EndSettings
    return _BY_TYPE.get(spec.type, FieldSettings)


def _map_of(record: RecordType) -> type[RecordMap]:
    fields: dict[str, object] = {}
    for name, spec in record.fields.items():
        if spec.mapped:
            settings = _settings_of(name, spec)
            about = Field(... if spec.required else None, description=spec.description)
            fields[name] = (settings if spec.required else settings | None, about)
    note = record.note or "A field that is not mapped is never sent."
    return create_model(  # type: ignore[call-overload, no-any-return]  # the fields are known at run time only
        f"{record.make.__name__}Map",
        __base__=RecordMap,
        __module__=__name__,
        __doc__=f"Where each field of {record.noun} comes from. {note}",
        **fields,
    )


MAPS = {kind: _map_of(record) for kind, record in RECORD_TYPES.items()}

if TYPE_CHECKING:
    LearnerMap: TypeAlias = RecordMap
    StaffMap: TypeAlias = RecordMap
    TestMap: TypeAlias = RecordMap
    OptionMap: TypeAlias = RecordMap
    CommitteeMap: TypeAlias = RecordMap
    ContributorMap: TypeAlias = RecordMap
    CandidateMap: TypeAlias = RecordMap
else:
    LearnerMap, StaffMap, TestMap = MAPS[Kind.LEARNER], MAPS[Kind.STAFF], MAPS[Kind.TEST]
    OptionMap, CommitteeMap = MAPS[Kind.OPTION], MAPS[Kind.COMMITTEE]
    ContributorMap, CandidateMap = MAPS[Kind.CONTRIBUTOR], MAPS[Kind.CANDIDATE]
