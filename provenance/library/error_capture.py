"""What the C2PA library would swallow: the first exception in a signer or a stream, kept so that it can be raised
again.

In: a function or a file for the library to call. Out: the same, watched by a `FirstError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

from sfumato.errors import SealError, SfumatoError


class FirstError:
    """Keeps the first exception that the library would swallow, and whose it was."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.origin = ""

    def watch(self, function: Callable[..., Any], origin: str) -> Callable[..., Any]:
        """`function`; its exceptions are kept and passed on as a plain failure."""

        def watched(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except BaseException as error:
                if self.error is None:
                    self.error, self.origin = error, origin
                if origin == "signer":
                    return b""  # counts as a failure; an exception would, too, with a line in the library's log
                raise RuntimeError("kept") from error  # an Exception: the library's callbacks let nothing else through

        return watched

    def raise_if_any(self) -> None:
        """Raises what was kept. A signer's failure becomes a SealError; a full disk, an interruption or an error of
        ours stays.
        """
        if self.error is None:
            return
        if self.origin == "signer" and isinstance(self.error, Exception) and not isinstance(self.error, SfumatoError):
            kind = type(self.error).__name__
            raise SealError(f"The signer failed: {kind}: {self.error}", "Nothing was written.") from self.error
        raise self.error


class WatchedStream:
    """A file for the library, every failure of it kept."""

    def __init__(self, file: IO[bytes], first: FirstError) -> None:
        self.read, self.write, self.seek, self.tell, self.flush = (
            first.watch(method, "file") for method in (file.read, file.write, file.seek, file.tell, file.flush)
        )
