"""Addresses as text: nothing of a user, a password, a fragment or a query is ever shown, and nothing raises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfumato.execution.fetch.urls import joined, known_suffix, redacted, scheme_of, target_of

SECRET = st.text(st.characters(codec="utf-8", exclude_characters="@/?#[]:\\\t\r\n "), min_size=4).map("Zq".__add__)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/a/b.mp4", "https://example.com/a/b.mp4"),
        ("HTTPS://me:pw@Example.com:444/a#part", "https://example.com:444/a"),
        ("http://[2606:2800::1]:80/x", "http://[2606:2800::1]:80/x"),
        ("s3://bucket/a/b?c.mp4", "s3://bucket/a/b?c.mp4"),
        ("s3://key:secret@bucket/a", "s3://bucket/a"),
        ("http://example.com:port/", "http://(malformed)"),
        ("no address", "(no address)"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert redacted(url) == shown


def test_two_queries_are_told_apart_and_neither_is_told() -> None:
    one, two = redacted("https://example.com/a?id=1"), redacted("https://example.com/a?id=2")
    assert one != two
    assert one == redacted("https://me@example.com/a?id=1#x")
    assert one.startswith("https://example.com/a?redacted=")
    assert len(one.rpartition("=")[2]) == 8


@settings(max_examples=15)  # each takes a slow digest
@given(SECRET, SECRET, SECRET)
def test_no_secret_is_shown(password: str, query: str, fragment: str) -> None:
    shown = redacted(f"https://user:{password}@example.com/a.mp4?token={query}#{fragment}")
    assert not any(each in shown for each in (password, query, fragment))


@given(st.text(), st.sampled_from(["", "http://", "https://", "s3://", "http://[", "ftp://"]))
def test_whatever_is_written_is_shown_or_refused(text: str, scheme: str) -> None:
    redacted(scheme + text)
    known_suffix(scheme + text)
    scheme_of(scheme + text)
    try:
        target = target_of(scheme + text)
    except ValueError as error:
        assert len(text) < 8 or text not in str(error)
    else:
        assert target.resource.isascii()
        assert target.resource.startswith("/") or "?" in target.resource
        assert not any(character in target.resource for character in " \r\n\t")


@pytest.mark.parametrize(
    "url", ["http://exa mple.com/", "http://example.com/a b", "http://example.com\\@127.0.0.1/", "http://ex\u00e4mple.com/",
            "http://example.com:99999/", "http:///x", "http://example.com/" + "a" * 9000, "http://a@b@c/", "https://-a/"]
)  # fmt: skip
def test_an_address_with_a_trick_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|password"):
        target_of(url)


def test_what_is_asked_for_is_plain() -> None:
    target = target_of("https://me:p%40@example.com./ä?x=ö%20y#z")
    assert (target.secure, target.host, target.port) == (True, "example.com", 443)
    assert target.resource == "/%C3%A4?x=%C3%B6%20y"
    assert target.authorization == "Basic bWU6cEA="


def test_which_words_are_addresses() -> None:
    assert [scheme_of(word) for word in ("http://x", "HTTPS://x", "s3://b/k")] == ["http", "https", "s3"]
    assert not any(map(scheme_of, ["C:\\x", "a/b.mp4", "http:/x", "://x", "", "-", "a b://x", "../x://y"]))


def test_a_redirect_is_read_as_the_bytes_that_were_sent() -> None:
    assert joined("https://example.com/a/b", "../ü".encode().decode("latin-1")) == "https://example.com/ü"


@pytest.mark.parametrize(
    ("url", "suffix"), [("http://x/a.MP4", ".mp4"), ("http://x/a.mp4?b.png", ".mp4"), ("http://x/a.exe", ""),
                        ("s3://b/k/a.png", ".png"), ("s3://b.png", ""), ("http://[x/a.mp4", "")]
)  # fmt: skip
def test_only_suffixes_of_pictures_and_videos_are_kept(url: str, suffix: str) -> None:
    assert known_suffix(url) == suffix
