"""The YAML configuration: one strict model, a loader that says every fault with its line, and its JSON Schema."""

from sync.references import SecretRef
from sync.settings.faults import ConfigurationFaults, SettingsFault
from sync.settings.feeds import (
    CandidateFeed,
    CommitteeFeed,
    ContributorFeed,
    Feed,
    FeedSettings,
    LearnerFeed,
    OptionFeed,
    StaffFeed,
    TestFeed,
)
from sync.settings.fields import FieldSpec, ListSpec, MinutesSpec, RuleWords, TimeSpec
from sync.settings.jobs import Job, Service
from sync.settings.limits import Found, Limit, Limits, OnAbsence, Reconcile
from sync.settings.load import Loaded, load
from sync.settings.model import Inspera, Settings
from sync.settings.schema import json_schema, schema_text
from sync.settings.vendor import CallSettings, OptionSettings

__all__ = [
    "CallSettings",
    "CandidateFeed",
    "CommitteeFeed",
    "ConfigurationFaults",
    "ContributorFeed",
    "Feed",
    "FeedSettings",
    "FieldSpec",
    "Found",
    "Inspera",
    "Job",
    "LearnerFeed",
    "Limit",
    "Limits",
    "ListSpec",
    "Loaded",
    "MinutesSpec",
    "OnAbsence",
    "OptionFeed",
    "OptionSettings",
    "Reconcile",
    "RuleWords",
    "SecretRef",
    "Service",
    "Settings",
    "SettingsFault",
    "StaffFeed",
    "TestFeed",
    "TimeSpec",
    "json_schema",
    "load",
    "schema_text",
]
