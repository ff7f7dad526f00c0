"""Somebody else's repository behind HTTP: it gets what it must have and no more; strange answers are errors."""

from __future__ import annotations

import pytest

from provenance.durable.recovery import recover
from provenance.durable.resolver import HttpResolver
from sfumato.errors import OutputError, UsageError
from tests.resolver_server import serve


def test_an_outside_resolver_gets_the_payload_and_no_more(entered, entered_copy, tmp_path) -> None:
    with serve(entered.repository, tmp_path / "upload.mp4") as (address, seen):
        found = recover(entered_copy, [HttpResolver(address)])
        assert HttpResolver(address).supported_algorithms()["watermarks"] == ["org.sfumato.watermark.1"]
    assert found.outcome == "watermark"  # its fingerprint is not known here
    assert found.store == entered.store
    assert not (tmp_path / "upload.mp4").exists()
    identifier = entered.manifest_id.replace(":", "%3A")
    assert [line.split("?")[0] for line in seen[:2]] == ["GET /v1/matches/byBinding", f"GET /v1/manifests/{identifier}"]


def test_the_file_goes_out_only_where_that_was_allowed(entered, entered_copy, tmp_path) -> None:
    with serve(entered.repository, tmp_path / "upload.mp4") as (address, seen):
        found = recover(entered_copy, [HttpResolver(address, send_content=True)])
    assert any(line.startswith("POST /v1/matches/byContent?") for line in seen)
    assert (tmp_path / "upload.mp4").read_bytes() == entered_copy.read_bytes()
    assert {candidate.manifest_id for candidate in found.candidates} == {entered.manifest_id}


@pytest.mark.parametrize(
    "answer",
    [b"no json", b"[1, 2]", b'{"matches": "x"}', b'{"matches": [1, {"manifestId": 5}, {}]}', b"[" * 100_000],
    ids=["text", "a list", "a string", "odd entries", "nested"],
)
def test_strange_answers_are_an_error_or_nothing(entered, tmp_path, answer) -> None:
    with serve(entered.repository, tmp_path / "u", {"/v1/matches/byBinding": answer}) as (address, _):
        try:
            assert HttpResolver(address).by_binding("a.b", "AAAA") == []
        except OutputError as error:
            assert address in str(error)


def test_a_resolver_that_is_not_there_is_named() -> None:
    with pytest.raises(OutputError, match=r"127\.0\.0\.1:1"):
        HttpResolver("http://127.0.0.1:1/v1").by_binding("a.b", "AAAA")


@pytest.mark.parametrize(
    "address",
    ["ftp://example.org", "example.org", "https://", "https://example.org/?x=1", "file:///etc/passwd", "http://[::1"],
)
def test_what_is_no_address_is_refused(address) -> None:
    with pytest.raises(UsageError):
        HttpResolver(address)


def test_an_unknown_manifest_is_none(entered, tmp_path) -> None:
    with serve(entered.repository, tmp_path / "u") as (address, _):
        assert HttpResolver(address).manifest("urn:c2pa:none") is None
