"""Whether the service says how it is."""

from __future__ import annotations

import shutil
from typing import Any

import httpx


def test_it_is_alive_and_ready_until_its_folder_is_gone(served: Any) -> None:
    service = served()
    assert httpx.get(f"{service.address}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{service.address}/readyz").status_code == 200
    shutil.rmtree(service.running.settings.uploads)
    answer = httpx.get(f"{service.address}/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert httpx.get(f"{service.address}/healthz").status_code == 200


def test_numbers_are_told_to_an_admin(served: Any) -> None:
    service = served()
    client, admin = service.client(), service.client(role="admin")
    client.post("/v1/jobs", files={"file": ("a.mp4", b"calm")})
    service.judge_all()
    client.post("/v1/jobs", files={"file": ("b.mp4", b"calm")})
    lines = admin.get("/metrics").text.splitlines()
    assert 'sfumato_jobs{state="queued"} 1.0' in lines
    assert 'sfumato_jobs{state="done"} 1.0' in lines
    assert 'sfumato_judged_total{verdict="no-evidence"} 1.0' in lines
    assert any(line.startswith("sfumato_queue_age_seconds ") for line in lines)
    assert any(line.startswith('sfumato_judging_seconds_total{verdict="no-evidence"}') for line in lines)
