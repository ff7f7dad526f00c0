"""The page of a study: questions in, one HTML text out, which loads nothing but the clips beside it.

It is of the review page's parts: the same colours, the same ways of making elements, and the same policy, by which only
its own style and script run. Nothing in it tells a fake from a real.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from sfumato.app.review.page_parts import content_security_policy, script_json, shown
from sfumato.text import printable
from sfumato.version import __version__

_NOTE = 2000  # characters of a note that are shown


def render_study(study: str, choices: int, questions: Sequence[dict[str, Any]], note: str = "") -> str:
    """`questions`: number, seconds, width, height and clips (name, address) of each. `note`: of whoever asks; its lines
    are paragraphs.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    ours, review = files("sfumato.app.study") / "page", files("sfumato.app.review") / "page"
    style = _colours((review / "report.css").read_text(encoding="utf-8")) + (ours / "study.css").read_text("utf-8")
    parts = [(review / "elements.js").read_text("utf-8"), *((ours / name).read_text("utf-8") for name in _SCRIPTS)]
    joined = "\n".join(parts)
    script = f'(() => {{\n"use strict";\n{joined}}})();\n'
    environment = Environment(
        loader=FileSystemLoader(str(ours)), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    data = shown({"study": study, "choices": choices, "questions": list(questions)})
    return environment.get_template("study.html.jinja").render(
        data_json=script_json(data), style=style, script=script, version=__version__,
        policy=content_security_policy(style, script), choices=choices, count=len(questions),
        note=[printable(line, _NOTE) for line in note[:_NOTE].splitlines() if line.strip()],
    )  # fmt: skip


_SCRIPTS = ("stage.js", "answers.js", "study.js")


def _colours(style: str) -> str:
    """The names of the review page's colours and letters, in light and in dark, without its rules."""
    return "\n".join(re.findall(r"^:root \{.*?^\}|^@media \(prefers-color-scheme: dark\) \{.*?^\}", style, re.S | re.M))
