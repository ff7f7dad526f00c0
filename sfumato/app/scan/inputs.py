"""What a scan is to look at: words of a command line in, files and addresses out, in their order, each once.

A word is a file, a folder, a pattern that no shell expanded, an address (http, https, s3), or - for a list of such
words on standard input. Addresses are only taken where somebody asked for them; they are fetched one by one, each when
its turn comes, and removed when it was judged.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO

from sfumato.errors import UsageError
from sfumato.execution.fetch import fetch
from sfumato.execution.fetch.clock import FetchLimits
from sfumato.execution.fetch.urls import SCHEMES, redacted, scheme_of
from sfumato.execution.find_files import Finder
from sfumato.limits import NAMES

STDIN = "-"
_SHOWN = 5  # words in a message
_ADVICE = "Names end with line ends, or with --null with NUL: `find . -print0 | sfumato scan - --null`."


@dataclass(frozen=True)
class Address:
    """url: with its secrets; never to be shown."""

    url: str = field(repr=False)

    @cached_property
    def place(self) -> str:
        """As records have it: without secrets."""
        return redacted(self.url)


Source = Path | Address


@contextmanager
def at_hand(source: Source, limits: FetchLimits, landing: Path | None = None) -> Iterator[Path]:
    """The file itself, or what is at the address, for as long as it is needed. landing: the folder in which that lies
    meanwhile; None, or none on this machine: the system's for temporary files. Raises FetchError, OutputError.
    """
    if isinstance(source, Path):
        yield source
        return
    here = landing if landing is not None and landing.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="sfumato-fetched-", dir=here) as folder:
        yield fetch(source.url, Path(folder), limits, schemes=SCHEMES)


def place_of(source: Source) -> Path | str:
    """What a run folder knows it by."""
    return source if isinstance(source, Path) else source.place


def listed(words: Iterable[str], stdin: IO[bytes], null: bool) -> Iterator[str]:
    """The words with the list on standard input in place of -, which may be given once. null: its names end with NUL,
    as `find -print0` writes them; else with line ends. Empty names are left out. Raises UsageError for a name that is
    longer than any.
    """
    taken = False
    for word in words:
        if word != STDIN:
            yield word
        elif not taken:
            taken = True
            yield from _names(stdin, b"\0" if null else b"\n")


def _names(stream: IO[bytes], end: bytes) -> Iterator[str]:
    """A list of a million names is read by and by."""
    rest = b""
    while piece := stream.read(65536):
        *names, rest = (rest + piece).split(end)
        for name in names:
            yield from _name(name, end)
        NAMES.hold("The list on standard input", len(rest), UsageError, _ADVICE)
    yield from _name(rest, end)


def _name(data: bytes, end: bytes) -> Iterator[str]:
    name = data.removesuffix(b"\r") if end == b"\n" else data
    NAMES.hold("The list on standard input", len(name), UsageError, _ADVICE)
    if name:
        if b"\0" in name:
            raise UsageError("The list on standard input has a NUL in a name", "Add --null for names that end so.")
        yield name.decode("utf-8", "surrogateescape")


def find_sources(words: Iterable[str], finder: Finder, fetching: bool) -> list[Source]:
    """Files and addresses that `words` mean. Raises UsageError where there are none, or for an address unless
    `fetching`.
    """
    found: dict[Source, None] = {}
    given: list[str] = []
    for word in words:
        given += [word] if len(given) < _SHOWN else []
        if scheme_of(word) and not os.path.exists(word):  # noqa: PTH110 (Path raises for an address that is very long)
            found[_address(word, fetching)] = None
        else:
            found |= dict.fromkeys(finder.paths([Path(word)]))
    if not found:
        known = f"Known suffixes: {' '.join(sorted(finder.suffixes))}." if finder.suffixes else ""
        raise UsageError(f"No video or picture in {', '.join(given) or 'the list on standard input'}", known)
    return list(found)


def _address(word: str, fetching: bool) -> Address:
    if scheme_of(word) not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise UsageError(f"{redacted(word)} is no file, and addresses of that kind are not fetched", f"Known: {known}.")
    if not fetching:
        raise UsageError(
            f"{redacted(word)} is an address, and no connection is opened unless you ask for it", "Add --fetch."
        )
    return Address(word)
