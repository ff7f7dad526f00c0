"""The page of a comparison: self-contained, escaped, usable on a phone and by a keyboard."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from detector.comparison.judged import Judged
from detector.comparison.page import page, write_page
from detector.comparison.run import compare
from detector.evaluation import intervals
from detector.evaluation.leakage import Leak
from detector.evaluation.run import EvaluationConfig
from tests.comparison_fixtures import pair, people, said

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e\x1b[31m"


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data + " "

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr(intervals, "DRAWS", 50)


@pytest.fixture
def hostile() -> str:
    first = people(8, dataset=HOSTILE)
    failing = said(first, lambda score, number: None if number == 0 else score)
    judged = [Judged(HOSTILE, first), Judged("other", failing)]
    return page(compare(judged, EvaluationConfig(frames=0), [Leak("file", (HOSTILE,), 1)]), HOSTILE)


def test_the_page_loads_nothing_and_its_policy_allows_its_own_style_alone(hostile) -> None:
    found = Page(hostile)
    assert not {"script", "link", "img", "iframe", "object"} & {name for name, _ in found.tags}
    assert not any("style" in attributes for _, attributes in found.tags)
    style = re.search("<style>(.*?)</style>", hostile, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(each["content"] for each in found.of("meta") if "http-equiv" in each)
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_foreign_names_are_escaped(hostile) -> None:
    found = Page(hostile)
    assert "<script>" not in hostile and "onerror=alert(2)>" not in hostile
    assert "\u202e" not in hostile and "\x1b" not in hostile
    assert "alert(1)" in found.words and "ValueError: <no>" in found.words


def test_numbers_curves_and_differences_are_on_it(tmp_path) -> None:
    write_page(tmp_path / "page.html", compare(pair(count=40), EvaluationConfig(frames=0)), "a set")
    text = (tmp_path / "page.html").read_text("utf-8")
    found = Page(text)
    assert [each["aria-label"] for each in found.of("svg") if "ROC" in str(each) or "DET" in str(each)] == [
        "ROC: true-positive rate over false-positive rate", "DET: miss rate over false-positive rate",
    ]  # fmt: skip
    assert len([each for each in found.of("path") if len(str(each["d"])) > 40]) == 4  # two curves in each
    assert "Against first" in found.words and "By generator" in found.words and "By compression" in found.words
    assert "40 real, 40 fake" in found.words


def test_one_detector_alone_has_no_differences() -> None:
    found = Page(page(compare(pair(count=8)[:1], EvaluationConfig(frames=0)), "a set"))
    assert "Against" not in found.words and "less that of" not in found.words


def test_one_class_is_told_and_not_drawn() -> None:
    fakes = [item for item in people(6) if item.sample.label == "fake"]
    found = Page(page(compare([Judged("a", fakes)], EvaluationConfig(frames=0)), "fakes"))
    assert "Too few: All 12 are fake: there is nothing to tell apart." in found.words
    assert "Curves" not in found.words


@pytest.mark.page
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_both_lights(tmp_path, browser, scheme) -> None:
    judged = pair(count=40)
    judged[1] = Judged("a_very_long_name_without_any_break_" * 4, judged[1].scored)
    write_page(tmp_path / "page.html", compare(judged, EvaluationConfig(frames=0)), "set" * 60)
    shown = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    told: list[str] = []
    shown.on("console", lambda message: told.append(message.text))
    shown.goto((tmp_path / "page.html").as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    assert told == []
    shown.close()
