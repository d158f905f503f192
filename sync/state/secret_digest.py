"""Digests of pins and quit codes, and the key that they are made with.

The key lies in a file of its own beside the state: with a copy of the state alone nobody can try out short codes.
"""

from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes

from sync.errors import StateError
from sync.records.base import DIGEST_PREFIX
from sync.state.sqlite.errors import find_trouble, make_passing_error
from sync.state.sqlite.private_files import write_private

KEY_BYTES = 32


def digest_secret(key: bytes, secret: str) -> str:
    """Return what stands for a secret in the state and in comparisons: the same for the same secret under the same key."""
    return DIGEST_PREFIX + blake2b(secret.encode(), key=key, digest_size=16).hexdigest()


def new_key() -> bytes:
    """Return a key that nobody has. A digest made with another key never equals one made with it."""
    return token_bytes(KEY_BYTES)


def load_digest_key(path: Path, *, write: bool) -> bytes:
    """The key that belongs to the state at `path`, from the state's name and `.key`, a file with mode 0600.

    Where that is not there, it is made if `write` is true; the caller then holds the state's lock. Otherwise the key is
    for this process alone, and nothing on disk is changed.

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
            raise make_passing_error(beside, trouble) from None
        remedy = "let the user who runs inspera-sync read and write it"
        raise StateError(
            f"{beside}: the key of the secret digests cannot be used ({error.strerror}); {remedy}"
        ) from None
    if len(key) != KEY_BYTES:
        remedy = (
            "put back a copy of it, or delete it: then each pin and quit code is sent once more"
        )
        raise StateError(
            f"{beside}: this is no key of the secret digests, which has {KEY_BYTES} bytes; {remedy}"
        )
    return key
