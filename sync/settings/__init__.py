"""The YAML configuration: one strict model, a loader that says every fault with its line, and its JSON Schema."""

from sync.settings.faults import ConfigurationFaults, SettingsFault
from sync.settings.feeds import CandidateFeed, Feed, FeedSettings, LearnerFeed, TestFeed
from sync.settings.fields import FieldSpec, MinutesSpec, RuleWords, TimeSpec
from sync.settings.limits import Found, Limit, Limits, OnAbsence
from sync.settings.load import Loaded, load
from sync.settings.model import Inspera, Settings
from sync.settings.references import SecretRef
from sync.settings.schema import json_schema, schema_text

__all__ = [
    "CandidateFeed",
    "ConfigurationFaults",
    "Feed",
    "FeedSettings",
    "FieldSpec",
    "Found",
    "Inspera",
    "LearnerFeed",
    "Limit",
    "Limits",
    "Loaded",
    "MinutesSpec",
    "OnAbsence",
    "RuleWords",
    "SecretRef",
    "Settings",
    "SettingsFault",
    "TestFeed",
    "TimeSpec",
    "json_schema",
    "load",
    "schema_text",
]
