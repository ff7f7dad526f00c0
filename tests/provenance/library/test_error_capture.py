"""The first exception behind the library's back is kept, and raised as what it was."""

from __future__ import annotations

import io
from typing import Any

import pytest

from provenance.library.error_capture import FirstError, WatchedStream
from sfumato.errors import SealError


def _failing(error: BaseException) -> Any:
    def fail(*arguments: Any) -> Any:
        raise error

    return fail


def test_without_an_error_everything_passes() -> None:
    first = FirstError()
    stream = WatchedStream(io.BytesIO(b"content"), first)
    assert (stream.seek(3), stream.read(2), stream.tell()) == (3, b"te", 5)
    assert first.watch(lambda data: data[::-1], "signer")(b"ab") == b"ba"
    first.raise_if_any()


def test_the_first_error_is_raised_not_the_last() -> None:
    first = FirstError()
    disk, late = OSError("disk full"), OSError("late")
    for error in (disk, late):
        with pytest.raises(RuntimeError):
            first.watch(_failing(error), "file")()
    with pytest.raises(OSError, match="disk full"):
        first.raise_if_any()


def test_a_signer_that_fails_returns_nothing_and_is_named() -> None:
    first, cause = FirstError(), ValueError("no such slot")
    assert first.watch(_failing(cause), "signer")(b"data") == b""
    with pytest.raises(SealError, match="The signer failed: ValueError: no such slot") as caught:
        first.raise_if_any()
    assert caught.value.__cause__ is cause


@pytest.mark.parametrize("error", [SealError("our own words"), KeyboardInterrupt()])
def test_our_own_error_and_an_interruption_of_a_signer_stay(error: BaseException) -> None:
    first = FirstError()
    first.watch(_failing(error), "signer")(b"data")
    with pytest.raises(type(error)) as caught:
        first.raise_if_any()
    assert caught.value is error


@pytest.mark.parametrize("method", ["read", "write", "seek", "tell", "flush"])
def test_every_method_of_a_file_is_watched(method: str) -> None:
    class Broken(io.BytesIO):
        pass

    cause = OSError(f"{method} failed")
    broken = Broken()
    setattr(broken, method, _failing(cause))
    first = FirstError()
    with pytest.raises(RuntimeError):
        getattr(WatchedStream(broken, first), method)()
    assert first.error is cause
