"""What goes wrong, as an answer: one form for every error, and which a route may give for its OpenAPI."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from sfumato.app.service.http.shapes import Problem
from sfumato.errors import SfumatoError, UsageError
from sfumato.text import printable

MEANT = {
    400: ("malformed", "The request cannot be read."),
    401: ("no_key", "There is no valid key, or its session has ended."),
    403: ("not_allowed", "The key's role does not allow it, or the request came from another page."),
    404: ("not_found", "There is no such thing, or it is another owner's."),
    405: ("no_method", "The address does not take this method."),
    408: ("too_slow", "The body came too slowly."),
    409: ("not_done", "The job is not done yet."),
    410: ("gone", "The file is no longer kept; its record is."),
    413: ("too_large", "The body is larger than this service takes."),
    415: (
        "wrong_type",
        "Send multipart/form-data, or the file itself as application/octet-stream; an address as JSON.",
    ),
    416: ("no_range", "The file has no such range."),
    422: ("invalid", "A value is not what it has to be."),
    429: ("too_many", "The key sends too many requests, or its owner has had the jobs of today."),
    503: ("unavailable", "The service cannot do it now; try again."),
    507: ("no_room", "There is no room for the file."),
}
EVERYWHERE = (400, 401, 403, 408, 413, 422, 429, 503)
_log = logging.getLogger("sfumato.service")


class Refused(HTTPException):
    """An answer other than the one that was asked for; `message` in place of the usual sentence."""

    def __init__(self, status: int, message: str | None = None, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(status, message or MEANT[status][1], headers=named or None)


def may_answer(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: these, and what any route may answer."""
    return {status: {"model": Problem, "description": MEANT[status][1]} for status in sorted({*EVERYWHERE, *statuses})}


def answer_problems(app: FastAPI) -> None:
    """Every error in the form of `Problem`; what nobody foresaw is logged, and told without its words."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        code = MEANT.get(error.status_code, ("failed", ""))[0]
        return _answer(error.status_code, code, str(error.detail), error.headers)

    for status in (404, 405):

        @app.exception_handler(status)
        async def nothing_there(request: Request, error: Any) -> JSONResponse:
            code, usual = MEANT[error.status_code]
            said = str(error.detail) if isinstance(error, Refused) else usual
            return _answer(error.status_code, code, said, getattr(error, "headers", None))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return _answer(422, "invalid", f"{where}: {first['msg']}")

    @app.exception_handler(UsageError)
    async def wrong(request: Request, error: UsageError) -> JSONResponse:
        return _answer(422, "invalid", str(error))

    @app.exception_handler(SfumatoError)
    async def unavailable(request: Request, error: SfumatoError) -> JSONResponse:
        _log.error("unavailable", extra={"problem": str(error)})
        return _answer(503, *MEANT[503])

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> JSONResponse:
        _log.error("fault", exc_info=error)
        return _answer(500, "fault", "A fault of the service; its log has more.")


def _answer(status: int, code: str, message: str, headers: Any = None) -> JSONResponse:
    return JSONResponse(Problem(code=code, message=printable(message, 500)).model_dump(), status, headers=headers)
