"""Files by address: of allowed hosts, at public addresses, through every redirect."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.fetch_server import answering, loopback_is_public, names, said


def asked(client: Any, url: str) -> tuple[int, str]:
    answer = client.post("/v1/jobs", json={"url": url})
    return answer.status_code, answer.json().get("message", "")


def test_a_file_is_fetched_from_an_allowed_host(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    service = served(allow_url=frozenset({"films.example"}), largest=1000)
    client = service.client()
    loopback_is_public(monkeypatch)
    names(monkeypatch, {"films.example": [["127.0.0.1"]]})

    def answer(line: str) -> Iterable[bytes]:
        yield said(b"x" * 2000 if "large" in line else b"footage")

    with answering(answer) as (address, _):
        port = address.rpartition(":")[2].strip("/")
        job = client.post("/v1/jobs", json={"url": f"http://films.example:{port}/a/..%2Fclip.mp4?token=secret"})
        large = asked(client, f"http://films.example:{port}/large.mp4")
    assert job.status_code == 202
    assert (job.json()["name"], job.json()["size"]) == ("clip.mp4", 7)
    assert client.get(f"/v1/jobs/{job.json()['id']}/file").content == b"footage"
    assert large[0] == 422
    assert [path.name for path in service.running.settings.uploads.iterdir()] == [job.json()["id"]]


def test_no_other_host_and_no_private_address_is_reached(
    served: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = served(allow_url=frozenset({"films.example", "127.0.0.1", "169.254.169.254", "moved.example"}))
    client = service.client()
    names(monkeypatch, {"films.example": [["10.0.0.7"]], "moved.example": [["127.0.0.1"]]})
    for url in ("http://127.0.0.1:1/", "http://films.example/", "http://169.254.169.254/latest", "http://other.example/",
                "file:///etc/passwd", "s3://bucket/key", "nonsense"):  # fmt: skip
        assert asked(client, url)[0] == 422, url
    loopback_is_public(monkeypatch)

    def moves(line: str) -> Iterable[bytes]:
        yield said(b"", "Location: http://other.example/clip.mp4", status="302 Found")

    with answering(moves) as (address, seen):
        port = address.rpartition(":")[2].strip("/")
        status, words = asked(client, f"http://moved.example:{port}/?token=secret")
    assert status == 422
    assert "other.example is not among the hosts" in words
    assert "secret" not in words
    assert len(seen) == 1
    assert list(service.running.settings.uploads.iterdir()) == []


def test_without_a_list_no_address_is_taken(served: Any) -> None:
    assert asked(served().client(), "https://example.com/a.mp4") == (422, "This service takes no addresses.")
