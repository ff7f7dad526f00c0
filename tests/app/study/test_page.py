"""The page of a study in a real browser: clicked through with keys on a desk and by touch on a phone, left and gone on
with, handed on; its answers are scored. Nothing in it tells which clip is the fake.
"""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.study.answers import read_answers
from sfumato.app.study.key import Key, read_key
from sfumato.app.study.make import StudyConfig, make_study
from sfumato.app.study.score import score
from tests.review_fixtures import opened, wait_until
from tests.study_fixtures import FULL, PAIR, fakes_of, write_set

pytestmark = pytest.mark.page
PLAYING = "[...document.querySelectorAll('#choices video')].every(video => !video.paused && video.readyState >= 2)"
COUNT = "document.getElementById('count').textContent"
SHOWN = "[...document.querySelectorAll('#choices input')].map(input => input.value)"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four questions about four people."""
    folder = tmp_path_factory.mktemp("study")
    made = make_study(
        write_set(folder / "set", dict.fromkeys("abcd", FULL)), folder / "study", StudyConfig(note="Ask\nme")
    )
    assert len(made.drawn.questions) == 4
    return folder / "study"


def begin(page: Any) -> None:
    page.click("#consent")
    page.click("#begin")
    wait_until(page, PLAYING)


def saved(page: Any, button: str, to: Path) -> Path:
    with page.expect_download() as waiting:
        page.click(button)
    waiting.value.save_as(to / waiting.value.suggested_filename)
    return to / waiting.value.suggested_filename


def place_of_fake(page: Any, key: Key) -> int:
    return next(place for place, name in enumerate(page.evaluate(SHOWN)) if name in fakes_of(key))


def test_every_fake_is_found_with_the_keyboard_alone_and_the_export_is_scored(browser, study, tmp_path) -> None:
    page, faults = opened(browser, study / "page" / "index.html", accept_downloads=True)
    assert page.evaluate("document.getElementById('begin').disabled")
    page.keyboard.press("Tab")
    page.keyboard.press(" ")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    key = read_key(study)
    for number in range(1, 5):
        wait_until(page, f"{COUNT} === '{number} of 4' && {PLAYING}")
        page.keyboard.press("Enter")  # nothing is chosen yet
        assert page.evaluate(COUNT) == f"{number} of 4"
        right = place_of_fake(page, key)
        page.keyboard.press(str((right + 1) % 3 + 1))
        page.keyboard.press(str(right + 1))  # the last choice counts
        assert page.locator(".choice.chosen").count() == 1
        page.keyboard.press("Enter")
    wait_until(page, "!document.getElementById('end').hidden")
    file = saved(page, "#save", tmp_path)
    found = score(key, read_answers([file], key))
    assert (found.rate.right, found.rate.of) == (4, 4)
    assert all(0 < answer["seconds"] < 300 for answer in json.loads(file.read_text())["answers"])
    rows = list(csv.DictReader(io.StringIO(saved(page, "#table", tmp_path).read_text())))
    answers = json.loads(file.read_text())["answers"]
    assert [(int(row["question"]), row["chosen"]) for row in rows] == [(a["question"], a["chosen"]) for a in answers]
    assert page.evaluate("document.getElementById('text').value") == file.read_text()
    assert not faults
    page.close()


def test_a_phone_is_tapped_through_without_scrolling(browser, study, tmp_path) -> None:
    context = browser.new_context(**PHONE)
    page, faults = opened(context, study / "page" / "index.html")
    page.tap("#consent")
    page.tap("#begin")
    for number in range(1, 5):
        wait_until(page, f"{COUNT} === '{number} of 4' && {PLAYING}")
        boxes = [card.bounding_box() for card in [*page.locator(".choice").all(), *page.locator("footer button").all()]]
        assert all(
            box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] + box["height"] <= 844 for box in boxes
        )
        assert min(min(box["width"], box["height"]) for box in boxes) >= 44  # a finger's width
        page.evaluate("document.getElementById('count').textContent = '1000 of 1000'")  # the longest there may be
        assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [390, 390]
        page.locator(".choice").first.tap()
        page.tap("#next")
    wait_until(page, "!document.getElementById('end').hidden")
    file = saved(page, "#save", tmp_path)
    key = read_key(study)
    assert len(read_answers([file], key)[0].answers) == 4
    assert [answer["shown"][0] for answer in json.loads(file.read_text())["answers"]] == [
        answer["chosen"] for answer in json.loads(file.read_text())["answers"]
    ]
    assert not faults
    context.close()


def test_a_study_that_was_left_goes_on_where_it_was(browser, study, tmp_path) -> None:
    context = browser.new_context()
    page, faults = opened(context, study / "page" / "index.html")
    begin(page)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    wait_until(page, f"{COUNT} === '2 of 4' && {PLAYING}")
    second = page.evaluate(SHOWN)
    page.wait_for_timeout(700)
    page.reload()
    assert page.inner_text("#kept") == "This browser holds 1 of 4 answers of this study."
    page.click("#begin")
    wait_until(page, f"{COUNT} === '2 of 4' && {PLAYING}")
    assert page.evaluate(SHOWN) == second
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    wait_until(page, f"{COUNT} === '3 of 4'")
    page.reload()
    page.click("#leave")
    answers = json.loads(saved(page, "#save", tmp_path).read_text())["answers"]
    assert len(answers) == 2
    assert answers[1]["seconds"] > 0.7  # the time before it was left is in it
    page.click("#clear")
    assert page.evaluate("!document.getElementById('end').hidden")  # asked twice
    page.click("#clear")
    wait_until(page, "!document.getElementById('start').hidden")
    assert page.evaluate("localStorage.length") == 0
    assert not faults
    context.close()


def test_what_was_kept_by_another_hand_is_no_state(browser, study) -> None:
    key = read_key(study)
    for state in ("nonsense", "[]", json.dumps({"participant": "a" * 16, "asked": [], "answers": [1], "spent": 0})):
        context = browser.new_context()
        page, faults = opened(context, study / "page" / "index.html")
        page.evaluate("([name, text]) => localStorage.setItem(name, text)", [f"sfumato study {key.study}", state])
        page.reload()
        begin(page)
        assert page.evaluate(COUNT) == "1 of 4"
        assert not faults
        context.close()


def test_without_a_place_to_keep_them_answers_are_saved_at_the_end(browser, study, tmp_path) -> None:
    page, faults = opened(browser, study / "page" / "index.html")
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } });")
    page.reload()
    begin(page)
    wait_until(page, "document.getElementById('said').textContent.startsWith('This browser keeps nothing')")
    for number in range(1, 5):
        wait_until(page, f"{COUNT} === '{number} of 4' && {PLAYING}")
        page.keyboard.press("3")
        page.keyboard.press("Enter")
    assert len(json.loads(saved(page, "#save", tmp_path).read_text())["answers"]) == 4
    assert not faults
    page.close()


def test_clips_play_together_again_and_again_stop_and_replay(browser, study) -> None:
    page, faults = opened(browser, study / "page" / "index.html")
    begin(page)
    times = "[...document.querySelectorAll('#choices video')].map(video => video.currentTime)"
    turns = apart = 0
    before = page.evaluate(times)[0]
    for _ in range(60):
        page.wait_for_timeout(50)
        now = page.evaluate(times)
        apart += max(now) - min(now) > 0.25
        turns += now[0] < before
        before = now[0]
    assert turns >= 2  # of 1.2 seconds
    assert apart < 6  # a busy machine decodes one late
    page.keyboard.press("p")
    stopped = page.evaluate(times)
    page.wait_for_timeout(300)
    assert page.evaluate(times) == stopped
    assert page.inner_text("#stop") == "Play"
    page.keyboard.press(" ")
    wait_until(page, PLAYING)
    assert page.evaluate("[...document.querySelectorAll('#choices video')].every(video => video.muted)")
    assert not faults
    page.close()


def test_time_out_of_sight_is_not_counted(browser, study, tmp_path) -> None:
    page, faults = opened(browser, study / "page" / "index.html")
    started = time.monotonic()
    begin(page)
    hide = (
        "Object.defineProperty(document, 'visibilityState', { value: '%s', configurable: true }); "
        "document.dispatchEvent(new Event('visibilitychange'));"
    )
    page.evaluate(hide % "hidden")
    page.wait_for_timeout(2500)
    page.evaluate(hide % "visible")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    wait_until(page, f"{COUNT} === '2 of 4'")
    took = time.monotonic() - started
    page.reload()
    page.click("#leave")
    (answer,) = json.loads(saved(page, "#save", tmp_path).read_text())["answers"]
    assert 0 < answer["seconds"] < took - 2.4
    assert not faults
    page.close()


def test_a_clip_that_cannot_be_played_is_no_answer(browser, tmp_path) -> None:
    folder = tmp_path / "study"
    make_study(write_set(tmp_path / "set", {"a": PAIR}), folder, StudyConfig(choices=2))
    next((folder / "page" / "clips").iterdir()).write_bytes(b"no video")
    page, _ = opened(browser, folder / "page" / "index.html")
    page.click("#consent")
    page.click("#begin")
    wait_until(page, "!document.getElementById('next').disabled")
    page.keyboard.press("1")
    assert page.locator(".chosen").count() == 0
    page.click("#next")
    key = read_key(folder)
    (sheet,) = read_answers([saved(page, "#save", tmp_path)], key)
    assert [answer.right for answer in sheet.answers] == [None]
    page.close()


def test_nothing_in_the_page_tells_which_is_the_fake(study) -> None:
    text = (study / "page" / "index.html").read_text(encoding="utf-8")
    data = text[text.index('id="data">') + len('id="data">') :]
    data = data[: data.index("</script>")]
    asked = json.loads(data)
    assert set(asked) == {"study", "choices", "questions"}
    assert {name for question in asked["questions"] for name in question} == {
        "number",
        "seconds",
        "width",
        "height",
        "clips",
    }
    assert {name for question in asked["questions"] for clip in question["clips"] for name in clip} == {
        "name",
        "address",
    }
    key = read_key(study)
    for question in key.questions:
        for clip in question.clips:
            assert clip.path not in text
            assert clip.sha256 not in text
    assert "animated" not in text
    assert not (study / "page" / "key.json").exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_serious_barrier_and_no_sideways_scrolling(browser, study, width, scheme) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    page, faults = opened(context, study / "page" / "index.html")

    def hold(place: str) -> None:
        found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [
            (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], place
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place

    hold("start")
    begin(page)
    hold("question")
    for number in range(1, 5):
        wait_until(page, f"{COUNT} === '{number} of 4' && {PLAYING}")
        page.keyboard.press("1")
        if number == 1:
            hold("chosen")
        page.keyboard.press("Enter")
    wait_until(page, "!document.getElementById('end').hidden")
    page.click("summary")
    hold("end")
    assert not faults
    context.close()
