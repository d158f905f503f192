"""The YAML configuration: one strict model, a loader that reports all errors, and a JSON Schema."""

from sync.config.errors import ConfigurationError, ConfigurationErrors
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
from sync.config.fields import (
    FieldSettings,
    ListSettings,
    MinutesSettings,
    RuleArguments,
    TimeSettings,
)
from sync.config.jobs import JobSettings, ServiceSettings
from sync.config.limits import (
    ExistingSettings,
    LimitSettings,
    LimitsSettings,
    OnAbsence,
    ReconcileSettings,
)
from sync.config.load import Configuration, load
from sync.config.model import InsperaSettings, Settings
from sync.config.reference import reference_text
from sync.config.schema import json_schema, schema_text
from sync.config.vendor import CallSettings, OptionSettings
from sync.config_base.secrets import SecretRef

__all__ = [
    "CallSettings",
    "CandidateFeed",
    "CommitteeFeed",
    "Configuration",
    "ConfigurationError",
    "ConfigurationErrors",
    "ContributorFeed",
    "ExistingSettings",
    "Feed",
    "FeedSettings",
    "FieldSettings",
    "InsperaSettings",
    "JobSettings",
    "LearnerFeed",
    "LimitSettings",
    "LimitsSettings",
    "ListSettings",
    "MinutesSettings",
    "OnAbsence",
    "OptionFeed",
    "OptionSettings",
    "ReconcileSettings",
    "RuleArguments",
    "SecretRef",
    "ServiceSettings",
    "Settings",
    "StaffFeed",
    "TestFeed",
    "TimeSettings",
    "json_schema",
    "load",
    "reference_text",
    "schema_text",
]
