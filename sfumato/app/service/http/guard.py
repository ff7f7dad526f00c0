"""Who asks, and how often: a key by header, or by the session of a browser; a bucket of requests a key.

A browser sends its cookie by itself, so a request that changes something counts only with a header that no other page
can send along, and from this origin.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from sfumato.app.service.http.problems import Refused
from sfumato.app.service.settings import ServiceSettings
from sfumato.app.service.store.access import Access, Key, Role
from sfumato.app.service.store.database import Database
from sfumato.app.service.store.jobs import Jobs

COOKIE = "sfumato-session"
PAGE_HEADER = "X-Sfumato"
_SAFE = ("GET", "HEAD", "OPTIONS")
_bearer = HTTPBearer(auto_error=False, description="A key: sfk_...")
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Of the page's login.")


@dataclass
class Buckets:
    """Requests a minute of each key. They are of this process: several of them each allow as many."""

    a_minute: int
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, key_id: str) -> float:
        """Takes one; else the seconds until there is one."""
        with self._lock:
            now = time.monotonic()
            left, since = self._left.get(key_id, (float(self.a_minute), now))
            left = min(float(self.a_minute), left + (now - since) * self.a_minute / 60)
            taken = left >= 1
            self._left[key_id] = (left - 1 if taken else left, now)
            return 0.0 if taken else (1 - left) * 60 / self.a_minute


@dataclass(frozen=True)
class Service:
    """What all routes share. ready: why it is not ready, None if it is; fetches: so many addresses are fetched at once,
    since each holds one of the threads that answer.
    """

    settings: ServiceSettings
    database: Database
    access: Access
    jobs: Jobs
    ready: Callable[[], str | None]
    buckets: Buckets
    fetches: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(4))


def service_of(request: Request) -> Service:
    return cast(Service, request.app.state.service)


TheService = Annotated[Service, Depends(service_of)]


def key_of(
    request: Request,
    service: TheService,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    session: Annotated[str | None, Depends(_cookie)],
) -> Key:
    """Raises Refused: 401 without a key, 403 for a request of another page, 429 for one too many."""
    key = None
    if bearer is not None:
        key = service.access.by_secret(bearer.credentials)
    elif session:
        key = service.access.by_session(session)
        if key is not None and request.method not in _SAFE:
            require_same_page(request)
    if key is None:
        raise Refused(401, WWW_Authenticate="Bearer")
    if (wait := service.buckets.wait(key.id)) > 0:
        raise Refused(429, "The key sends too many requests.", Retry_After=str(int(wait) + 1))
    return key


def require_same_page(request: Request, header: bool = True) -> None:
    """Raises Refused for a request that another page may have sent. header: it has to have ours."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused(403, "The request came from another page.")
    if header and PAGE_HEADER.lower() not in request.headers:
        raise Refused(403, f"A session's requests need the header {PAGE_HEADER}.")


def _allowed(role: Role) -> Callable[[Key], Key]:
    def check(key: Annotated[Key, Depends(key_of)]) -> Key:
        if not key.may(role):
            raise Refused(403, f"It takes a key with the role {role}.")
        return key

    return check


Submitter = Annotated[Key, Depends(_allowed("submit"))]
Reviewer = Annotated[Key, Depends(_allowed("review"))]
Admin = Annotated[Key, Depends(_allowed("admin"))]
