"""Webhooks: finished jobs in, signed messages to the address of the key out, until one is taken or given up.

A message waits in the same transaction that keeps the record. It is signed with the key's own secret over its time, its
id and its body, so that neither can be changed or sent again later. It is repeated, ever more rarely, until the address
answers with 2xx. A process that dies between sending and noting that sends it again: its id tells the two to be one.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import logging
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from sfumato.app.service.store.database import Database, deliveries, keys
from sfumato.app.service.store.queue import WAITING
from sfumato.version import __version__

DELIVERED, FAILED = "delivered", "failed"
_PATIENCE = 10.0  # seconds for an answer
_IN_HAND = 60.0  # seconds until a message that a sender took is another's
_log = logging.getLogger("sfumato.service")


@dataclass(frozen=True)
class _Message:
    id: str
    attempts: int
    body: str
    url: str | None
    secret: str | None


def signature(secret: str, timestamp: str, message_id: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256, hex, of `TIMESTAMP.ID.BODY` under the key's webhook secret."""
    signed = f"{timestamp}.{message_id}.".encode() + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


class Webhooks:
    """Sends what is due. `first`: seconds to the second attempt, four times as long to each after; `attempts`: so many,
    with the usual values over fifteen hours.
    """

    def __init__(self, database: Database, first: float = 10.0, attempts: int = 8) -> None:
        self.database, self.first, self.attempts = database, first, attempts

    def send_due(self) -> int:
        """How many were sent, taken or not. Raises OutputError."""
        sent = 0
        while (message := self._next()) is not None:
            problem = _post(message)
            self._note(message, problem)
            sent += 1
        return sent

    def _next(self) -> _Message | None:
        columns = (deliveries.c.id, deliveries.c.attempts, deliveries.c.body, keys.c.webhook, keys.c.webhook_secret)
        with self.database.writing() as connection:
            now = self.database.now(connection)
            due = select(*columns).join(keys, keys.c.id == deliveries.c.key_id)
            due = due.where(deliveries.c.state == WAITING, deliveries.c.due <= now).order_by(deliveries.c.due).limit(1)
            row = connection.execute(due.with_for_update(skip_locked=True, of=deliveries)).first()
            if row is None:
                return None
            taken = {"due": now + _IN_HAND, "attempts": row.attempts + 1}
            connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(**taken))
            return _Message(row.id, row.attempts + 1, row.body, row.webhook, row.webhook_secret)

    def _note(self, message: _Message, problem: str | None) -> None:
        with self.database.writing() as connection:
            now = self.database.now(connection)
            changes: dict[str, Any] = {"problem": problem}
            if problem is None:
                changes |= {"state": DELIVERED}
            elif message.attempts >= self.attempts:
                changes |= {"state": FAILED}
            else:
                changes |= {"due": now + self.first * 4.0 ** (message.attempts - 1)}
            connection.execute(update(deliveries).where(deliveries.c.id == message.id).values(**changes))
        facts = {"webhook": message.id, "attempt": message.attempts, "problem": problem}
        _log.log(logging.INFO if problem is None else logging.WARNING, "webhook", extra=facts)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An address that an admin named is talked to, and no other."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


def _post(message: _Message) -> str | None:
    """Why it was not taken; None if it was."""
    if message.url is None or message.secret is None:
        return "the key has no webhook any more"
    body, timestamp = message.body.encode(), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"sfumato/{__version__}",
        "Sfumato-Id": message.id,
        "Sfumato-Timestamp": timestamp,
        "Sfumato-Signature": signature(message.secret, timestamp, message.id, body),
    }
    opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
    try:
        request = urllib.request.Request(message.url, body, headers)  # noqa: S310 (http and https alone: see add_key)
        with opener.open(request, timeout=_PATIENCE) as answer:
            return None if 200 <= answer.status < 300 else f"it answered {answer.status}"
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answered {error.code}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{type(error).__name__}"  # its words may hold the address, and that a secret
