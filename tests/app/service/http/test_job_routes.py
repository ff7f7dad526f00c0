"""The API of jobs over a real socket: what it takes, whose it is, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from sfumato.app.review.decisions import label, read_decisions
from sfumato.app.scan.record import SCHEMA_VERSION
from tests.review_fixtures import HOSTILE
from tests.service_fixtures import finished

SECRET = "sfk_" + "x" * 43


def hand_in(client: Any, data: bytes = b"calm", name: str = "a.mp4") -> dict[str, Any]:
    answer = client.post("/v1/jobs", files={"file": (name, data)})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def test_a_file_goes_in_and_its_record_comes_out(served: Any) -> None:
    client = served(working=True).client()
    job = hand_in(client, b"calm footage")
    assert (job["state"], job["size"], job["sha256"]) == ("queued", 12, hashlib.sha256(b"calm footage").hexdigest())
    done = finished(client, job["id"])
    assert (done["verdict"], done["status"], done["review"], done["attempts"]) == ("no-evidence", "ok", False, 1)
    record = client.get(f"/v1/jobs/{job['id']}/record").json()
    assert record["file"] == {"path": "a.mp4", "sha256": job["sha256"], "size": 1000}
    assert record["schema_version"] == SCHEMA_VERSION


def test_a_body_may_be_the_file_itself(served: Any) -> None:
    client = served().client()
    headers = {"Content-Type": "application/octet-stream"}
    job = client.post("/v1/jobs", params={"name": "b.png"}, content=b"12345", headers=headers).json()
    assert (job["name"], job["size"]) == ("b.png", 5)


@pytest.mark.parametrize(
    "given", ["../../../etc/passwd", "..\\..\\boot.ini", "/etc/ssh/key", "..", ".", "\x00\r\n", "a" * 900]
)
def test_no_name_leads_out_of_the_folder(served: Any, given: str) -> None:
    service = served()
    before = set(service.running.settings.folder.iterdir())
    headers = {"Content-Type": "application/octet-stream"}
    job = service.client().post("/v1/jobs", params={"name": given}, content=b"1", headers=headers).json()
    uploads = service.running.settings.uploads
    assert [path.relative_to(uploads).parts for path in uploads.rglob("*") if path.is_file()] == [
        (job["id"], job["name"])
    ]
    assert "/" not in job["name"]
    assert set(service.running.settings.folder.iterdir()) == before


def test_hostile_names_stay_text(served: Any) -> None:
    service = served()
    client = service.client(role="review")
    job = hand_in(client, b"1", f"{HOSTILE}'; drop table service_jobs; --.mp4")
    service.judge_all()
    assert client.get("/v1/jobs").json()["jobs"][0]["id"] == job["id"]
    assert client.get("/v1/jobs", params={"cursor": "1_' or 1=1 --"}).status_code == 422
    assert client.get(f"/v1/jobs/{job['id']}/file").content == b"1"
    assert client.put(f"/v1/jobs/{job['id']}/decision", json={"decision": "real", "reason": HOSTILE}).status_code == 200


def test_another_owners_job_is_not_there(served: Any) -> None:
    service = served()
    mine, admin = service.client("a", "review"), service.client("b", "admin")
    job_id = hand_in(mine)["id"]
    service.judge_all()
    asked = [
        admin.get(f"/v1/jobs/{job_id}"), admin.get(f"/v1/jobs/{job_id}/record"), admin.get(f"/v1/jobs/{job_id}/file"),
        admin.delete(f"/v1/jobs/{job_id}"), admin.get(f"/v1/jobs/{job_id}/decisions"),
        admin.put(f"/v1/jobs/{job_id}/decision", json={"decision": "real"}),
        admin.delete(f"/v1/jobs/{job_id}/decision"),
    ]  # fmt: skip
    assert {answer.status_code for answer in asked} == {404}
    assert admin.get("/v1/jobs").json()["jobs"] == []
    assert mine.get(f"/v1/jobs/{job_id}").status_code == 200


def test_a_key_does_what_its_role_allows(served: Any) -> None:
    service = served()
    submit, review = service.client(role="submit"), service.client(role="review", name="Bo")
    job_id = hand_in(submit)["id"]
    service.judge_all()
    assert submit.put(f"/v1/jobs/{job_id}/decision", json={"decision": "real"}).status_code == 403
    assert submit.get("/v1/decisions").status_code == 403
    assert review.put(f"/v1/jobs/{job_id}/decision", json={"decision": "real"}).status_code == 200
    assert review.get("/v1/keys").status_code == 403
    assert review.get("/metrics").status_code == 403
    for headers in ({}, {"Authorization": f"Bearer {SECRET}"}, {"Authorization": "Basic eDp5"}):
        answer = httpx.get(f"{service.address}/v1/jobs", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "no_key")
    service.running.access.revoke(review.made.key.id)
    assert review.get("/v1/jobs").status_code == 401


def test_decisions_are_exported_as_labels_reads_them(served: Any, tmp_path: Path) -> None:
    service = served()
    ada, bo = service.client(role="review"), service.client(role="review", name="Bo")
    (tmp_path / "a.mp4").write_bytes(b"calm 1")
    (tmp_path / "b.mp4").write_bytes(b"calm 2")
    first, second = hand_in(ada, b"calm 1")["id"], hand_in(ada, b"calm 2", "b.mp4")["id"]
    service.judge_all()
    for client, job_id, said in ((ada, first, "generated"), (ada, first, "manipulated"), (bo, second, "real")):
        assert client.put(f"/v1/jobs/{job_id}/decision", json={"decision": said, "reason": "jaw"}).status_code == 200
    assert [line["decision"] for line in ada.get(f"/v1/jobs/{first}/decisions").json()] == ["manipulated"]
    export = tmp_path / "decisions.jsonl"
    export.write_text(ada.get("/v1/decisions").text)
    found = label(read_decisions([export]), tmp_path / "labels.csv")
    assert [row[:2] for row in found.rows] == [("a.mp4", "fake"), ("b.mp4", "real")]
    assert found.reviewers == {"Ada", "Bo"}
    assert bo.delete(f"/v1/jobs/{first}/decision").status_code == 404  # Ada's stays
    assert ada.delete(f"/v1/jobs/{first}/decision").status_code == 204
    assert len(ada.get("/v1/decisions").text.splitlines()) == 1


def test_a_list_is_paged_and_filtered(served: Any) -> None:
    client = served().client()
    ids = [hand_in(client, str(number).encode())["id"] for number in range(5)]
    found, cursor = [], None
    while True:
        page = client.get("/v1/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [job["id"] for job in page["jobs"]]
        if (cursor := page["next"]) is None:
            break
    assert found == ids[::-1]
    assert client.get("/v1/jobs", params={"state": "done"}).json()["jobs"] == []
    assert len(client.get("/v1/jobs", params={"state": "queued"}).json()["jobs"]) == 5
    assert client.get("/v1/jobs", params={"verdict": "no-evidence"}).json()["jobs"] == []
    assert client.get("/v1/jobs", params={"verdict": "nonsense"}).status_code == 422


def test_a_range_of_the_file_is_given(served: Any) -> None:
    client = served().client()
    job_id = hand_in(client, b"0123456789")["id"]
    part = client.get(f"/v1/jobs/{job_id}/file", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["content-type"]) == (206, b"234", "video/mp4")
    assert "sandbox" in part.headers["content-security-policy"]
    assert client.get(f"/v1/jobs/{job_id}/file", headers={"Range": "bytes=99-"}).status_code == 416
    page = hand_in(client, b"<script>alert(1)</script>", "x.svg")["id"]
    whole = client.get(f"/v1/jobs/{page}/file")
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["content-disposition"].startswith("attachment")


def test_a_deleted_job_leaves_nothing(served: Any) -> None:
    service = served()
    client = service.client(role="review")
    job_id = hand_in(client)["id"]
    service.judge_all()
    client.put(f"/v1/jobs/{job_id}/decision", json={"decision": "real"})
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert client.get(f"/v1/jobs/{job_id}").status_code == 404
    assert client.get("/v1/decisions").text == ""
    assert list(service.running.settings.uploads.iterdir()) == []


def test_old_uploads_go_and_records_stay(served: Any) -> None:
    service = served()
    client = service.client()
    job_id = hand_in(client)["id"]
    service.judge_all()
    assert service.running.jobs.expire(1.0) == 0
    time.sleep(0.1)
    assert service.running.jobs.expire(1e-6) == 1
    assert client.get(f"/v1/jobs/{job_id}/file").status_code == 410
    assert client.get(f"/v1/jobs/{job_id}/record").status_code == 200
    assert client.get(f"/v1/jobs/{job_id}").json()["uploaded"] is False


def test_what_is_no_upload_is_refused_and_leaves_nothing(served: Any) -> None:
    service = served(largest=1000)
    client = service.client()
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    refused = {
        "no file": client.post("/v1/jobs", data={"a": "b"}, files={}),
        "address": client.post("/v1/jobs", json={"url": "http://127.0.0.1/"}),
        "no address": client.post("/v1/jobs", json={"path": "/etc/passwd"}),
        "empty": client.post("/v1/jobs", files={"file": ("a.mp4", b"")}),
        "no form": client.post("/v1/jobs", content=b"nonsense", headers=multipart),
        "no boundary": client.post("/v1/jobs", content=b"x", headers={"Content-Type": "multipart/form-data"}),
        "large": client.post("/v1/jobs", files={"file": ("a.mp4", b"x" * 1001)}),
    }
    codes = {name: answer.status_code for name, answer in refused.items()}
    assert codes == {"no file": 415, "address": 422, "no address": 422, "empty": 400, "no form": 400,
                     "no boundary": 400, "large": 413}  # fmt: skip
    assert list(service.running.settings.uploads.iterdir()) == []
    assert client.get("/v1/jobs").json()["jobs"] == []


def talked(address: str, head: str, chunks: list[bytes], pause: float = 0.0) -> str:
    """What comes back of a request that is written by hand."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as wire:
        wire.sendall(head.encode())
        try:
            for chunk in chunks:
                wire.sendall(chunk)
                time.sleep(pause)
        except OSError:
            pass
        return wire.recv(4096).decode("latin-1")


