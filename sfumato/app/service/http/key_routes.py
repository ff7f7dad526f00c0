"""The routes of keys, for admins: add, list, revoke."""

from __future__ import annotations

from fastapi import APIRouter

from sfumato.app.service.http.guard import Admin, TheService
from sfumato.app.service.http.problems import Refused, may_answer
from sfumato.app.service.http.shapes import KeyId, KeyIn, KeyShape, NewKeyShape

router = APIRouter(tags=["keys"])


@router.post("/v1/keys", status_code=201, responses=may_answer())
def add(service: TheService, key: Admin, asked: KeyIn) -> NewKeyShape:
    """Make a key. Its secrets are shown this once."""
    made = service.access.add_key(asked.owner, asked.name, asked.role, asked.webhook)
    return NewKeyShape(key=KeyShape.of(made.key), secret=made.secret, webhook_secret=made.webhook_secret)


@router.get("/v1/keys", responses=may_answer())
def listed(service: TheService, key: Admin) -> list[KeyShape]:
    """Every key, the revoked ones too."""
    return [KeyShape.of(each) for each in service.access.all_keys()]


@router.delete("/v1/keys/{key_id}", status_code=204, responses=may_answer(404))
def revoke(service: TheService, key: Admin, key_id: KeyId) -> None:
    """End a key and its sessions, for good."""
    if not service.access.revoke(key_id):
        raise Refused(404)
