"""The YAML configuration: one strict model, a loader that says every fault with its line, and its JSON Schema."""

from sync.config.errors import ConfigurationFaults, SettingsFault
from sync.config.feeds import (
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
from sync.config.fields import FieldSpec, ListSpec, MinutesSpec, RuleWords, TimeSpec
from sync.config.jobs import Job, Service
from sync.config.limits import Found, Limit, Limits, OnAbsence, Reconcile
from sync.config.load import Loaded, load
from sync.config.model import Inspera, Settings
from sync.config.schema import json_schema, schema_text
from sync.config.vendor import CallSettings, OptionSettings
from sync.config_base.secrets import SecretRef

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
