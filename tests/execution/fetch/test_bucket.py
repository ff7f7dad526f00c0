"""s3, by a store that stands for s3fs: whole or not at all, bounded, its errors told without what they say."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sfumato.errors import FetchError, MissingPartError
from sfumato.execution.fetch import fetch
from sfumato.execution.fetch.bucket import PIECE
from sfumato.execution.fetch.clock import FetchLimits
from sfumato.execution.fetch.urls import SCHEMES


class Store:
    """What is used of s3fs.S3FileSystem."""

    content = bytes(range(256)) * (PIECE // 256) + b"the rest"
    given: dict[str, Any] = {}
    delay = 0.0
    lost = 0

    def __init__(self, **given: Any) -> None:
        Store.given = given

    def info(self, name: str) -> dict[str, int]:
        if name != "bucket/a/b.mp4":
            raise PermissionError("secret details")
        return {"size": len(self.content)}

    def cat_file(self, name: str, start: int, end: int) -> bytes:
        time.sleep(self.delay)
        return self.content[start : end - self.lost]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> type[Store]:
    module = ModuleType("s3fs")
    module.S3FileSystem = Store  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "s3fs", module)
    return Store


def test_an_object_is_fetched_in_pieces(store: type[Store], tmp_path: Path) -> None:
    path = fetch("s3://bucket/a/b.mp4", tmp_path, schemes=SCHEMES)
    assert path.read_bytes() == store.content
    assert path.suffix == ".mp4"
    assert store.given["config_kwargs"]["read_timeout"] == 20


@pytest.mark.parametrize(
    ("url", "limits", "reason"),
    [
        ("s3://bucket/other", FetchLimits(), "the store says PermissionError"),
        ("s3://bucket/a/b.mp4", FetchLimits(size=100), "the limit is 100 bytes"),
        ("s3://key:secret@bucket/a/b.mp4", FetchLimits(), "not s3://BUCKET/KEY"),
        ("s3://bucket", FetchLimits(), "not s3://BUCKET/KEY"),
        ("s3:///key", FetchLimits(), "not s3://BUCKET/KEY"),
    ],
)
def test_what_cannot_be_had_is_refused(
    store: type[Store], tmp_path: Path, url: str, limits: FetchLimits, reason: str
) -> None:
    with pytest.raises(FetchError, match=reason) as caught:
        fetch(url, tmp_path, limits, schemes=SCHEMES)
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_slow_store_is_left_in_time(store: type[Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "delay", 0.3)
    with pytest.raises(FetchError, match=r"longer than 0\.2 seconds"):
        fetch("s3://bucket/a/b.mp4", tmp_path, FetchLimits(seconds=0.2), schemes=SCHEMES)
    assert list(tmp_path.iterdir()) == []


def test_an_object_that_shrinks_meanwhile_is_refused(
    store: type[Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "lost", 1)
    with pytest.raises(FetchError, match="it changed"):
        fetch("s3://bucket/a/b.mp4", tmp_path, schemes=SCHEMES)
    assert list(tmp_path.iterdir()) == []


def test_without_its_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingPartError, match=r"\[remote\]"):
        fetch("s3://bucket/key", tmp_path, schemes=SCHEMES)


def test_s3_is_asked_for_by_name(store: type[Store], tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="begin with http:// or https://"):
        fetch("s3://bucket/a/b.mp4", tmp_path)
