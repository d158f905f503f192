"""The delivery of a notification by Apprise, and the request of a heartbeat.

Apprise repeats URLs with their tokens in its log, so its log goes nowhere.
"""

import logging
import re
import warnings
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

import requests

from sync.errors import UsageError

if TYPE_CHECKING:
    import apprise

LONGEST = 20.0
"""The most seconds that one delivery takes."""

_HEARTBEAT_TIMEOUT = (5.0, 10.0)
_STATUS = re.compile(r"error=(\d{3})\b")


class DeliveryError(Exception):
    """A notification or heartbeat was not delivered. The text has no URL in it."""


def check_url(url: str) -> None:
    """Make sure that Apprise understands a URL.

    Raises:
        UsageError: it does not, or is not installed.
    """
    _target(url)


def deliver(url: str, title: str, body: str) -> None:
    """Send a notification.

    Raises:
        UsageError: the URL can't be used, or Apprise is not installed.
        DeliveryError: the service behind it did not take it.
    """
    target = _target(url)
    with _Statuses() as statuses:
        # A failure is a result of `notify`, never an exception.
        if not target.notify(title=title, body=body):
            raise DeliveryError(
                f"the service answered with status {statuses.last}"
                if statuses.last
                else "the service could not be reached, or did not take it"
            )


def request_heartbeat(url: str) -> None:
    """Request the address of a heartbeat.

    Raises:
        DeliveryError: it gave no success.
    """
    try:
        with requests.Session() as session:
            session.trust_env = False  # a `.netrc` would add a password
            answer = session.get(url, timeout=_HEARTBEAT_TIMEOUT, stream=True)
            status, is_ok = answer.status_code, answer.ok
            answer.close()
    except requests.RequestException as error:
        # Its text repeats the address, which is a secret.
        raise DeliveryError(f"it could not be requested ({type(error).__name__})") from None
    if not is_ok:
        raise DeliveryError(f"it answered with status {status}")


def _target(url: str) -> "apprise.Apprise":
    library = _apprise()
    target: apprise.Apprise = library.Apprise(
        asset=library.AppriseAsset(app_id="inspera-sync", service_timeout=LONGEST)
    )
    if not target.add(url):
        raise UsageError(
            "is not a URL that Apprise understands; write it as "
            "https://appriseit.com/services/ shows for your service"
        )
    return target


@cache
def _apprise() -> ModuleType:
    try:
        import apprise
    except ImportError:
        raise UsageError(
            "needs the package Apprise; install it with `pip install 'inspera-sync[notify]'`"
        ) from None
    log = logging.getLogger("apprise")
    log.propagate = False
    log.setLevel(logging.WARNING)
    log.addHandler(logging.NullHandler())
    with warnings.catch_warnings():
        # It loads all its services now, some of which import deprecated modules.
        warnings.simplefilter("ignore")
        apprise.Apprise.instantiate("json://127.0.0.1")
    return apprise


class _Statuses(logging.Handler):
    """Keeps the HTTP status that Apprise logs of a failure, and nothing else of its log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if found := _STATUS.search(record.getMessage()):
            self.last = found[1]

    def __enter__(self) -> "_Statuses":
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)
