"""The card: a page that runs and loads nothing, in which foreign texts are texts, with a picture that is marked."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from PIL import Image

from sfumato.app.sets.forms.about import REFUSED
from sfumato.app.sets.forms.card import render_card, shown_pairs, write_card
from sfumato.app.sets.forms.job import Job
from sfumato.app.sets.layout import SetRow
from tests.set_forms_fixtures import HOSTILE


class Page(HTMLParser):
    """Its elements, where links go, and all of its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_says_it_all_and_runs_nothing(job: Job) -> None:
    page = Page(render_card(job))
    assert not {"script", "b", "iframe"} & set(page.tags)
    assert sorted(page.links) == [
        'https://example.org/"><script>)?a=b|c', "https://example.org/set", "https://example.org/t", "pairs.png",
    ]  # fmt: skip
    assert page.text.count(HOSTILE) >= 7  # name, description, publisher, method, and four of the record
    assert all(line in page.text for line in REFUSED)
    assert job.media.facts.digest in page.text and "6: 3 fakes and 3 real" in page.text


def test_the_picture_shows_pairs_and_is_marked(job: Job) -> None:
    write_card(job)
    with Image.open(job.out / "pairs.png") as picture:
        assert picture.size == (6 + 2 * (2 * 176 + 12), 2 * (176 + 22 + 6) + 6)
        assert "compositeWithTrainedAlgorithmicMedia" in str(picture.info)
        assert picture.getpixel((6 + 88, 22 + 4)) == (246, 242, 234)  # a wide frame keeps its shape
    for name in ("set.json", "rights.json"):
        assert (job.out / name).read_bytes() == (job.media.folder / name).read_bytes()


def test_many_methods_give_a_picture_that_ends(job: Job) -> None:
    twin, fake = job.media.rows[:2]
    rows = [twin]
    for number in range(100):
        path = f"videos/{number}.mp4"
        clip = replace(fake.clip, path=path, method=f"swap-{number:03d}")
        rows.append(SetRow(clip, replace(fake.details, path=path)))
    shown = {row.method for row in shown_pairs(rows) if row.label == "fake"}
    assert shown == {f"swap-{number:03d}, plain" for number in range(12)}


def test_without_a_publisher_nothing_is_made_up(job: Job) -> None:
    page = Page(render_card(replace(job, publication=replace(job.publication, url=None, creator=None))))
    assert "Published by" not in page.text and len(page.links) == 3
