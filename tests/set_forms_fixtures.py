"""A small set that lies on disk: two pairs in train, one in test, with names that want escaping everywhere:
`from tests.set_forms_fixtures import make_set`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sfumato.app.sets.layout import (
    Details,
    Rights,
    SetFacts,
    SetRow,
    counts_of,
    decoded_digest,
    set_digest,
    write_set,
)
from sfumato.media.clips import TWIN, ClipRow, file_digest
from tests.media_fixtures import make_video, picture

HOSTILE = """O'Brien "Ünï" <b>&amp; | `x` [y](z) {{ 7*7 }} \\ 写真 🎭"""
RIGHTS = {
    "studio": Rights("Ada Example", "CC BY 4.0", "consent", "agreed in writing", "own studio", "https://example.org/t"),
    "odd": Rights(HOSTILE, HOSTILE, "licence", HOSTILE, HOSTILE, 'https://example.org/"><script>)?a=b|c'),
}
Change = Callable[[SetRow], SetRow]


def make_set(folder: Path, change: Change = lambda row: row, name: str = "studio", licence: str = "CC BY 4.0") -> Path:
    """Three pairs; the second of a method, person and path that want escaping. `change` is done to every row."""
    (folder / "videos").mkdir(parents=True)
    rows = []
    for number, (split, who) in enumerate((("train", "ada"), ("train", HOSTILE), ("test", "cyd"))):
        odd = who == HOSTILE
        stem = f"videos/{HOSTILE.replace('/', '').replace(chr(92), '')}" if odd else f"videos/{number:05d}"
        twin = f"{stem}-twin.mp4"
        for label in ("real", "fake"):
            path = twin if label == "real" else f"{stem}-fake.mp4"
            real = label == "real"
            images = [picture(index + (0 if real else 9)) for index in range(6 + number)]
            file = make_video(folder / path, frames=len(images), images=images)
            clip = ClipRow(
                path, label, TWIN if real else HOSTILE if odd else "swap-plain", "real" if real else "blend", who,
                file_digest(file), source_ids=(f"source, of {who}",), pair_of=None if real else twin, split=split,
                seed=None if real else number,
            )  # fmt: skip
            details = Details(
                path, f"{number:05d}", f"{number:064x}", "pose" if odd else "plain", "odd" if odd else "studio", 64, 48,
                6 + number, 10.0, "h264", 23, file.stat().st_size, decoded_digest(file),
                generator=None if real else "swap",
            )  # fmt: skip
            rows.append(change(SetRow(clip, details)))
    facts = SetFacts(
        name, f"Three people. {HOSTILE}" if name != "studio" else "Three people.", "1.0.0", licence, "d" * 64,
        "sfumato 1.0", {"swap": "e" * 64}, counts_of(rows), set_digest(rows),
    )  # fmt: skip
    write_set(folder, b"name = 'studio'\n", facts, RIGHTS, rows)
    return folder


def with_clip(row: SetRow, **values: object) -> SetRow:
    """The row with other values of its clip."""
    return replace(row, clip=replace(row.clip, **values))  # type: ignore[arg-type]
