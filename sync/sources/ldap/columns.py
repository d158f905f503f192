"""The columns of an LDAP source: which attributes they are, and how their values become text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Literal, Self

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sync.config_base.base import ColumnName, Strict, text_or_settings, validation_error
from sync.errors import Unusable
from sync.sources.ldap.values import first_value, guid_text, is_past, normal_dn, sid_text, time_text

Many = Literal["one", "first", "all", "join"]
ReadAs = Literal["text", "dn", "rdn", "time", "expired", "guid", "sid"]

DN = "dn"
"""The column of every row: the entry's distinguished name, in the form for comparisons."""

READ_AS: Mapping[str, ReadAs] = {
    **dict.fromkeys(
        ("member", "uniquemember", "memberof", "ismemberof", "manager", "secretary", "owner"), "dn"
    ),
    **dict.fromkeys(
        ("roleoccupant", "seealso", "managedby", "managedobjects", "directreports"), "dn"
    ),
    **dict.fromkeys(("distinguishedname", "entrydn", "creatorsname", "modifiersname"), "dn"),
    **dict.fromkeys(
        ("accountexpires", "pwdlastset", "lastlogon", "lastlogontimestamp", "lastlogoff"), "time"
    ),
    **dict.fromkeys(
        ("lockouttime", "badpasswordtime", "msds-userpasswordexpirytimecomputed"), "time"
    ),
    **dict.fromkeys(("whencreated", "whenchanged", "createtimestamp", "modifytimestamp"), "time"),
    **dict.fromkeys(("objectguid", "ms-ds-consistencyguid", "msexchmailboxguid"), "guid"),
    **dict.fromkeys(("objectsid", "sidhistory"), "sid"),
}
"""The defaults of `read_as` for well-known attributes, by their names in lower case."""

FLAGS: Mapping[str, int] = {
    "SCRIPT": 0x1,
    "ACCOUNTDISABLE": 0x2,
    "HOMEDIR_REQUIRED": 0x8,
    "LOCKOUT": 0x10,
    "PASSWD_NOTREQD": 0x20,
    "PASSWD_CANT_CHANGE": 0x40,
    "ENCRYPTED_TEXT_PWD_ALLOWED": 0x80,
    "TEMP_DUPLICATE_ACCOUNT": 0x100,
    "NORMAL_ACCOUNT": 0x200,
    "INTERDOMAIN_TRUST_ACCOUNT": 0x800,
    "WORKSTATION_TRUST_ACCOUNT": 0x1000,
    "SERVER_TRUST_ACCOUNT": 0x2000,
    "DONT_EXPIRE_PASSWORD": 0x10000,
    "MNS_LOGON_ACCOUNT": 0x20000,
    "SMARTCARD_REQUIRED": 0x40000,
    "TRUSTED_FOR_DELEGATION": 0x80000,
    "NOT_DELEGATED": 0x100000,
    "USE_DES_KEY_ONLY": 0x200000,
    "DONT_REQ_PREAUTH": 0x400000,
    "PASSWORD_EXPIRED": 0x800000,
    "TRUSTED_TO_AUTH_FOR_DELEGATION": 0x1000000,
    "PARTIAL_SECRETS_ACCOUNT": 0x4000000,
}
"""The bits of `userAccountControl` that Active Directory documents."""


