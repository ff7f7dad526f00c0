"""s3: an address in, a file out, through s3fs. Keys and endpoint are those of the machine's own settings (AWS_PROFILE,
AWS_ENDPOINT_URL, ...); an address that brings keys of its own is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sfumato.atomic import atomic_path
from sfumato.errors import FetchError, MissingPartError, SfumatoError, install_extra
from sfumato.execution.fetch.clock import Clock, FetchLimits
from sfumato.execution.fetch.urls import redacted
from sfumato.limits import MEGABYTE, shown

PIECE = 4 * MEGABYTE
_PATIENCE = 20.0  # seconds for one answer of the store


def fetch_bucket(url: str, destination: Path, limits: FetchLimits, clock: Clock) -> None:
    """Writes what is at s3://BUCKET/KEY. The clock is looked at between pieces of 4 MB. Raises FetchError, OutputError,
    MissingPartError.
    """
    name = url.partition("://")[2]
    bucket, _, key = name.partition("/")
    if not bucket or not key or "@" in bucket:
        raise FetchError(f"{redacted(url)} was not fetched: it is not s3://BUCKET/KEY", "Keys come from the settings.")
    store = _store(limits)
    try:
        size = int(store.info(name)["size"])
        if size > limits.size:
            raise _refused(url, f"it has {shown(size, 'bytes')}, the limit is {shown(limits.size, 'bytes')}")
        with atomic_path(destination) as temporary, temporary.open("wb") as file:
            for start in range(0, size, PIECE):
                _hold(clock, url, limits)
                piece = store.cat_file(name, start=start, end=min(size, start + PIECE))
                if len(piece) != min(PIECE, size - start):
                    raise _refused(url, "it changed while it was read")
                file.write(piece)
    except SfumatoError:
        raise
    except Exception as error:  # whatever the client of the store raises
        raise _refused(url, f"the store says {type(error).__name__}") from error


def _hold(clock: Clock, url: str, limits: FetchLimits) -> None:
    try:
        clock.left()
    except TimeoutError as error:
        raise _refused(url, f"it takes longer than {limits.seconds:g} seconds") from error


def _store(limits: FetchLimits) -> Any:
    try:
        import s3fs
    except ImportError as error:
        raise MissingPartError("s3:// addresses need s3fs", install_extra("remote")) from error
    patience = min(_PATIENCE, limits.seconds)
    settings = {"connect_timeout": patience, "read_timeout": patience, "retries": {"max_attempts": 1}}
    return s3fs.S3FileSystem(config_kwargs=settings, use_listings_cache=False, skip_instance_cache=True)


def _refused(url: str, reason: str) -> FetchError:
    return FetchError(f"{redacted(url)} was not fetched: {reason}", "Check the address, or download it yourself.")