def test_a_length_that_lies_is_not_believed(served: Any) -> None:
    service = served(largest=100_000)
    secret = service.client().made.secret
    head = (
        f"POST /v1/jobs?name=a.mp4 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
        "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    assert talked(service.address, head, [chunk] * 40).startswith("HTTP/1.1 413")
    assert list(service.running.settings.uploads.iterdir()) == []


def test_a_slow_body_is_cut_off(served: Any) -> None:
    service = served(body_grace=0.5)
    secret = service.client().made.secret
    head = (
        f"POST /v1/jobs?name=a.mp4 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
        "Content-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\n"
    )
    started = time.monotonic()
    assert talked(service.address, head, [b"x"] * 20, 0.1).startswith("HTTP/1.1 408")
    assert time.monotonic() - started < 15
    assert list(service.running.settings.uploads.iterdir()) == []


def test_quota_and_rate_are_held(served: Any) -> None:
    service = served(jobs_a_day=2)
    first, second = service.client(), service.client()
    hand_in(first), hand_in(second)
    answer = first.post("/v1/jobs", files={"file": ("a.mp4", b"1")})
    assert (answer.status_code, answer.json()["message"]) == (429, "The owner has had the jobs of today.")
    hand_in(service.client("other"))
    service.running.jobs.remove("team", first.get("/v1/jobs").json()["jobs"][0]["id"])
    assert second.post("/v1/jobs", files={"file": ("a.mp4", b"1")}).status_code == 429  # deleting earns no further one


def test_one_request_too_many_has_to_wait(served: Any) -> None:
    client = served(requests_a_minute=3).client()
    codes = [client.get("/v1/jobs").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    assert int(client.get("/v1/jobs").headers["retry-after"]) >= 1


def test_every_answer_forbids_what_it_does_not_need(served: Any) -> None:
    answer = served().client().get("/v1/jobs")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_record_is_told_as_it_was_written(served: Any) -> None:
    service = served()
    client = service.client()
    job_id = hand_in(client)["id"]
    service.judge_all()
    line = service.running.jobs.record("team", job_id)
    assert client.get(f"/v1/jobs/{job_id}/record").text == line
    assert json.loads(line)["notes"]
