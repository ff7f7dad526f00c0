"""What every page of ours is made of: the template, its style and script, and the policy that lets nothing else run.

In: values for the template, and the data that the script shows. Out: one HTML text. The page loads nothing from
elsewhere: style and script are inside it and named by digest in its Content-Security-Policy. What comes out of files is
foreign: it is made printable here (`shown`), escaped by the template engine, and as data it cannot close the element it
stands in; the script puts it into text nodes and attributes alone.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sfumato.app.scan.verdict import VERDICTS
from sfumato.text import json_line, printable
from sfumato.version import __version__

TONES = {  # how loud a verdict is shown
    "synthetic-declared": "declared", "ai-edited-declared": "declared", "synthetic-claimed": "declared",
    "synthetic-recovered": "declared",
    "captured-declared": "plain",
    "conflict": "alarm", "tampered-after-signing": "alarm", "credential-invalid": "alarm",
    "likely-synthetic": "alarm", "suspicious": "alarm", "inconclusive": "doubt", "no-evidence": "plain",
    "not-evaluable": "plain",
}  # fmt: skip
_STYLES = ("uPlot.min.css", "report.css", "workbench.css")
_SCRIPTS = ("elements", "timeline", "player", "clip", "decisions", "data", "gallery", "workbench", "start")
_LONGEST = 2000  # characters of one foreign text that are shown
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def render(data: Any, script_data_frames: bool = False, served: bool = False, **values: Any) -> str:
    """The page. `data`: for its script, foreign texts already `shown`; `script_data_frames`: it opens the pages of
    `data_page` beside it; `served`: it talks to the service that it comes from; `values`: for the template.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    style, script = page_style(), _script(served)
    environment = Environment(
        loader=FileSystemLoader(str(files("sfumato.app.review") / "page")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printable"] = printable  # the engine escapes what this gives
    return environment.get_template("report.html.jinja").render(
        data=data, data_json=script_json(data), style=style, script=script, version=__version__,
        policy=content_security_policy(style, script, script_data_frames, served), served=served, **values,
    )  # fmt: skip


def data_page(data: Any) -> str:
    """A page that hands `data` to the page which frames it, on a disk or from one server, and does nothing else."""
    script = (
        'parent.postMessage(document.getElementById("data").textContent, '
        'location.protocol === "file:" ? "*" : location.origin);'
    )
    policy = f"default-src 'none'; script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<title>Records</title>\n</head>\n<body>\n'
        f'<script type="application/json" id="data">{script_json(data)}</script>\n<script>{script}</script>\n'
        "</body>\n</html>\n"
    )


def content_security_policy(style: str, script: str, frames: bool = False, served: bool = False) -> str:
    """Nothing but the page's own style and script may run, nothing but files beside it may be loaded (`file:`: on
    disk), and no text may become markup.
    """
    framed = "frame-src 'self' file:; " if frames else "connect-src 'self'; " if served else ""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; {framed}"
        "img-src 'self' file: data:; media-src 'self' file:; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'"
    )


def script_json(value: Any) -> str:
    """JSON that can stand in a script element: nothing in it can end that."""
    line = json_line(value)
    for character, escape in _ESCAPED.items():
        line = line.replace(character, escape)
    return line


def shown(value: Any) -> Any:
    """The same with every text made printable, keys too, and cut where it is longer than anybody reads."""
    if isinstance(value, str):
        plain = len(value) <= _LONGEST and value.isascii() and value.isprintable()  # most are, and stay as they are
        return value if plain else printable(value, _LONGEST)
    if isinstance(value, dict):
        return {shown(name): shown(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    return value


def verdict_rows(here: Collection[str]) -> list[tuple[str, str, str, bool]]:
    """(name, meaning, tone, whether it is on this page) of every verdict."""
    return [(name, text, tone_of(name), name in here) for name, text in VERDICTS.items()]


def tone_of(verdict: str) -> str:
    """How loud a verdict is shown; a name that is not known, plainly."""
    return TONES.get(verdict, "plain")


def address(path: Path, page: Path) -> str:
    """Of a file, from the folder of `page`, whatever bytes its name has."""
    return quote(os.fsencode(os.path.relpath(path.resolve(), page.resolve().parent)))


def data_address(data: bytes, kind: str) -> str:
    """A picture as its own address. kind: "png" or "jpeg"."""
    return f"data:image/{kind};base64," + base64.b64encode(data).decode()


def page_style() -> str:
    """The style of every page."""
    return "\n".join(map(_asset, _STYLES))


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return (files("sfumato.app.review") / "page" / name).read_text(encoding="utf-8")


@cache
def _script(served: bool) -> str:
    """One script: the charts' library, then ours, out of sight of each other's names but for `uPlot`. What talks to a
    service is in its page alone.
    """
    ours = "\n".join(_asset(f"{name}.js") for name in (*(["service"] if served else []), *_SCRIPTS))
    return f'{_asset("uPlot.iife.min.js")}\n(() => {{\n"use strict";\n{ours}}})();\n'
