"""The page on which people review, as `sfumato report` makes it, with what the service holds; and the way in.

A key that is pasted into the form becomes a session: a cookie that no script reads and no other site sends. What is
decided, uploaded and deleted on the page goes over the API, with the rights of that key.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Cookie, Form, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from sfumato.app.review.page_parts import content_security_policy, page_style, render, shown, tone_of, verdict_rows
from sfumato.app.scan.verdict import VERDICTS
from sfumato.app.service.http.guard import COOKIE, Submitter, TheService, require_same_page
from sfumato.app.service.http.problems import Refused
from sfumato.app.service.http.shapes import JobId
from sfumato.app.service.store.access import Key
from sfumato.app.service.store.jobs import Job
from sfumato.text import printable

MOST = 2000  # jobs of one page, those to review first
_FRAMED = "; frame-ancestors 'none'"
router = APIRouter(include_in_schema=False)


@router.get("/")
def page(
    request: Request, service: TheService, session: Annotated[str | None, Cookie(alias=COOKIE)] = None
) -> Response:
    """The list of judged files; the form for who is not logged in."""
    key = service.access.by_session(session) if session else None
    if key is None:
        return RedirectResponse("login", 303)
    found = service.jobs.judged(key.owner, MOST)
    rows = [_row(job, place, length) for place, (job, length) in enumerate(found)]
    data = {
        "layout": "list", "verdicts": {name: tone_of(name) for name in VERDICTS}, "models": [], "rows": rows,
        "service": {"reviewer": key.name, "decisions": _decided(service, key)},
    }  # fmt: skip
    review = sum(row["review"] for row in rows)
    text = render(
        data, served=True, layout="list", clips=len(rows), development=False, seconds=0.0, calibrated=None,
        detector=None, verdicts=verdict_rows({row["verdict"] for row in rows}),
        heading={"title": key.owner, "about": f"{len(rows):,} judged, {review:,} for a person to look at"},
    )  # fmt: skip
    policy = text.partition('http-equiv="Content-Security-Policy" content="')[2].partition('">')[0]
    return _html(text, policy.replace("&#39;", "'") + _FRAMED)


@router.get("/favicon.ico", status_code=204)
def icon() -> None:
    """None; browsers ask for it by themselves."""


@router.get("/review/entries/{job_id}")
def entry(service: TheService, key: Submitter, job_id: JobId) -> JSONResponse:
    """One record, as the page's script shows it."""
    told = service.jobs.told(key.owner, job_id)
    if told is None:
        raise Refused(404)
    job, record, tree = told
    return JSONResponse(
        {
            "id": job.id, "name": printable(job.name, 300), "folder": "",
            "address": f"v1/jobs/{quote(job.id)}/file" if job.uploaded else None,
            "absent": None if job.uploaded else "missing", "tone": tone_of(record["verdict"]),
            "record": shown(record), "sheet": None, "tree": tree,
        }
    )  # fmt: skip


@router.get("/login")
def login_form() -> HTMLResponse:
    """Asks for a key."""
    return _login()


@router.post("/login")
def login(request: Request, service: TheService, key: Annotated[str, Form(max_length=200)]) -> Response:
    """Begins a session."""
    require_same_page(request, header=False)
    found = service.access.by_secret(key.strip())
    if found is None:
        return _login("That is no valid key.", 401)
    answer = RedirectResponse("./", 303)
    seconds = service.settings.session
    answer.set_cookie(
        COOKIE, service.access.begin_session(found, seconds), max_age=round(seconds), httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


@router.post("/logout", status_code=204)
def logout(
    request: Request, service: TheService, session: Annotated[str | None, Cookie(alias=COOKIE)] = None
) -> Response:
    """Ends the session."""
    require_same_page(request)
    if session:
        service.access.end_session(session)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _row(job: Job, place: int, length: float | None) -> dict[str, Any]:
    return {
        "path": job.name, "sha256": job.sha256, "verdict": job.verdict, "score": job.score, "review": bool(job.review),
        "length": length, "place": place, "at": place, "model": None, "job": job.id, "name": printable(job.name, 300),
    }  # fmt: skip


def _decided(service: TheService, key: Key) -> dict[str, Any]:
    """The newest decision on each content, whoever made it."""
    return {line["sha256"] or line["path"]: shown(line) for line in service.jobs.decided(key.owner)}


def _login(problem: str = "", status: int = 200) -> HTMLResponse:
    from jinja2 import Environment

    style = page_style()
    source = (files("sfumato.app.service.http") / "login.html.jinja").read_text(encoding="utf-8")
    text = Environment(autoescape=True).from_string(source).render(style=style, problem=problem)
    policy = content_security_policy(style, "").replace("form-action 'none'", "form-action 'self'")
    return _html(text, policy + _FRAMED, status)


def _html(text: str, policy: str, status: int = 200) -> HTMLResponse:
    # a form of a page without a referrer would come from nowhere, and be refused
    return HTMLResponse(text, status, {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin"})
