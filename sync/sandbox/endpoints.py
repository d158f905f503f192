"""All endpoints of the vendor's API that the sandbox has (vendor contract, 2 to 4)."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.sandbox.activation import post_activate
from sync.sandbox.candidates import delete_candidates, get_candidates, post_candidates
from sync.sandbox.committees import delete_committees, post_committees
from sync.sandbox.contributors import delete_contributors, post_contributors
from sync.sandbox.exports import LINK_PATH, Exports
from sync.sandbox.options import post_options
from sync.sandbox.tests import post_test, search_tests
from sync.sandbox.users import (
    delete_user,
    get_by_external_id,
    get_user,
    search_users,
)
from sync.sandbox.wire import Endpoint, Endpoints, Handler

_USERS, _TEST, _EXPORT = "/api/v1/users", "/api/v1/test", "/api/v1/fileExport"
_ONE_TEST = f"{_TEST}/{{test}}"


@dataclass(frozen=True, slots=True)
class ControlledHandlers:
    """The handlers whose behaviour a person can change while the sandbox runs."""

    get_test: Handler
    post_student: Handler
    post_staff: Handler


def all_endpoints(
    give_token: Handler, controlled: ControlledHandlers, exports: Exports
) -> Mapping[str, Endpoints]:
    """Return the endpoints by path; the most specific and the most used paths come first."""
    return {
        f"{_USERS}/student": {"POST": _write(controlled.post_student)},
        f"{_ONE_TEST}/candidates": {
            "GET": _read(get_candidates),
            "POST": _write(post_candidates),
            "DELETE": _write(delete_candidates),
        },
        f"{_ONE_TEST}/contributors": {
            "POST": _write(post_contributors),
            "DELETE": _write(delete_contributors),
        },
        f"{_ONE_TEST}/committees": {
            "POST": Endpoint(post_committees, "committee"),
            "DELETE": _write(delete_committees),
        },
        f"{_ONE_TEST}/activate": {"POST": _write(post_activate)},
        f"{_ONE_TEST}/options": {"POST": _write(post_options)},
        f"{_TEST}/search": {"GET": _read(search_tests)},
        _ONE_TEST: {"GET": _read(controlled.get_test)},
        _TEST: {"POST": _write(post_test)},
        f"{_USERS}/search": {"GET": _read(search_users)},
        f"{_USERS}/external/{{auth_type}}/{{external_id}}": {"GET": _read(get_by_external_id)},
        f"{_USERS}/{{user}}": {"GET": _read(get_user), "DELETE": _write(delete_user)},
        _USERS: {"POST": _write(controlled.post_staff)},
        "/api/authenticate/token/": {"POST": Endpoint(give_token, "token")},
        f"{_EXPORT}/order": {"POST": _read(exports.order)},
        f"{_EXPORT}/status/{{job}}": {"GET": _read(exports.status)},
        f"{LINK_PATH}{{link}}": {"GET": Endpoint(exports.fetch, "link")},
    }


def _read(handler: Handler) -> Endpoint:
    return Endpoint(handler, "read")


def _write(handler: Handler) -> Endpoint:
    return Endpoint(handler, "write")
