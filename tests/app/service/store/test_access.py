"""Keys: random, kept as digests, each with a role, revoked for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.service.store.access import Access
from sfumato.app.service.store.database import Database
from sfumato.errors import UsageError


def test_a_key_is_known_by_its_secret_until_it_is_revoked(address: str) -> None:
    with Database(address) as database:
        access = Access(database)
        made = access.add_key("team", "Ada", "review", "https://example.com/hook")
        assert access.by_secret(made.secret) == made.key
        assert access.by_secret(made.secret[:-1]) is None
        session = access.begin_session(made.key, 60)
        assert access.by_session(session) == made.key
        assert access.revoke(made.key.id)
        assert not access.revoke(made.key.id)
        assert access.by_secret(made.secret) is None
        assert access.by_session(session) is None
        assert [key.revoked is not None for key in access.all_keys()] == [True]


def test_no_secret_is_kept(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'service.sqlite3'}") as database:
        access = Access(database)
        made = access.add_key("team", "Ada", "admin")
        session = access.begin_session(made.key, 60)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert made.secret.encode() not in held
    assert session.encode() not in held
    assert made.key.id.encode() in held


def test_each_role_may_do_what_those_before_it_may(address: str) -> None:
    with Database(address) as database:
        keys = {role: Access(database).add_key("team", "Ada", role).key for role in ("submit", "review", "admin")}
    may = {role: [key.may(other) for other in ("submit", "review", "admin")] for role, key in keys.items()}
    assert may == {"submit": [True, False, False], "review": [True, True, False], "admin": [True, True, True]}


def test_the_first_key_is_made_once(address: str) -> None:
    with Database(address) as database:
        access = Access(database)
        made = access.first_key()
        assert made is not None
        assert made.key.role == "admin"
        assert access.first_key() is None
        access.revoke(made.key.id)
        assert access.first_key() is None


@pytest.mark.parametrize(
    "asked",
    [("", "Ada", "submit"), ("team", "A" * 101, "submit"), ("team", "A\x1b[31m", "submit"), ("team", "Ada", "root"),
     ("team", "Ada", "submit", "file:///etc/passwd")],
)  # fmt: skip
def test_nonsense_is_refused(address: str, asked: tuple[str, ...]) -> None:
    with Database(address) as database, pytest.raises(UsageError):
        Access(database).add_key(*asked)
