"""Options: settings of tests, such as the lock-down browser."""

from typing import Annotated, NamedTuple

from sync.contract import OPTIONS
from sync.records import common
from sync.records.base import Kind
from sync.records.fields import FieldSpec, RecordType


class Option(NamedTuple):
    """One setting of a test (vendor contract, Test API: settings).

    `value` is text, `true` or `false` for a switch. A pin or a quit code is in `secret` instead;
    the state keeps a digest of it in the place of the value.
    """

    test: Annotated[str, common.TEST]
    option: Annotated[
        str,
        FieldSpec(
            description="The option's name in Inspera, such as `LOCKDOWN_BROWSER`, or one declared"
            " under `inspera.options`.",
            type="choice",
            text="word",
            choices=tuple(OPTIONS),
            # Not quoted either: where two columns are mixed up, a pin is here.
            personal=True,
            required=True,
        ),
    ]
    value: Annotated[
        str | None,
        FieldSpec(
            description="What the option is set to. A switch takes true or false (also yes, no, 1,"
            " 0, on, off, ja, nei, nej); a pin is a secret, of\n6 or more"
            " printable ASCII characters with letters and digits among them. A blank leaves Inspera's value alone.",
            personal=True,
            required=True,
        ),
    ] = None
    secret: Annotated[str | None, FieldSpec(mapped=False, once=True, secret=True)] = None

    def __repr__(self) -> str:
        return f"Option({self.test!r}, {self.option!r})"

    @property
    def kind(self) -> Kind:
        """Return the record's kind."""
        return Kind.OPTION


OPTION = RecordType(
    kind=Kind.OPTION,
    make=Option,
    noun="an option",
    key=("test", "option"),
    needs=(Kind.TEST,),
    note="Usually `option` is a constant: one feed for each option.",
)
