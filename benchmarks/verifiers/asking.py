"""The verifiers that are asked: a file and the trusted root in, one word out, the same words for all of them.

c2pa-python is the library that signs and reads here; encypher-c2pa has a core of its own; sfumato is what `sfumato
verify` says. None of them opens a connection.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rows.verifiers import NONE, NOT_READ, VALID
from provenance.library.settings import reading
from provenance.verifying.verify import verify
from sfumato.errors import MissingPartError, install_extra
from sfumato.text import printable
from sfumato.version import __version__

LONGEST_WORDS = 200  # characters of what a verifier says
TELEMETRY = "ENCYPHER_C2PA_TELEMETRY"


@dataclass(frozen=True)
class Answer:
    """verdict: a word of benchmarks.rows.verifiers. said: the verifier's own words where it did not read the file."""

    verdict: str
    said: str = ""


@dataclass(frozen=True)
class Verifier:
    """ask: takes a file, its media type, and its sidecar if the manifest lies there."""

    name: str
    release: str
    ask: Callable[[Path, str, Path | None], Answer]


def every_verifier(root: bytes) -> list[Verifier]:
    """All of them, with `root` (PEM) as the only one that they trust. Raises MissingPartError without encypher-c2pa."""
    return [_c2pa_python(root), _encypher(root), _ours(root)]


def _c2pa_python(root: bytes) -> Verifier:
    from c2pa import C2paError, Context, Reader, sdk_version
    from c2pa import __version__ as release

    def ask(path: Path, media_type: str, sidecar: Path | None) -> Answer:
        manifest = None if sidecar is None else sidecar.read_bytes()
        try:
            with path.open("rb") as file:
                reader = Reader.try_create(media_type, file, manifest, Context.from_dict(reading([root])))
                if reader is None:
                    return Answer(NONE)
                with reader:
                    return Answer(str(reader.get_validation_state()).lower())
        except C2paError as error:
            return _not_read(error)

    return Verifier("c2pa-python", f"{release} (c2pa-rs {sdk_version()})", ask)


def _encypher(root: bytes) -> Verifier:
    try:
        library: Any = importlib.import_module("encypher_c2pa")
    except ImportError as error:
        raise MissingPartError("To ask other verifiers, encypher-c2pa is needed", install_extra("dev")) from error

    def ask(path: Path, media_type: str, sidecar: Path | None) -> Answer:
        try:
            with _without_telemetry():
                report = library.verify(
                    path, manifest_store=sidecar, trust_pem=root.decode(), no_default_trust=True, online=False
                )
        except (ValueError, RuntimeError) as error:
            return _not_read(error)
        return Answer(str(report["validation_state"]).lower())

    return Verifier("encypher-c2pa", str(library.__version__), ask)


def _ours(root: bytes) -> Verifier:
    words = {"untrusted": VALID, "unreadable": NOT_READ}

    def ask(path: Path, media_type: str, sidecar: Path | None) -> Answer:
        found = verify(path, [root], sidecar=sidecar)
        verdict = words.get(found.outcome, found.outcome)
        return Answer(verdict, printable(found.reason, LONGEST_WORDS) if verdict == NOT_READ else "")

    return Verifier("sfumato", __version__, ask)


def _not_read(error: Exception) -> Answer:
    return Answer(NOT_READ, printable(error, LONGEST_WORDS))


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Whatever this user told encypher-c2pa. Its own argument for that would be written down as the user's choice."""
    before = os.environ.get(TELEMETRY)
    os.environ[TELEMETRY] = "off"
    try:
        yield
    finally:
        if before is None:
            del os.environ[TELEMETRY]
        else:
            os.environ[TELEMETRY] = before
