"""A file out of a request, onto the disk, without ever holding it: its name, size and digest come out.

It comes as the first file of a form (multipart/form-data), or as the body itself with its name in the address.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from sfumato.app.service.http.bodies import SMALL
from sfumato.app.service.http.problems import Refused
from sfumato.app.service.http.shapes import AddressIn
from sfumato.app.service.settings import ServiceSettings
from sfumato.app.service.store.jobs import harmless_name
from sfumato.errors import FetchError
from sfumato.execution.fetch import fetch
from sfumato.execution.fetch.clock import FetchLimits
from sfumato.media.clips import file_digest

_ROOM = 64 * 2**20  # bytes that have to stay free


@dataclass(frozen=True)
class Received:
    """name: of the file in its folder; size: bytes; sha256: hex."""

    name: str
    size: int
    sha256: str


async def receive_upload(request: Request, folder: Path, name: str, most: int) -> Received:
    """Makes `folder` with the file in it; no folder is left where that fails. name: for a body that is the file itself.

    Raises Refused: 400 for a form that is none, 408, 413, 415, 507.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    form = kind == b"multipart/form-data"
    if not form and kind != b"application/octet-stream":
        raise Refused(415)
    try:
        folder.mkdir(parents=True)
        if shutil.disk_usage(folder).free < _ROOM:
            raise Refused(507)
        with (folder / "incoming").open("xb") as file:
            writing = _Writing(file, harmless_name(name), most)
            if form:
                await _read_form(request, options.get(b"boundary", b""), writing)
            else:
                async for chunk in request.stream():
                    writing.write(chunk)
            await run_in_threadpool(os.fsync, file.fileno())
        if not writing.begun and form:
            raise Refused(400, "The form holds no file; name its field `file`.")
        if not writing.size:
            raise Refused(400, "The file is empty.")
        (folder / "incoming").rename(folder / writing.name)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refused(507) from error
        raise
    return Received(writing.name, writing.size, writing.digest.hexdigest())


def is_address(request: Request) -> bool:
    """Whether the body names an address instead of being a file."""
    kind, _ = parse_options_header(request.headers.get("content-type", ""))
    return kind == b"application/json"


async def address_in(request: Request) -> str:
    """The address. Raises Refused: 413, 422."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > SMALL:
            raise Refused(413, Connection="close")
    try:
        return AddressIn.model_validate_json(body).url
    except ValueError as error:
        raise Refused(422, 'The body has to be {"url": "https://..."}.') from error


async def fetch_upload(
    url: str, folder: Path, settings: ServiceSettings, at_once: threading.BoundedSemaphore
) -> Received:
    """The same of what lies at an address, of a host that is allowed.

    Raises Refused: 422 where it is not, or cannot be fetched, in words without a secret of the address; 503 where too
    many are fetched already.
    """
    if not settings.allow_url:
        raise Refused(422, "This service takes no addresses.")
    if not at_once.acquire(blocking=False):
        raise Refused(503, "Too many files are being fetched; try again.")
    limits = FetchLimits(settings.largest, settings.fetch_seconds, hosts=settings.allow_url)
    try:
        return await run_in_threadpool(_fetched, url, folder, limits)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, FetchError):
            raise Refused(422, str(error)) from error
        raise
    finally:
        at_once.release()


def _fetched(url: str, folder: Path, limits: FetchLimits) -> Received:
    path = fetch(url, folder, limits)
    if not path.stat().st_size:
        raise FetchError("What lies at the address is empty", "Check the address.")
    name = harmless_name(unquote(urlsplit(url).path))
    return Received(path.rename(folder / name).name, (folder / name).stat().st_size, file_digest(folder / name))


class _Writing:
    """The file that is being written, and what is counted of it."""

    def __init__(self, file: IO[bytes], name: str, most: int) -> None:
        self.file, self.name, self.most = file, name, most
        self.size, self.digest, self.begun = 0, hashlib.sha256(), False

    def write(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self.most:
            raise Refused(413, Connection="close")
        self.digest.update(data)
        self.file.write(data)


async def _read_form(request: Request, boundary: bytes, writing: _Writing) -> None:
    """The first file of the form; other fields, and further files, are passed over."""
    part: dict[str, Any] = {}

    def begin() -> None:
        part.update(field=b"", value=b"", headers={}, ours=False)

    def field(data: bytes, start: int, end: int) -> None:
        part["field"] += data[start:end]

    def value(data: bytes, start: int, end: int) -> None:
        part["value"] += data[start:end]

    def header() -> None:
        part["headers"][part["field"].lower()] = part["value"]
        part.update(field=b"", value=b"")

    def headers() -> None:
        _, options = parse_options_header(part["headers"].get(b"content-disposition", b""))
        if b"filename" in options and not writing.begun:
            part["ours"] = writing.begun = True
            writing.name = harmless_name(options[b"filename"].decode("utf-8", "replace"))

    def data(chunk: bytes, start: int, end: int) -> None:
        if part["ours"]:
            writing.write(chunk[start:end])

    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": begin, "on_part_data": data, "on_header_field": field, "on_header_value": value,
                "on_header_end": header, "on_headers_finished": headers,
            },
        )  # fmt: skip
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
    except MultipartParseError as error:
        raise Refused(400, "The form cannot be read.") from error
