"""Bodies that are too large or too slow, cut off while they come; headers that every answer has.

What a client says of the length is not believed: bytes are counted. A body has to go on at some pace from the end of a
grace on, so that none is dripped in for hours.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sfumato.app.service.http.problems import Refused
from sfumato.app.service.settings import ServiceSettings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SMALL = 64 * 1024  # bytes of a body that is no file
ENVELOPE = 16 * 1024  # bytes of multipart around a file
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
_log = logging.getLogger("sfumato.service")


class Bodies:
    """ASGI middleware. `uploads`: the address that takes files."""

    def __init__(self, app: App, settings: ServiceSettings, uploads: str) -> None:
        self.app, self.settings, self.uploads = app, settings, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        takes_files = scope["path"] == self.uploads and scope["method"] == "POST"
        most = self.settings.largest + ENVELOPE if takes_files else SMALL
        started, got, status = time.monotonic(), 0, 0

        async def counted() -> Message:
            nonlocal got
            grace, rate = self.settings.body_grace, self.settings.body_rate
            left = started + grace + got / rate - time.monotonic()
            try:
                message = await asyncio.wait_for(receive(), max(left, 0.001)) if waiting else await receive()
            except TimeoutError:
                raise Refused(408, Connection="close") from None
            got += len(message.get("body", b""))
            if got > most:
                raise Refused(413, Connection="close")
            note(message)
            return message

        waiting = True

        def note(message: Message) -> None:
            nonlocal waiting  # after its end only a disconnection comes, whenever it likes
            waiting = waiting and message["type"] == "http.request" and bool(message.get("more_body"))

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                there = {name.lower() for name, _ in message["headers"]}
                more = [(name, value) for name, value in _HEADERS.items() if name not in there]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        try:
            await self.app(scope, counted, dressed)
        finally:
            route = getattr(scope.get("route"), "path", None)  # the pattern: an address may hold what nobody should log
            facts = {"method": scope["method"], "route": route, "answer": status, "bytes": got}
            _log.info("request", extra=facts | {"seconds": round(time.monotonic() - started, 4)})
