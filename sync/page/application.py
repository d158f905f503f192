"""The web application: its addresses, who may ask for them, and what an error looks like."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from sync.errors import StateError, SyncError
from sync.page import actions, exams, findings, held, overview, records, runs, sources
from sync.page.access import Access, Session, TooMany, WrongToken
from sync.page.desk import Desk
from sync.page.guard import Reach, Refused, SecurityHeaders, check_address, read_form
from sync.page.rendering import View, render
from sync.text.masking import masked

_STYLE = Path(__file__).parent / "templates" / "page.css"

_AT_ONCE = 4
"""Pages that are made at a time: the service's own work goes first."""

_MONTH = 12 * 60 * 60

_log = structlog.get_logger("page")

Form = Mapping[str, list[str]]
Get = Callable[[Desk, Request], View]
Post = Callable[[Desk, Request, Form], View]


def make_pages(desk: Desk, access: Access, reach: Reach) -> ASGIApp:
    """Return the application with all pages but those of health."""
    site = _Site(desk, access, reach, CapacityLimiter(_AT_ONCE))
    gets: dict[str, Get] = {
        "/": overview.show,
        "/exams": exams.show,
        "/held": held.show_all,
        "/held/{hold}": held.show_one,
        "/errors": findings.show,
        "/sources": sources.show,
        "/runs": runs.show_all,
        "/records": records.search,
        "/records/{kind}/{key:path}": records.show,
    }
    posts: dict[str, Post] = {
        "/held/{hold}/decide": actions.decide,
        "/pause": actions.pause,
        "/resume": actions.resume,
        "/jobs/{job}/run": actions.run_now,
        "/explain/{kind}/{key:path}": records.explain,
    }
    routes: list[BaseRoute] = [
        Route("/page.css", site.style),
        Route("/login", site.log_in, methods=["GET", "POST"]),
        Route("/logout", site.post(None), methods=["POST"]),
        Route("/runs/{run:int}", site.report),
        *(Route(path, site.get(view)) for path, view in gets.items()),
        *(Route(path, site.post(view), methods=["POST"]) for path, view in posts.items()),
    ]
    application = Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeaders, secure=reach.secure or bool(reach.proxy))],
        exception_handlers={
            Refused: site.refused,
            HTTPException: site.refused,
            SyncError: site.failed,
            Exception: site.crashed,
        },
    )
    application.router.redirect_slashes = False
    return application