class LdapColumnSettings(Strict):
    """One column of an LDAP source: its attribute, and how the values become text."""

    attribute: ColumnName | None = None
    """The attribute. Default: the name of the column."""
    many: Many = "one"
    """What to do with several values.

    `one` refuses them. `first` takes the smallest, because values in LDAP have no order. `join`
    makes one text of them, sorted. `all` makes one row for each value, and no row for an entry
    without any.
    """
    separator: str | None = Field(default=None, min_length=1)
    """The text between joined values. Default: `;`."""
    read_as: ReadAs | None = None
    """How to read a value.

    `text`: as it is. `dn`: a distinguished name, in the form of the column `dn`. `rdn`: the first
    value of such a name. `time`: ISO 8601 in UTC, blank for never. `expired`: `true` if that time
    has come, else `false`. `guid` and `sid`: identifiers of Active Directory. Default: by the
    attribute, such as `member`, `whenChanged` and `objectGUID`, otherwise `text`.
    """
    flag: ColumnName | None = None
    """A bit of `userAccountControl`, such as `ACCOUNTDISABLE`: the column tells if it is set."""

    @field_validator("flag")
    @classmethod
    def _documented(cls, flag: str | None) -> str | None:
        if flag is not None and flag not in FLAGS:
            near = get_close_matches(flag.upper(), FLAGS, n=1)
            remedy = (
                f"did you mean '{near[0]}'?"
                if near
                else "write a name that Microsoft documents, such as ACCOUNTDISABLE"
            )
            raise validation_error("is not a bit of userAccountControl", remedy)
        return flag

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.flag and self.read_as:
            raise validation_error(
                "has both 'flag' and 'read_as'", "remove one: a flag is always 'true' or 'false'"
            )
        if self.separator and self.many != "join":
            raise validation_error(
                "has a 'separator' without 'many: join'", "set 'many: join', or remove it"
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return text_or_settings(schema, handler)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that converts an entry's values.

    Attributes:
        name: the column's name.
        attribute: the attribute's name.
        many: what to do with several values.
        separator: the text between joined values.
        blank: the cell of an entry without a value.
        convert: makes one value a text.
    """

    name: str
    attribute: str
    many: Many
    separator: str
    blank: str
    convert: Callable[[bytes], str]

    def text(self, values: Sequence[bytes]) -> str:
        """Return the one cell for an entry's values.

        Raises:
            Unusable: a value can't be read, or there are several and `many` is `one`.
        """
        if not values:
            return self.blank
        if len(values) == 1:
            return self._convert_value(values[0])
        if self.many == "one":
            remedy = "set 'many' of this column to first, join or all"
            raise Unusable(f"attribute '{self.attribute}' has {len(values)} values", remedy)
        texts = self.texts(values)
        return texts[0] if self.many == "first" else self.separator.join(texts)

    def texts(self, values: Sequence[bytes]) -> list[str]:
        """Return a cell for each of an entry's values, in the same order in every read."""
        return sorted(map(self._convert_value, values))

    def _convert_value(self, value: bytes) -> str:
        try:
            return self.convert(value)
        except UnicodeDecodeError:
            reason, remedy = (
                "contains bytes that are not UTF-8 text",
                "remove the column, or set 'read_as' to guid or sid",
            )
        except ValueError as error:
            reason, remedy = (
                f"has a value that {error}",
                "correct the entry, or the column's 'read_as' or 'flag'",
            )
        raise Unusable(f"attribute '{self.attribute}' {reason}", remedy)


def make_column(name: str, spec: LdapColumnSettings, now: datetime) -> Column:
    """Return the column for its settings. `now` decides whether an account has expired."""
    attribute = spec.attribute or name
    read_as = spec.read_as or READ_AS.get(attribute.lower(), "text")
    convert = _flag_of(FLAGS[spec.flag]) if spec.flag else _CONVERT.get(read_as) or _expired_at(now)
    # An account without an end has not expired.
    blank = "false" if read_as == "expired" and not spec.flag else ""
    return Column(name, attribute, spec.many, spec.separator or ";", blank, convert)


def _of_text(convert: Callable[[str], str]) -> Callable[[bytes], str]:
    return lambda value: convert(value.decode())


_CONVERT: Mapping[str, Callable[[bytes], str]] = {
    "text": bytes.decode,
    "dn": _of_text(normal_dn),
    "rdn": _of_text(first_value),
    "time": _of_text(time_text),
    "guid": guid_text,
    "sid": sid_text,
}


def _expired_at(now: datetime) -> Callable[[bytes], str]:
    return lambda value: _yes(is_past(value.decode(), now))


def _flag_of(bit: int) -> Callable[[bytes], str]:
    def is_set(value: bytes) -> str:
        try:
            return _yes(bool(int(value) & bit))
        except ValueError:
            raise ValueError("is not a whole number") from None

    return is_set


def _yes(is_so: bool) -> str:
    return "true" if is_so else "false"
