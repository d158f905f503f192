"""Digests of pins and quit codes, and their key.

The key is in a file of its own next to the state. So nobody who has a copy of the state alone
can try out short codes.
"""

from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes

from sync.errors import StateError
from sync.records.base import DIGEST_PREFIX
from sync.state.sqlite.errors import find_trouble
from sync.state.sqlite.private_files import write_private

KEY_BYTES = 32


def digest_secret(key: bytes, secret: str) -> str:
    """Return the digest of a secret: the same text for the same secret under the same key."""
    return DIGEST_PREFIX + blake2b(secret.encode(), key=key, digest_size=16).hexdigest()


def new_key() -> bytes:
    """Return a random key. A digest made with one key never equals a digest made with another."""
    return token_bytes(KEY_BYTES)


def load_digest_key(path: Path, *, write: bool) -> bytes:
    """Return the key of the state at `path`, from a file with the state's name and `.key`.

    A missing key is made, with mode 0600, if `write` is true; the caller then holds the state's
    lock. Otherwise the key is for this process alone, and nothing on disk is changed.

    Raises:
        StateUnreachable: the file can't be read or made just now.
        StateError: the file can't be read or made, or holds something else.
    """
    beside = path.with_name(path.name + ".key")
    try:
        if not beside.exists():
            key = new_key()
            if write:
                write_private(beside, key)
            return key
        with beside.open("rb") as file:
            key = file.read(KEY_BYTES + 1)
        if write:
            beside.chmod(0o600)
    except OSError as error:
        if trouble := find_trouble(error):
            raise trouble.value.error(beside) from None
        remedy = "let the user who runs inspera-sync read and write it"
        raise StateError(
            f"{beside}: the key of the secret digests cannot be used ({error.strerror}); {remedy}"
        ) from None
    if len(key) != KEY_BYTES:
        remedy = (
            "put back a copy of it, or delete it: then each pin and quit code is sent once more"
        )
        raise StateError(
            f"{beside}: this is not a key of secret digests, which has {KEY_BYTES} bytes; {remedy}"
        )
    return key
