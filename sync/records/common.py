"""Fields that several kinds of record have."""

from typing import Final

from sync.contract import MAX_COMMITTEE_NAME
from sync.records.fields import MAX_ID, FieldSpec

USERNAME: Final = FieldSpec(
    description="The login name in Inspera. It can't be changed there afterwards.",
    text="identifier",
    limit=MAX_ID,
    personal=True,
    required=True,
    identity=True,
    indexed=True,
    sent_as="username",
)
EXTERNAL_ID: Final = FieldSpec(
    description="The identifier by which the auth system knows the person.",
    text="identifier",
    limit=MAX_ID,
    personal=True,
    required=True,
    identity=True,
    indexed=True,
    sent_as="externalIds",
    copied=False,
)
AUTH_SYSTEM: Final = FieldSpec(
    description="The auth system, where it differs from row to row; otherwise use the feed's own"
    " `auth_system`.",
    text="identifier",
    identity=True,
    sent_as="externalIds",
    copied=False,
)
FIRST_NAME: Final = FieldSpec(
    description="The given name.",
    text="label",
    cleared="",
    personal=True,
    required=True,
    sent_as="firstName",
)
LAST_NAME: Final = FieldSpec(
    description="The family name.",
    text="label",
    cleared="",
    personal=True,
    required=True,
    sent_as="lastName",
)
EMAIL: Final = FieldSpec(
    description="The email address.",
    text="label",
    cleared="",
    personal=True,
    indexed=True,
    sent_as="email",
)

TEST: Final = FieldSpec(
    description="The key of the test, as the test feed's `key` makes it.",
    text="identifier",
    required=True,
)
# An empty or missing room clears nothing (vendor contract, Test API: candidates).
ROOM: Final = FieldSpec(
    description="The room. A blank takes away the room that this tool has put there.",
    text="label",
    cleared="",
    sent_as="roomName",
    removed_as="removeRoomName",
)
BUILDING: Final = FieldSpec(
    description="The building. A blank takes away the building that this tool has put there.",
    text="label",
    cleared="",
    sent_as="buildingName",
    removed_as="removeBuildingName",
)
COMMITTEES: Final = FieldSpec(
    text="label",
    cleared="",
    many=True,
    limit=MAX_COMMITTEE_NAME,
    sent_as="committeesName",
    shown_as=("committees", "committeesName"),
)
