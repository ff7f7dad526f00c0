"""A set as a repository of huggingface.co: the folder form, and README.md with front matter that its programs read.

In: a job. Out: the files of both (huggingface.co/docs/hub/datasets-cards). All configurations of one repository are
read by one reader there, so the front matter names the videos alone, not the files of the form Parquet. Every foreign
text is escaped for where it stands: values of the front matter are JSON, which YAML reads; in the text all that means
something to Markdown or HTML loses its meaning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from sfumato.app.sets.forms.about import (
    GATE,
    IMPACT,
    LABELS,
    MAINTENANCE,
    PERSONAL,
    REFUSED,
    SEALED,
    USES,
    about,
    counted,
)
from sfumato.app.sets.forms.card import PICTURE, TABLES
from sfumato.app.sets.forms.columns import COLUMNS
from sfumato.app.sets.forms.folder import write_folder
from sfumato.app.sets.forms.job import DATA, Job
from sfumato.app.sets.forms.licences import hub_name, spdx_address
from sfumato.atomic import write_text
from sfumato.text import printable

FILE = "README.md"
_SIZES = [(10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")]
_MEANS = re.compile(r"[\\`*_{}\[\]<>#|~&!$@]|:(?=//)|(?<=www)\.|^[-+=]", re.IGNORECASE)
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")


def write_hub(job: Job) -> None:
    """The folder form and its README.md. Raises MediaError, OutputError."""
    write_folder(job)
    front = "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in _front(job).items())
    write_text(job.out / FILE, f"---\n{front}---\n\n{_text(job)}")


def _front(job: Job) -> dict[str, Any]:
    facts = job.media.facts
    licence = hub_name(facts.licence)
    files = [{"split": split, "path": f"{DATA}/{split}/**"} for split, _ in job.splits()]
    front: dict[str, Any] = {"pretty_name": facts.name, "license": licence or "other"}
    if licence is None:
        front["license_name"] = facts.licence
        front["license_link"] = spdx_address(facts.licence) or f"{FILE}#licence-and-rights"
    front |= {
        "task_categories": ["video-classification"],
        "tags": [
            "deepfake-detection",
            "deepfake",
            "media-forensics",
            "synthetic-media",
            "c2pa",
            "talking-head",
            "video",
        ],
        "size_categories": [next((name for most, name in _SIZES if len(job.media.rows) < most), "1M<n<10M")],
        "annotations_creators": ["machine-generated"],
        "source_datasets": ["original"],
        "configs": [{"config_name": "videos", "default": True, "data_files": files}],
        "extra_gated_heading": "Faces of people: please say what for",
        "extra_gated_prompt": GATE,
        "extra_gated_fields": {
            "Name": "text",
            "Institution": "text",
            "What it is for": "text",
            "I agree to the terms above": "checkbox",
        },
        "extra_gated_button_content": "Ask for access",
    }
    return front


def _text(job: Job) -> str:
    facts, words = job.media.facts, about(job.media)
    parts = [
        f"# {_plain(facts.name)}",
        _plain(facts.description),
        f"Version {_plain(facts.version)}, {job.publication.published.isoformat()}"
        + (f", published by {_plain(job.publication.creator)}" if job.publication.creator else "")
        + f". Digest `{facts.digest}`.",
        f"![Pairs: the real twin, then its fake, a row a method and case]({PICTURE})",
        "The right one of each two was made by an algorithm.",
        "## What it cannot be used for",
        _listed(REFUSED),
        "## Reading it",
        "```python\nfrom datasets import Video, load_dataset\n\n"
        'clips = load_dataset("PATH").cast_column("video", Video(decode=False))\n```',
        "`sha256sum -c SHA256SUMS` checks the files. Beside `video` each row has:",
        _table(["column", "what"], [[column.name, column.about] for column in COLUMNS]),
        "What may be nothing is text, and empty then; `source_ids` is JSON.",
        "## Counts",
        *(_table([by, "fakes" if by == "method" else "clips", *([] if by == "method" else ["fakes"]), "people"], [
            [name, count, *([] if by == "method" else [fakes]), people]
            for name, count, fakes, people in counted(job.media.rows, by)
        ]) for by in TABLES),
        _plain(words.split),
        "## How it was made",
        *(_plain(line) for line in (words.collected, words.made, words.treated, LABELS, SEALED)),
        "## Licence and rights",
        f"The set: {_plain(facts.licence)}. Sources:",
        _rights(job),
        "## What it is for",
        _listed(USES),
        "## Biases and limits",
        _listed([*words.biases, *words.limits]),
        "## People in it",
        *(_plain(line) for line in (*PERSONAL, IMPACT, MAINTENANCE)),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _rights(job: Job) -> str:
    used = sorted({row.details.rights for row in job.media.rows})
    records = [(name, job.media.rights[name]) for name in used]
    return _table(
        ["record", "holder", "basis", "licence", "statement", "source"],
        [[name, r.holder, r.basis, r.licence, r.statement, r.source] for name, r in records],
        links={(number, 3): r.terms for number, (_, r) in enumerate(records) if r.terms},
    )


def _table(
    head: Sequence[str], rows: Sequence[Sequence[object]], links: dict[tuple[int, int], str] | None = None
) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for number, row in enumerate(rows):
        cells = [
            f"[{_plain(value)}]({quote(address, safe=':/?#@!$&+,;=%~-._')})"
            if (address := (links or {}).get((number, column)))
            else _plain(value)
            for column, value in enumerate(row)
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {_plain(line)}" for line in lines)


def _plain(value: object) -> str:
    """Text that Markdown shows as it is: one line, and nothing in it is markup, an entity, an address or a list."""
    return _NUMBERED.sub(r"\1\\\2", _MEANS.sub(r"\\\g<0>", printable(value)))