@dataclass(frozen=True, slots=True)
class _Site:
    """What all addresses have in common."""

    desk: Desk
    access: Access
    reach: Reach
    limiter: CapacityLimiter

    @property
    def cookie(self) -> str:
        # With this prefix a browser takes the cookie from this host by HTTPS only.
        return "__Host-session" if self.reach.secure or self.reach.proxy else "session"

    async def style(self, request: Request) -> Response:
        """Return the style sheet, which everybody may see."""
        self.reach.check_host(request)
        return Response(_STYLE.read_bytes(), media_type="text/css")

    def get(self, view: Get) -> Callable[[Request], Awaitable[Response]]:
        """Return the handler of an address that only shows something."""

        async def handle(request: Request) -> Response:
            self.reach.check_host(request)
            session = self._admit(request)
            if session is None:
                return RedirectResponse("/login", 303)
            check_address(request)
            return await self._answer(request, partial(view, self.desk, request), session)

        return handle

    def post(self, view: Post | None) -> Callable[[Request], Awaitable[Response]]:
        """Return the handler of an address that changes something; None ends the session."""

        async def handle(request: Request) -> Response:
            self.reach.check_host(request)
            self.reach.check_origin(request)
            session = self._admit(request)
            if session is None:
                raise Refused(401, "Log in first. Nothing was changed.")
            check_address(request)
            form = await read_form(request)
            bearer = "authorization" in request.headers
            if not bearer and form.get("csrf") != [session.csrf]:
                raise Refused(403, "This form is not of your session. Nothing was changed.")
            if view is None:
                self.access.log_out(request.cookies.get(self.cookie))
                return RedirectResponse("/login", 303)
            return await self._answer(request, partial(view, self.desk, request, form), session)

        return handle

    def _admit(self, request: Request) -> Session | None:
        """Return the session of a request, or a new one for a valid bearer token.

        Raises:
            Refused: the bearer token is wrong.
        """
        header = request.headers.get("authorization")
        if header is None:
            return self.access.session(request.cookies.get(self.cookie))
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Refused(401, "Send the token as `Authorization: Bearer …`.")
        self._check(lambda client: self.access.check(token.strip(), client), request)
        return Session(0, 0, b"")

    def _check(self, check: Callable[[str], Any], request: Request) -> Any:
        """Check a token, and log a wrong one.

        Raises:
            Refused: it is wrong, or too many wrong ones were sent.
        """
        client = self.reach.client(request)
        try:
            return check(client)
        except TooMany as error:
            _log.warning("too many wrong tokens", client=client)
            raise Refused(
                429,
                f"Too many wrong tokens. Try again in {error.seconds} seconds.",
                {"Retry-After": str(error.seconds)},
            ) from None
        except WrongToken:
            _log.warning("wrong token", client=client)
            raise Refused(401, "The token is not the right one.") from None

    async def log_in(self, request: Request) -> Response:
        """Show the form for the token, or begin a session."""
        self.reach.check_host(request)
        if request.method != "POST":
            return await self._answer(request, lambda: View("login.html", "Log in", {}), None)
        self.reach.check_origin(request)
        form = await read_form(request)
        token = (form.get("token") or [""])[0].strip()
        try:
            cookie = self._check(lambda client: self.access.log_in(token, client), request)
        except Refused as refused:
            view = View("login.html", "Log in", {"error": refused.reason}, status=refused.status)
            answer = await self._answer(request, lambda: view, None)
            answer.headers.update(refused.headers)
            return answer
        _log.info("logged in", client=self.reach.client(request))
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            self.cookie,
            cookie,
            httponly=True,
            samesite="strict",
            secure=self.cookie.startswith("__Host-"),
            max_age=_MONTH,
        )
        return answer

    async def report(self, request: Request) -> Response:
        """Return the report on a run: one HTML file, written while it is read."""
        self.reach.check_host(request)
        if self._admit(request) is None:
            return RedirectResponse("/login", 303)
        opened = self.desk.report(request.path_params["run"])

        def first() -> tuple[str, Any]:
            return opened.__enter__()

        policy, pieces = await to_thread.run_sync(first, limiter=self.limiter)

        def closing() -> Any:
            try:
                yield from pieces
            finally:
                opened.__exit__(None, None, None)

        headers = {"Content-Security-Policy": policy}
        return StreamingResponse(closing(), media_type="text/html", headers=headers)

    async def _answer(
        self, request: Request, view: Callable[[], View], session: Session | None
    ) -> Response:
        return await to_thread.run_sync(
            lambda: render(self.desk, request.scope["path"], view(), session), limiter=self.limiter
        )

    async def refused(self, request: Request, error: Exception) -> Response:
        """Answer a request that is refused."""
        status, reason, headers = 404, "There is no such page.", {}
        if isinstance(error, Refused):
            status, reason, headers = error.status, error.reason, error.headers
        elif isinstance(error, HTTPException) and error.status_code != 404:
            status, reason = error.status_code, "This address does not take such a request."
        _log.warning("refused", path=request.scope["path"], status=status, reason=reason)
        answer = await self._error(request, status, "Refused", reason)
        answer.headers.update(headers)
        return answer

    async def failed(self, request: Request, error: Exception) -> Response:
        """Answer a request that can't be carried out, for a reason that has a text."""
        status = 503 if isinstance(error, StateError) else 409
        _log.warning("not done", path=request.scope["path"], status=status, error=str(error))
        return await self._error(request, status, "Not done", masked(str(error)))

    async def crashed(self, request: Request, error: Exception) -> Response:
        """Answer a request that met an error of the program."""
        _log.error(
            "page failed with an unexpected error", path=request.scope["path"], exc_info=error
        )
        reason = "This page can't be made. The log of the service says why."
        return await self._error(request, 500, "Error of the program", reason)

    async def _error(self, request: Request, status: int, title: str, reason: str) -> Response:
        session = self.access.session(request.cookies.get(self.cookie))
        view = View("error.html", title, {"reason": reason}, status=status)
        return await self._answer(request, lambda: view, session)
