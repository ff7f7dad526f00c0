"""Run folders made up on the spot: records of files, some of which are there, for the tests of what shows them."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector.inference.prediction import Moment, TrackFrame, TrackScore
from sfumato.app.scan.record import FileFacts
from sfumato.media.clips import file_digest
from sfumato.text import json_line
from tests.media_fixtures import make_video
from tests.scan_fixtures import scan_record

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e\x1b[31m{{7*7}}"


def flagged(name: str, digest: str | None = None, score: float = 0.8, **changes: Any) -> dict[str, Any]:
    """The JSON of a suspicious video of two seconds with one face in three frames."""
    frames = tuple(TrackFrame(float(t), (10.0 + 5 * t, 8.0, 20.0, 24.0), score, 1.4, 1.0, 0.5) for t in range(3))
    track = TrackScore(0, score, 1.4, frames)
    record = scan_record("suspicious", file=FileFacts(name, digest, 1000), score=score, tracks=(track,))
    record = replace(record, timeline=tuple(Moment(frame.time, frame.score) for frame in frames), **changes)
    return record.as_json()


def calm(name: str, digest: str | None = None, score: float | None = 0.1) -> dict[str, Any]:
    """The JSON of a video that nobody has to look at."""
    record = flagged(name, digest, 0.1)
    return record | {"verdict": "no-evidence", "review": False, "score": score, "timeline": [], "tracks": []}


def write_run(folder: Path, records: list[dict[str, Any]]) -> Path:
    """The folder, with its records.jsonl."""
    folder.mkdir(exist_ok=True)
    (folder / "records.jsonl").write_text("".join(json_line(record) + "\n" for record in records), encoding="utf-8")
    return folder


def ten_flagged(folder: Path, others: int = 2) -> Path:
    """A run of ten flagged videos, which are there, and some that are neither flagged nor there."""
    folder.mkdir()
    records = [calm(f"calm-{number}.mp4", f"{number:064x}") for number in range(others)]
    for number in range(10):
        path = make_video(folder / f"clip-{number}.mp4", frames=20 + number)
        records.append(flagged(path.name, file_digest(path), 0.5 + number / 25))
    return write_run(folder, records)


def rows_of(page: Path) -> list[dict[str, Any]]:
    """What the list of a page shows, from its data."""
    return list(data_of(page)["rows"])


def data_of(page: Path) -> Any:
    """The data of a page: what its script reads."""
    text = page.read_text(encoding="utf-8")
    start = text.index('id="data">') + len('id="data">')
    return json.loads(text[start : text.index("</script>", start)])


def opened(browser: Any, page: Path, **options: Any) -> tuple[Any, list[str]]:
    """The page in a browser, and a list of what went wrong: messages, errors, requests that leave the disk."""
    tab = browser.new_page(**options)
    faults: list[str] = []
    tab.on("console", lambda message: faults.append(message.text))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on(
        "request",
        lambda asked: faults.append(asked.url) if not asked.url.startswith(("file:", "data:", "blob:")) else None,
    )
    tab.goto(page.as_uri())
    return tab, faults


def wait_until(page: Any, expression: str, seconds: float = 20.0) -> None:
    """Polls from outside: the page's own policy forbids what Playwright's waiting does inside."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)
