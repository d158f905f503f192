"""`POST /trigger/JOB`: other programs start a job, by a token that can do nothing else."""

from collections.abc import Callable

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sync.errors import UsageError
from sync.page.access import Access, TooMany, WrongToken
from sync.page.guard import Reach, Refused, SecurityHeaders

_log = structlog.get_logger("trigger")


def make_triggers(run_now: Callable[[str], None], access: Access, reach: Reach) -> ASGIApp:
    """Return the application for the paths below `/trigger`.

    `run_now` starts a job; it raises a `UsageError` when it can't.
    """

    async def trigger(request: Request) -> Response:
        reach.check_host(request)
        _check_token(request, access, reach.client(request))
        job = request.path_params["job"]
        try:
            run_now(job)
        except UsageError as error:
            raise Refused(409, str(error)) from None
        _log.info("triggered", job=job, client=reach.client(request))
        return JSONResponse({"job": job, "requested": True}, 202)

    async def refused(request: Request, error: Exception) -> Response:
        status, reason, headers = 404, "there is no such address", {}
        if isinstance(error, Refused):
            status, reason, headers = error.status, error.reason, error.headers
        elif isinstance(error, HTTPException) and error.status_code != 404:
            status, reason = error.status_code, "this address takes only POST"
        _log.warning("refused", path=request.scope["path"], status=status, reason=reason)
        return JSONResponse({"error": reason}, status, headers)

    application = Starlette(
        routes=[Route("/{job}", trigger, methods=["POST"])],
        middleware=[Middleware(SecurityHeaders, secure=reach.secure or bool(reach.proxy))],
        exception_handlers={Refused: refused, HTTPException: refused},
    )
    application.router.redirect_slashes = False
    return application


def _check_token(request: Request, access: Access, client: str) -> None:
    """Check the token of a request.

    Raises:
        Refused: it is missing or wrong, or too many wrong ones were sent before.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        access.check(token.strip() if scheme.lower() == "bearer" else "", client)
    except TooMany as error:
        seconds = str(error.seconds)
        raise Refused(
            429, f"too many wrong tokens; try again in {seconds} s", {"Retry-After": seconds}
        ) from None
    except WrongToken:
        raise Refused(
            401, "the token is missing or wrong; send `Authorization: Bearer TOKEN`"
        ) from None
