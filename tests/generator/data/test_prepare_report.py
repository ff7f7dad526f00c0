"""The page about prepared footage: self-contained, escaped, drawn to scale, the same for a sample as it says it is."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generator.data import prepare_report as module
from generator.data.prepare import JOURNAL, Prepared
from generator.data.prepare_report import HEIGHT, WIDTH, histogram, write_report
from sfumato.errors import UsageError
from sfumato.execution.journal import Journal
from tests.generator.data.test_dataset import prepared, shard

HOSTILE = "<script>alert(1)<script>\"'><img src=x onerror=alert(2)>\u202e\x1b[31m"


def journal_line(path: str, **changes: Any) -> dict[str, Any]:
    line = {
        "path": path, "bytes": 1, "changed": 1, "sha256": "0" * 64, "shards": 1, "frames": 3, "dropped": {},
        "remarks": [], "refused": "", "reason": "", "person": "", "held_out": False,
    }  # fmt: skip
    return {**line, **changes}


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """Two people, and a journal with a hostile name in it."""
    folder = prepared(tmp_path / "set", 2, smallest_face=48.0)
    bad = f"/footage/{HOSTILE}.mp4"
    lines = [
        journal_line("/footage/a.mp4", dropped={"no face": 3, "face too blurred": 1}),
        journal_line(bad, shards=0, refused=f"{bad} is damaged", reason="unreadable", dropped={"no face": 2}),
    ]
    with Journal(folder / JOURNAL, "prepare") as journal:
        for number, line in enumerate(lines):
            journal.add(str(number), line)
    return folder


class Page(HTMLParser):
    """The tags of a page and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data + " "

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_loads_nothing_and_runs_nothing(footage: Path) -> None:
    page = Page(write_report(footage))
    assert not page.of("script") and not page.of("link")
    assert all(str(image["src"]).startswith("data:image/jpeg;base64,") for image in page.of("img"))
    assert not re.search(r"(src|href)=\"?(https?:|//)", page.text)
    assert "default-src 'none'" in str(page.of("meta")[1]["content"])


def test_foreign_names_are_escaped(footage: Path) -> None:
    page = Page(write_report(footage))
    assert "<script>alert" not in page.text and "onerror=alert(2)>" not in page.text
    assert "\u202e" not in page.text and "\x1b" not in page.text
    assert "alert(1)" in page.words and "/footage/" not in page.words  # the name is shown, not where it lies


def test_counts_are_those_of_the_journal(footage: Path) -> None:
    rows = re.findall(
        r"<td>([^<]+)</td><td><i style=\"width: ([\d.]+)%\"></i></td><td>(\d+)</td>", Page(write_report(footage)).text
    )
    assert rows == [("unreadable", "100.0", "1"), ("no face", "100.0", "5"), ("face too blurred", "20.0", "1")]


def test_what_is_odd_about_a_file_is_told(footage: Path) -> None:
    assert "What to know" not in Page(write_report(footage)).words
    with Journal(footage / JOURNAL, "prepare") as journal:
        journal.add("joined", journal_line("/footage/all.ts", remarks=[f"The clock of {HOSTILE}.ts jumps once."]))
    page = Page(write_report(footage))
    assert "What to know of the files" in page.words and ".ts jumps once." in page.words
    assert "<script>alert" not in page.text and "\x1b" not in page.text


def test_copies_come_from_the_run(footage: Path) -> None:
    result = Prepared(refused=[(Path("/x/b.mp4"), "/x/b.mp4 is the same file as another")])
    result.reasons["the same file as another"] = 1
    page = Page(write_report(footage, result))
    assert "b.mp4 is the same file as another" in page.words and "/x/" not in page.words


def test_people_and_frames_are_counted_and_the_reader_is_warned(footage: Path) -> None:
    words = " ".join(Page(write_report(footage)).words.split())
    assert "people, by face 2" in words and "frames 6" in words
    assert "crops of your footage" in words


def test_of_a_large_set_a_sample_is_shown_and_named_as_one(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for person in range(2, 6):
        shard(footage / "shards" / f"{person}.parquet", person)
    monkeypatch.setattr(module, "SHARDS", 3)
    page = Page(write_report(footage))
    assert "6 shards; this page shows an even sample of 3" in " ".join(page.words.split())
    assert len(page.of("img")) == 3


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no shard"):
        write_report(prepared(tmp_path / "set", 0))
    with pytest.raises(UsageError, match="not prepared footage"):
        write_report(tmp_path)


@pytest.mark.parametrize("values", [[5.0], [1, 1, 2, 9], np.linspace(0, 1000, 50), [0.25, 0.5]])
@pytest.mark.parametrize("limit", [None, 6.0])
def test_bars_and_ticks_stay_in_the_drawing(values: Any, limit: float | None) -> None:
    drawn = histogram("t", "n", values, limit=limit)
    assert sum(int(words.rsplit(" ", 1)[1]) for *_, words in drawn.bars) == len(values)
    for x, y, width, height, _ in drawn.bars:
        assert x >= 0 and y >= 0 and height >= 0 and x + width <= WIDTH and y + height <= HEIGHT
    assert all(0 <= x <= WIDTH for x, _, _ in drawn.ticks)
    assert (drawn.limit is None) == (limit is None) and (drawn.limit is None or 0 <= drawn.limit <= WIDTH)


def test_the_highest_bar_is_that_of_the_commonest_value() -> None:
    drawn = histogram("t", "n", [1, 1, 1, 2, 3])
    assert [words for *_, words in drawn.bars] == ["1: 3", "2: 1", "3: 1"]
    assert drawn.bars[0][3] == pytest.approx(3 * drawn.bars[1][3], rel=0.01)


@pytest.mark.page
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_the_window(footage: Path, browser: Any, width: int) -> None:
    messages: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.on("console", lambda message: messages.append(message.text))
    page.goto(write_report(footage).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert messages == []
    page.close()
