"""What a person can do on the pages: decide, pause, resume, and start a job."""

from collections.abc import Mapping

from starlette.requests import Request

from sync.page.desk import Decision, Desk
from sync.page.guard import Refused
from sync.page.rendering import View

Form = Mapping[str, list[str]]

_LONGEST_NAME, _LONGEST_REASON = 80, 500


def decide(desk: Desk, request: Request, form: Form) -> View:
    """Approve or reject what is held, as a person says who gives a reason."""
    verdict = _one(form, "verdict")
    if verdict not in ("approve", "reject"):
        raise Refused(400, "Choose to approve or to reject.")
    chosen = form.get("change", [])
    if _one(form, "scope") == "some" and not chosen:
        raise Refused(400, "Tick the changes that you decide about. Nothing was changed.")
    text = desk.decide(
        Decision(
            hold=request.path_params["hold"],
            digests=tuple(chosen) if _one(form, "scope") == "some" else (),
            approve=verdict == "approve",
            person=_needed(form, "person", "who you are", _LONGEST_NAME),
            why=_needed(form, "why", "why", _LONGEST_REASON),
            duration=_one(form, "duration") or "24h",
        )
    )
    return View("done.html", "Decided", {"text": text, "link": "/held", "back": "Held changes"})


def pause(desk: Desk, _request: Request, form: Form) -> View:
    """Stop all sending."""
    person = _needed(form, "person", "who you are", _LONGEST_NAME)
    desk.pause(_needed(form, "why", "why", _LONGEST_REASON), person)
    return View("", "", {}, redirect="/")


def resume(desk: Desk, _request: Request, form: Form) -> View:
    """Allow sending again."""
    desk.resume(_needed(form, "person", "who you are", _LONGEST_NAME))
    return View("", "", {}, redirect="/")


def run_now(desk: Desk, request: Request, _form: Form) -> View:
    """Start a job at once."""
    job = request.path_params["job"]
    desk.run_now(job)
    text = f"The job {job} starts within a second, or as soon as the run before it ends."
    return View("done.html", "Started", {"text": text, "link": "/", "back": "Overview"})


def _one(form: Form, name: str) -> str:
    return (form.get(name) or [""])[-1].strip()


def _needed(form: Form, name: str, what: str, longest: int) -> str:
    given = " ".join(_one(form, name).split())
    if not given:
        raise Refused(400, f"Say {what}: it is kept with the decision. Nothing was changed.")
    if len(given) > longest:
        raise Refused(400, f"Say {what} in at most {longest} characters. Nothing was changed.")
    return given
