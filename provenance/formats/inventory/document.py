"""The parts of an SVG without the manifest store: its elements, texts and instructions in the order of the document.

In: an open file. Out: `Part`s. How a document is written down may change, what it says may not. Elements `metadata`
that hold nothing but a manifest are left aside. Raises ValueError for what is no XML.
"""

from __future__ import annotations

from typing import IO
from xml.parsers import expat

from provenance.formats.inventory.part import Part, value
from provenance.formats.stores.documents import NAME_SPACE, text_of_svg

STORE = f"{NAME_SPACE} manifest"
METADATA = "http://www.w3.org/2000/svg metadata"


def svg(file: IO[bytes]) -> list[Part]:
    """Raises ValueError."""
    said: list[tuple[object, ...]] = []
    inside = 0  # a manifest

    def say(*what: object) -> None:
        if inside:
            return
        if what[0] == "text" and said and said[-1][0] == "text":
            said[-1] = ("text", f"{said[-1][1]}{what[1]}")
        else:
            said.append(what)

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if name == STORE:
            inside += 1
        say("begin", name, tuple(sorted(attributes.items())))

    def end(name: str) -> None:
        nonlocal inside
        if name == STORE:
            inside -= 1
        elif name == METADATA and said and said[-1] == ("begin", METADATA, ()):
            said.pop()
        else:
            say("end", name)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = lambda text: say("text", text)
    parser.CommentHandler = lambda text: say("comment", text)
    parser.ProcessingInstructionHandler = lambda target, text: say("instruction", target, text)
    try:
        parser.Parse(text_of_svg(file), True)
    except expat.ExpatError as error:
        raise ValueError("it is no XML") from error
    return [value("the drawing", said)]
