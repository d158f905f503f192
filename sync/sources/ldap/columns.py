"""Which attributes of a directory's entries become columns, and how their values become text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Literal, Self

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sync.config_base.base import Named, Strict, text_or_settings, told_one
from sync.sources.ldap.values import first_value, guid_text, is_past, normal_dn, sid_text, time_text

Many = Literal["one", "first", "all", "join"]
Reading = Literal["text", "dn", "rdn", "time", "expired", "guid", "sid"]

DN = "dn"
"""The column that every row has: the entry's own name, in the form in which names are compared."""

READ_AS: Mapping[str, Reading] = {
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
"""How well-known attributes are read, by their name in lower case, where nothing is said."""

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
"""The bits of Active Directory's `userAccountControl`, as it documents them."""


class LdapColumnSettings(Strict):
    """One column of a directory: an attribute, what to do when it has several values, and how they are read."""

    attribute: Named | None = None
    """The attribute. Default: the one with the column's own name."""
    many: Many = "one"
    """What to do with several values: `one` refuses them, `first` takes the smallest (a directory's values have no
    order), `join` makes one text of them, sorted, and `all` makes a row of each; an entry without one has no row then.
    """
    separator: str | None = Field(default=None, min_length=1)
    """What stands between values that are joined. Default: `;`."""
    read_as: Reading | None = None
    """How a value is read: `text`; `dn`, a distinguished name, in the form of the column `dn`; `rdn`, the value that
    such a name begins with; `time`, as ISO 8601 in UTC, blank for never; `expired`, whether that time has come, `true`
    or `false`; `guid` or `sid`. Default: as is known of the attribute (`member`, `whenChanged`, `objectGUID`), or as
    text."""
    flag: Named | None = None
    """A bit of `userAccountControl`, such as `ACCOUNTDISABLE`: the column says whether it is set, `true` or `false`."""

    @field_validator("flag")
    @classmethod
    def _documented(cls, flag: str | None) -> str | None:
        if flag is not None and flag not in FLAGS:
            near = get_close_matches(flag.upper(), FLAGS, n=1)
            remedy = (
                f"did you mean '{near[0]}'?"
                if near
                else "write a name that Microsoft documents: ACCOUNTDISABLE"
            )
            raise told_one("is no bit of userAccountControl", remedy)
        return flag

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.flag and self.read_as:
            raise told_one(
                "has both 'flag' and 'read_as'", "take one out: a flag is 'true' or 'false'"
            )
        if self.separator and self.many != "join":
            raise told_one(
                "has a 'separator' without 'many: join'", "say 'many: join', or take it out"
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return text_or_settings(schema, handler)


class BadAttributeError(Exception):
    """An entry's values can't become a column's text: what is wrong with them, and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


@dataclass(frozen=True, slots=True)
class Column:
    """A column ready to be read: `texts` of an entry's values are the cells it gives, each for a row if `many` is all.

    Attributes:
        name: the column's name.
        attribute: the attribute's name, as the directory is asked for it.
    """

    name: str
    attribute: str
    many: Many
    separator: str
    blank: str
    convert: Callable[[bytes], str]

    def text(self, values: Sequence[bytes]) -> str:
        """The one cell that an entry's values give.

        Raises:
            UnfitError: they can't be read, or there are several and nobody said what to do with them.
        """
        if not values:
            return self.blank
        if len(values) == 1:
            return self._converted(values[0])
        if self.many == "one":
            remedy = "say for this column 'many: first', 'many: join' or 'many: all'"
            raise BadAttributeError(
                f"attribute '{self.attribute}' has {len(values)} values", remedy
            )
        texts = self.texts(values)
        return texts[0] if self.many == "first" else self.separator.join(texts)

    def texts(self, values: Sequence[bytes]) -> list[str]:
        """All cells that an entry's values give, in an order that does not change from reading to reading."""
        return sorted(map(self._converted, values))

    def _converted(self, value: bytes) -> str:
        try:
            return self.convert(value)
        except UnicodeDecodeError:
            reason, remedy = (
                "holds bytes that are no text (UTF-8)",
                "leave it out, or say 'read_as: guid' or 'sid'",
            )
        except ValueError as error:
            reason, remedy = (
                f"has a value that {error}",
                "correct the entry, or the column's 'read_as' or 'flag'",
            )
        raise BadAttributeError(f"attribute '{self.attribute}' {reason}", remedy)


def column(name: str, spec: LdapColumnSettings, now: datetime) -> Column:
    """A column as it is configured; `now` is for accounts that may have expired."""
    attribute = spec.attribute or name
    read_as = spec.read_as or READ_AS.get(attribute.lower(), "text")
    convert = _flag_of(FLAGS[spec.flag]) if spec.flag else _CONVERT.get(read_as) or _expired_at(now)
    blank = (
        "false" if read_as == "expired" and not spec.flag else ""
    )  # what has no end has not come to it
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
    def told(value: bytes) -> str:
        try:
            return _yes(bool(int(value) & bit))
        except ValueError:
            raise ValueError("is no whole number") from None

    return told


def _yes(is_so: bool) -> str:
    return "true" if is_so else "false"
