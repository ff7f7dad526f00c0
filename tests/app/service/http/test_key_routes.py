"""Keys over the API: an admin makes, lists and ends them."""

from __future__ import annotations

from typing import Any

import httpx


def test_an_admin_makes_lists_and_ends_keys(served: Any) -> None:
    service = served()
    admin = service.client("house", "admin")
    asked = {"owner": "press", "name": "Bo", "role": "review", "webhook": "https://example.com/hook"}
    made = admin.post("/v1/keys", json=asked)
    assert made.status_code == 201
    headers = {"Authorization": f"Bearer {made.json()['secret']}"}
    assert len(made.json()["webhook_secret"]) == 64
    assert httpx.get(f"{service.address}/v1/jobs", headers=headers).status_code == 200
    listed = admin.get("/v1/keys").text
    assert made.json()["key"]["id"] in listed
    assert made.json()["secret"] not in listed
    assert made.json()["webhook_secret"] not in listed
    assert admin.delete(f"/v1/keys/{made.json()['key']['id']}").status_code == 204
    assert admin.delete(f"/v1/keys/{made.json()['key']['id']}").status_code == 404
    assert httpx.get(f"{service.address}/v1/jobs", headers=headers).status_code == 401
