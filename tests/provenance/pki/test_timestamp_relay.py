"""The relay between the library and a time-stamp authority: what it lets through, and what a Stamping may say."""

from __future__ import annotations

import socket
from contextlib import AbstractContextManager
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from provenance.pki.timestamp import Stamping, relay, without_proxy
from sfumato.errors import UsageError
from tests.provenance.stamping import serve

STAMP = {"Content-Type": "application/timestamp-reply"}
NOBODY = "http://127.0.0.1:1/"


def _authority(content: bytes = b"a token") -> AbstractContextManager[tuple[str, list[str]]]:
    return serve(lambda path, query: (200, STAMP, content))


def _post(address: str, query: bytes, headers: dict[str, str] | None = None) -> tuple[int, str | None, bytes]:
    """Status, media type and content of the answer to a query."""
    try:
        answer = build_opener(ProxyHandler({})).open(Request(address, query, headers or {}), timeout=5)
    except HTTPError as refused:
        refused.close()
        return refused.code, None, b""
    with answer:
        return answer.status, answer.headers["Content-Type"], answer.read()


def test_a_query_and_its_answer_pass_unchanged() -> None:
    seen: list[bytes] = []

    def note(path: str, query: bytes) -> tuple[int, dict[str, str], bytes]:
        seen.append(query)
        return 200, STAMP, b"a token"

    with serve(note) as (address, _), relay(Stamping(f"{address}/tsa")) as between:
        assert _post(between.address, b"one") == (200, "application/timestamp-reply", b"a token")
        assert _post(between.address, b"?") == (200, "application/timestamp-reply", b"a token")
        assert (between.asked, between.failure, seen) == (2, "", [b"one", b"?"])


@pytest.mark.parametrize(("size", "status"), [(0, 404), (1, 200), (64 * 1024, 200), (64 * 1024 + 1, 404)])
def test_only_a_query_of_a_sensible_size_reaches_the_authority(size: int, status: int) -> None:
    with _authority() as (address, seen), relay(Stamping(address)) as between:
        assert _post(between.address, b"q" * size)[0] == status
        assert between.asked == len(seen) == (status == 200)


def test_a_query_that_does_not_say_how_long_it_is_does_not_reach_the_authority() -> None:
    with _authority() as (address, seen), relay(Stamping(address)) as between:
        assert _post(between.address, b"query", {"Content-Length": ""})[0] == 404
        assert seen == []


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 200), (1024 * 1024 + 1, 502)])
def test_an_answer_is_taken_up_to_a_megabyte(size: int, status: int) -> None:
    with _authority(bytes(size)) as (address, _), relay(Stamping(address)) as between:
        assert _post(between.address, b"query")[0] == status


def test_the_first_failure_is_the_one_that_is_told() -> None:
    answers = [(500, {}, b""), (302, {"Location": "/"}, b"")]
    with serve(lambda path, query: answers.pop(0)) as (address, _), relay(Stamping(address)) as between:
        assert [_post(between.address, b"query")[0] for _ in range(2)] == [502, 502]
        assert between.asked == 2
        assert "status 500" in between.failure


def test_a_failure_that_has_no_words_is_told_by_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> bytes:
        raise BrokenPipeError

    monkeypatch.setattr("provenance.pki.timestamp.ask", fail)
    with relay(Stamping(NOBODY)) as between:
        assert _post(between.address, b"query")[0] == 502
        assert between.failure == "BrokenPipeError"


def test_nobody_listens_once_the_block_has_ended() -> None:
    with relay(Stamping(NOBODY)) as between:
        assert (between.asked, between.failure) == (0, "")
        port = int(between.address.split(":")[2].split("/")[0])
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_each_relay_has_an_address_of_its_own_that_cannot_be_guessed() -> None:
    secrets = []
    for _ in range(3):
        with relay(Stamping(NOBODY)) as between:
            secrets.append(between.address.rpartition("/")[2])
    assert len(set(secrets)) == 3
    assert {len(secret) for secret in secrets} == {22}  # 16 bytes in base 64


def test_loopback_is_added_to_each_of_the_two_names_that_lacks_it() -> None:
    environment = {"no_proxy": "127.0.0.1,a.example", "NO_PROXY": ""}
    without_proxy(environment)
    assert environment == {"no_proxy": "127.0.0.1,a.example", "NO_PROXY": "127.0.0.1"}


@pytest.mark.parametrize("timeout", [0, -0.5, -1, 600.5, float("nan"), float("inf")])
def test_a_time_limit_that_makes_no_sense_is_refused(timeout: float) -> None:
    with pytest.raises(UsageError, match="makes no sense"):
        Stamping(NOBODY, timeout=timeout)


@pytest.mark.parametrize("timeout", [0.5, 1, 600])
def test_a_time_limit_of_up_to_ten_minutes_is_taken(timeout: float) -> None:
    assert Stamping(NOBODY, timeout=timeout).timeout == timeout


def test_if_nothing_else_is_said_the_authority_has_twenty_seconds_and_a_failure_fails() -> None:
    plain = Stamping(NOBODY)
    assert (plain.timeout, plain.on_failure, plain.hosts) == (20.0, "fail", ())


@pytest.mark.parametrize("url", ["http://name@tsa.example/", "http://:word@tsa.example/", "http://@tsa.example/"])
def test_a_name_or_a_password_alone_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="a name, a password"):
        Stamping(url)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(UsageError, match="Unknown policy 'ignore'"):
        Stamping(NOBODY, on_failure="ignore")
