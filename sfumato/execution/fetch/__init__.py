"""Files that lie elsewhere: an address in, a file in a folder out, or FetchError that says why not.

Only ever at a user's word. http and https go through a client of our own (`web`), because a library that resolves the
name again when it connects cannot keep a promise about addresses; s3 goes through s3fs (`bucket`), to where the
machine's own settings lead.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from pathlib import Path

from sfumato.atomic import make_folder
from sfumato.errors import FetchError
from sfumato.execution.fetch.bucket import fetch_bucket
from sfumato.execution.fetch.clock import Clock, FetchLimits
from sfumato.execution.fetch.urls import WEB, known_suffix, redacted, scheme_of
from sfumato.execution.fetch.web import fetch_web

DEFAULT = FetchLimits()


def fetch(url: str, folder: Path, limits: FetchLimits = DEFAULT, *, schemes: Collection[str] = WEB) -> Path:
    """What is at `url`, as a new file in `folder`, which is made if it is not there: whole, or not at all. Its name is
    ours, only a suffix of pictures or videos is kept. schemes: which are taken, of `urls.SCHEMES`; give "s3" only to
    addresses that the user wrote, since it reads with this machine's own keys.

    http and https: no address that is not public, whichever way the name or a redirect leads there; the connection goes
    to the address that was checked. No proxy, no cookies, no other encoding than identity. Raises FetchError, whose
    text holds no secret of the address; OutputError if the folder cannot be written; MissingPartError for s3 without
    s3fs.
    """
    scheme = scheme_of(url)
    if scheme not in schemes:
        known = " or ".join(f"{each}://" for each in sorted(schemes))
        raise FetchError(f"{redacted(url)} was not fetched: addresses begin with {known}")
    make_folder(folder)
    destination = folder / f"fetched-{secrets.token_hex(8)}{known_suffix(url)}"
    clock = Clock(limits.seconds)
    if scheme == "s3":
        fetch_bucket(url, destination, limits, clock)
    else:
        fetch_web(url, destination, limits, clock)
    return destination
