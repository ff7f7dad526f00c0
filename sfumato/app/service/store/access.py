"""Who may do what: API keys and the sessions of browsers, each a random secret of which only the digest is kept.

The secrets have 256 random bits. Nobody finds one by trying, so a plain SHA-256 protects them as well as a slow hash
would, which exists for passwords that people think up; and it costs a request nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import delete, func, insert, select, update

from sfumato.app.service.store.database import Database, keys, sessions
from sfumato.errors import UsageError

Role = Literal["submit", "review", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do what those before it may
PREFIX = "sfk_"
LONGEST_NAME = 100


@dataclass(frozen=True)
class Key:
    """owner: whose jobs it sees; name: who stands behind it; created, revoked: seconds since 1970; webhook: the address
    that is told of its finished jobs.
    """

    id: str
    owner: str
    name: str
    role: Role
    created: float
    revoked: float | None
    webhook: str | None

    def may(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class NewKey:
    """secret: what the holder presents; webhook_secret: what webhooks are signed with, None without one. Neither can be
    shown again.
    """

    key: Key
    secret: str
    webhook_secret: str | None


def digest(secret: str) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Access:
    """Keys and sessions of one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add_key(self, owner: str, name: str, role: str, webhook: str | None = None) -> NewKey:
        """Raises UsageError for an unknown role, a name that is empty or too long, or no address for a webhook."""
        for what, value in (("owner", owner), ("name", name)):
            if not value.strip() or len(value) > LONGEST_NAME or not value.isprintable():
                raise UsageError(f"The {what} of a key has 1 to {LONGEST_NAME} printable characters", "Give another.")
        if role not in ROLES:
            raise UsageError(f"There is no role {role!r}", f"Choose one of: {', '.join(ROLES)}.")
        if webhook is not None and not webhook.startswith(("https://", "http://")):
            raise UsageError("A webhook is an address with https:// or http://", "Give the whole address.")
        secret = PREFIX + secrets.token_urlsafe(32)
        signing = None if webhook is None else secrets.token_hex(32)
        with self.database.writing() as connection:
            values: dict[str, Any] = {
                "id": secrets.token_hex(8), "owner": owner.strip(), "name": name.strip(), "role": role,
                "created": self.database.now(connection), "revoked": None, "webhook": webhook,
            }  # fmt: skip
            row = values | {"digest": digest(secret), "webhook_secret": signing}
            connection.execute(insert(keys).values(**row))
        return NewKey(Key(**values), secret, signing)

    def first_key(self) -> NewKey | None:
        """An admin's key, if there is no key yet."""
        with self.database.reading() as connection:
            if connection.execute(select(func.count()).select_from(keys)).scalar_one():
                return None
        return self.add_key("admin", "admin", "admin")

    def all_keys(self) -> list[Key]:
        """All of them, the revoked ones too, in the order of their making."""
        with self.database.reading() as connection:
            return [_key(row) for row in connection.execute(select(keys).order_by(keys.c.created, keys.c.id))]

    def revoke(self, key_id: str) -> bool:
        """Ends a key, its webhook and its sessions, for good; False where there is none that could be ended."""
        with self.database.writing() as connection:
            now = self.database.now(connection)
            ended = (
                update(keys)
                .where(keys.c.id == key_id, keys.c.revoked.is_(None))
                .values(revoked=now, webhook_secret=None)
            )
            connection.execute(delete(sessions).where(sessions.c.key_id == key_id))
            return connection.execute(ended).rowcount == 1

    def by_secret(self, secret: str) -> Key | None:
        """The key that is presented; None for one that is unknown or revoked."""
        with self.database.reading() as connection:
            found = select(keys).where(keys.c.digest == digest(secret), keys.c.revoked.is_(None))
            row = connection.execute(found).first()
        return None if row is None else _key(row)

    def begin_session(self, key: Key, seconds: float) -> str:
        """A secret that stands for the key in a browser, for so long."""
        secret = secrets.token_urlsafe(32)
        with self.database.writing() as connection:
            now = self.database.now(connection)
            connection.execute(delete(sessions).where(sessions.c.ends < now))
            connection.execute(insert(sessions).values(digest=digest(secret), key_id=key.id, ends=now + seconds))
        return secret

    def by_session(self, secret: str) -> Key | None:
        """The key behind a session that has not ended."""
        with self.database.reading() as connection:
            joined = select(keys).join(sessions, sessions.c.key_id == keys.c.id)
            now = self.database.now(connection)
            alive = joined.where(sessions.c.digest == digest(secret), sessions.c.ends >= now, keys.c.revoked.is_(None))
            row = connection.execute(alive).first()
        return None if row is None else _key(row)

    def end_session(self, secret: str) -> None:
        with self.database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest(secret)))


def _key(row: Any) -> Key:
    return Key(row.id, row.owner, row.name, row.role, row.created, row.revoked, row.webhook)
