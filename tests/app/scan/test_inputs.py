"""What a scan looks at: words, lists, patterns and addresses, each once, in order; addresses only when asked for."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.app.scan.inputs import Address, at_hand, find_sources, listed, place_of
from sfumato.errors import FetchError, UsageError
from sfumato.execution.fetch.clock import FetchLimits
from sfumato.execution.find_files import Finder
from tests.fetch_server import answering, loopback_is_public, said

NAME = st.binary(min_size=1, max_size=9).filter(lambda name: b"\0" not in name)
QUICK = FetchLimits(seconds=20)


class Slow(io.BytesIO):
    """A pipe that gives a byte at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(1)


def names(data: bytes, null: bool = False) -> list[str]:
    return list(listed(["-"], Slow(data), null))


@given(st.lists(NAME))
def test_names_that_end_with_nul_come_back_whatever_they_hold(given_names: list[bytes]) -> None:
    found = names(b"".join(name + b"\0" for name in given_names), null=True)
    assert [name.encode("utf-8", "surrogateescape") for name in found] == given_names


@given(st.lists(NAME.filter(lambda name: not set(name) & set(b"\r\n"))), st.sampled_from([b"\n", b"\r\n"]))
def test_names_that_end_with_lines_come_back(given_names: list[bytes], end: bytes) -> None:
    found = names(end.join(given_names))
    assert [name.encode("utf-8", "surrogateescape") for name in found] == given_names


def test_the_list_stands_where_the_dash_stands_and_is_read_once() -> None:
    assert list(listed(["a", "-", "b", "-"], io.BytesIO(b"1\n\n2"), False)) == ["a", "1", "2", "b"]


def test_a_list_that_ends_otherwise_than_said_is_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="--null"):
        names(b"a\0b\0")
    with pytest.raises(UsageError, match="the limit is 65536 bytes"):
        list(listed(["-"], io.BytesIO(b"x" * 70_000), False))
    with pytest.raises(UsageError, match="the limit is 65536 bytes"):
        list(listed(["-"], io.BytesIO(b"x" * 70_000 + b"\n"), False))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.mp4", "b.png", "in/c.mp4", "in/d.txt", "[x].mp4", "x.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["*.mp4"], ["[x].mp4", "a.mp4", "x.mp4"]),
        (["**/*.mp4"], ["[x].mp4", "a.mp4", "in/c.mp4", "x.mp4"]),
        (["[x].mp4"], ["[x].mp4"]),  # a file of that very name
        (["[ab].*"], ["a.mp4", "b.png"]),
        (["i*"], ["in/c.mp4"]),  # a folder that a pattern means is walked
        (["b.png", "*.png", "b.png"], ["b.png"]),
        (["gone.mp4", "in"], ["gone.mp4", "in/c.mp4"]),
    ],
)
def test_patterns_mean_what_a_shell_would_have_made_of_them(folder: Path, words: list[str], found: list[str]) -> None:
    assert find_sources(words, Finder(patterns=True), False) == list(map(Path, found))


def test_what_is_passed_over_is_counted_for_patterns_and_lists_too(folder: Path) -> None:
    finder = Finder(patterns=True)
    find_sources(listed(["-"], io.BytesIO(b"i*\n"), False), finder, False)
    assert finder.passed_over == {".txt": 1}


@pytest.mark.parametrize("words", [["*.gone"], [], ["empty"]])
def test_nothing_to_look_at_is_a_usage_error(folder: Path, words: list[str]) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match="No video or picture in"):
        find_sources(words, Finder(patterns=True), False)


def test_an_address_is_taken_only_when_asked_for_and_is_shown_without_its_secrets(folder: Path) -> None:
    words = ["https://me:secret@example.com/a.mp4?t=secret", "a.mp4", "s3://bucket/b.mp4"]
    with pytest.raises(UsageError, match=r"Add --fetch") as caught:
        find_sources(words, Finder(), False)
    assert "secret" not in str(caught.value)
    found = find_sources([*words, words[0]], Finder(), True)
    assert found == [Address(words[0]), Path("a.mp4"), Address(words[2])]
    assert "secret" not in repr(found)
    assert "secret" not in str(place_of(found[0]))
    assert place_of(found[1]) == Path("a.mp4")


def test_an_address_may_be_long_and_a_file_may_be_called_like_one(folder: Path) -> None:
    long = f"https://example.com/a.mp4?{'x' * 6000}"
    (folder / "s3:" / "b").mkdir(parents=True)
    (folder / "s3:" / "b" / "c.mp4").touch()
    assert find_sources([long, "s3://b/c.mp4"], Finder(), True) == [Address(long), Path("s3:/b/c.mp4")]


@pytest.mark.parametrize("word", ["ftp://me:secret@example.com/a.mp4", "file:///etc/passwd"])
def test_other_addresses_are_refused_without_being_told(folder: Path, word: str) -> None:
    with pytest.raises(UsageError, match="not fetched") as caught:
        find_sources([word], Finder(), True)
    assert "secret" not in str(caught.value)


def test_what_is_at_an_address_is_there_for_as_long_as_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback_is_public(monkeypatch)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "here").mkdir()
    with answering(lambda line: [said(b"film")]) as (address, _):
        with at_hand(Address(f"{address}/a.mp4"), QUICK) as path:
            assert path.read_bytes() == b"film"
        assert list(tmp_path.iterdir()) == [tmp_path / "here"]
        with at_hand(Address(f"{address}/a.mp4"), QUICK, tmp_path / "here") as path:
            assert path.is_relative_to(tmp_path / "here")
        (tmp_path / "here").rmdir()
        with at_hand(Address(f"{address}/a.mp4"), QUICK, tmp_path / "here") as path:  # as on another machine
            assert path.parent.parent == tmp_path
    with pytest.raises(FetchError), at_hand(Address("http://127.0.0.2/a.mp4"), QUICK):
        pytest.fail("it was fetched")
    assert list(tmp_path.iterdir()) == []
    with at_hand(Path("a.mp4"), QUICK) as path:
        assert path == Path("a.mp4")
