"""The manifest store in an SVG (Base64 in an element) or a PDF (an embedded file).

In: an open file. Out: the span of the store (C2PA specification: Embedding manifests). What does not fit raises
ValueError, and so does a second store.
SVG: the text of the one element `manifest` of C2PA's name space. PDF: the stream that the one file specification with
the relationship C2PA_Manifest names.
"""

from __future__ import annotations

import base64
import os
import re
from typing import IO
from xml.parsers import expat

from provenance.formats.stores.span import Span, is_store, read, store_at

NAME_SPACE = "http://c2pa.org/manifest"
LARGEST = 64 << 20  # bytes of a document that are looked through
MANIFEST_FILE = re.compile(rb"/AFRelationship\s*/C2PA_Manifest\b")
OBJECT = re.compile(rb"(?:^|[\r\n])(\d{1,10}) (\d{1,5}) obj\b")
EMBEDDED = re.compile(rb"/EF\s*<<\s*/F\s+(\d{1,10}) (\d{1,5}) R\s*>>")
LENGTH = re.compile(rb"/Length\s+(\d{1,12})\b(?!\s+\d+\s+R)")
STREAM = re.compile(rb"\bstream\r?\n")


def svg(file: IO[bytes]) -> list[Span]:
    """Raises ValueError."""
    text = text_of_svg(file)
    parser = expat.ParserCreate(namespace_separator=" ")
    spans: list[Span] = []
    starts: list[int] = []

    def begin(name: str, _: object) -> None:
        if name == f"{NAME_SPACE} manifest":
            starts.append(parser.CurrentByteIndex)

    def end(name: str) -> None:
        if name == f"{NAME_SPACE} manifest":
            spans.append((starts.pop(), parser.CurrentByteIndex))

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ValueError("it is no XML") from error
    if len(spans) > 1:
        raise ValueError("it holds several manifest stores")
    for opened, closed in spans:
        start = text.find(b">", opened, closed) + 1
        if not start:
            raise ValueError("its element for the manifest store holds none")
        content = base64.b64decode(text[start:closed].translate(None, b" \t\r\n"), validate=True)
        if not is_store(content):
            raise ValueError("its element for the manifest store holds more or less than that")
        return [(start, closed)]
    return []


def pdf(file: IO[bytes]) -> list[Span]:
    """Raises ValueError."""
    text = read(file, 0, _size(file))
    objects = {place.end(): (place[1], place[2]) for place in OBJECT.finditer(text)}
    named = []
    for place in MANIFEST_FILE.finditer(text):
        begin = max((start for start in objects if start <= place.start()), default=0)
        found = EMBEDDED.search(text, begin, text.find(b"endobj", begin))
        if found is None:
            raise ValueError("its file specification for the manifest store names no stream")
        named.append((found[1], found[2]))
    if len(named) > 1:
        raise ValueError("it holds several manifest stores")
    if not named:
        return []
    begins = [start for start, name in objects.items() if name == named[0]]
    if len(begins) != 1:
        raise ValueError("the stream of its manifest store is there twice, or not at all")
    stream = STREAM.search(text, begins[0])
    length = LENGTH.search(text, begins[0], stream.start()) if stream else None
    if stream is None or length is None or b"endobj" in text[begins[0] : stream.start()]:
        raise ValueError("the stream of its manifest store makes no sense")
    start, end = stream.end(), stream.end() + int(length[1])
    if not text[end : end + 11].lstrip(b"\r\n").startswith(b"endstream") or not store_at(file, start, end - start):
        raise ValueError("the stream of its manifest store holds more or less than that")
    return [(start, end)]


def text_of_svg(file: IO[bytes]) -> bytes:
    """The whole document. Raises ValueError for one that is too large."""
    return read(file, 0, _size(file))


def _size(file: IO[bytes]) -> int:
    size = file.seek(0, os.SEEK_END)
    if size > LARGEST:
        raise ValueError("a document of this size is not looked through")
    return size
