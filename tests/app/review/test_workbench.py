"""The page of a run in a real browser: a person decides with the keyboard alone, on a desk and on a phone, in light and
in dark; parts load as they are needed; nothing hostile runs.
"""

import json

import pytest

from sfumato.app.review.run_report import ONE_PAGE, write_run_report
from sfumato.app.scan.cascade import Stages
from sfumato.app.scan.record import ScanFacts
from tests.media_fixtures import picture
from tests.review_fixtures import HOSTILE, calm, data_of, flagged, opened, ten_flagged, wait_until, write_run

pytestmark = pytest.mark.page
CHOSEN = "document.querySelector('.row[aria-current] .title').textContent"
SHOWN = "document.querySelector('#clip h2')?.textContent"


def name_yourself(page, name: str = "Ada") -> None:
    wait_until(page, "document.getElementById('who').open")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    wait_until(page, "!document.getElementById('who').open")


def exported(page) -> list[dict]:
    with page.expect_download() as waiting:
        page.keyboard.press("x")
    text = waiting.value.path().read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_ten_flagged_files_are_decided_with_the_keyboard_alone(browser, tmp_path) -> None:
    run = ten_flagged(tmp_path / "run")
    page, faults = opened(browser, write_run_report(run).page)
    wait_until(page, f"{SHOWN} === 'clip-9.mp4'")  # those to review first, the highest score first
    page.keyboard.press("1")
    name_yourself(page)
    for number, key in enumerate("231423142", 1):
        wait_until(page, f"{SHOWN} === 'clip-{9 - number}.mp4'")
        if number == 3:
            page.keyboard.press("r")
            page.keyboard.type("a seam at the jaw")
            page.keyboard.press("Escape")
        page.keyboard.press(key)
    wait_until(page, "document.getElementById('progress').textContent === '10 files decided, 0 to review left'")
    found = exported(page)
    kinds = {"1": "real", "2": "generated", "3": "manipulated", "4": "unsure"}
    assert [each["path"] for each in found] == [f"clip-{number}.mp4" for number in range(9, -1, -1)]
    assert [each["decision"] for each in found] == [kinds[key] for key in "1231423142"]
    assert {each["reviewer"] for each in found} == {"Ada"}
    assert [each["reason"] for each in found] == ["", "", "", "a seam at the jaw", "", "", "", "", "", ""]
    assert found[0]["model"] == "b" * 64 and found[0]["verdict"] == "suspicious"
    assert not faults
    page.close()


def test_decisions_outlive_the_page_and_can_be_taken_back_and_loaded(browser, tmp_path) -> None:
    run = ten_flagged(tmp_path / "run")
    report = write_run_report(run).page
    context = browser.new_context()
    page, faults = opened(context, report)
    wait_until(page, f"{SHOWN} === 'clip-9.mp4'")
    page.keyboard.press("2")
    name_yourself(page)
    wait_until(page, f"{SHOWN} === 'clip-8.mp4'")  # the decision that waited for a name is taken
    page.keyboard.press("3")
    wait_until(page, "document.getElementById('progress').textContent === '2 files decided, 8 to review left'")
    lines = exported(page)
    page.reload()
    wait_until(page, "document.getElementById('progress').textContent === '2 files decided, 8 to review left'")
    page.keyboard.press("0")
    wait_until(page, "document.getElementById('progress').textContent === '1 file decided, 9 to review left'")
    page.close()
    lines[0] |= {"reviewer": "Bo", "decision": "unsure", "time": "2999-01-01T00:00:00Z"}
    lines[1] |= {"reviewer": "Bo", "decision": "real", "time": "2000-01-01T00:00:00Z"}
    hostile = {"sha256": lines[0]["sha256"], "decision": "constructor", "time": "2999-01-02T00:00:00Z"}
    (tmp_path / "bo.jsonl").write_text("\n".join(map(json.dumps, [*lines, hostile, {"a": 1}, 7])) + "\nnonsense\n")
    page, more = opened(context, report)
    page.set_input_files("#load", tmp_path / "bo.jsonl")
    wait_until(page, "document.getElementById('said').textContent.startsWith('1 decision taken over')")
    assert [(each["reviewer"], each["decision"]) for each in exported(page)] == [
        ("Bo", "unsure"),
        ("Ada", "manipulated"),
    ]
    assert not faults + more
    context.close()


def test_list_is_sorted_filtered_and_searched(browser, tmp_path) -> None:
    run = write_run(
        tmp_path / "run", [calm("b.mp4"), flagged("c.mp4"), calm("folder/a10.mp4", score=None), calm("a9.mp4")]
    )
    page, faults = opened(browser, write_run_report(run).page)

    def listed() -> list[str]:
        return page.evaluate("[...document.querySelectorAll('.row .title')].map(title => title.textContent)")

    assert listed()[0] == "c.mp4"
    page.select_option("#order", "name")
    assert listed() == ["a9.mp4", "a10.mp4", "b.mp4", "c.mp4"]
    page.click("#turn")
    assert listed() == ["c.mp4", "b.mp4", "a10.mp4", "a9.mp4"]
    page.locator(".chip", has_text="suspicious").click()
    assert listed() == ["c.mp4"]
    page.locator(".chip", has_text="suspicious").click()
    page.keyboard.press("/")
    page.keyboard.type("FOLDER/")
    assert listed() == ["a10.mp4"]
    page.fill("#search", "none such")
    assert listed() == [] and "No file fits" in page.inner_text("#rows")
    assert not faults
    page.close()


def test_boxes_and_line_follow_the_video(browser, tmp_path) -> None:
    page, faults = opened(browser, write_run_report(ten_flagged(tmp_path / "run")).page)
    wait_until(page, "document.querySelector('video')?.readyState >= 2")
    wait_until(page, "document.querySelector('.box').getAttribute('x') === '10'")
    page.evaluate("document.querySelector('video').currentTime = 1.5")
    wait_until(page, "document.querySelector('.box').getAttribute('x') === '17.5'")  # between two that were looked at
    assert page.evaluate("document.querySelector('.box').classList.contains('flagged')")
    assert page.inner_text(".segments") == "Above the threshold, at the moments that were looked at: 0 s to 2 s."
    box = page.locator(".u-over").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    wait_until(page, "Math.abs(document.querySelector('video').currentTime - 1) < 0.2")
    page.keyboard.press(" ")
    wait_until(page, "!document.querySelector('video').paused")
    assert not faults
    page.close()


def test_a_file_is_told_in_the_words_of_its_record(browser, tmp_path) -> None:
    mark = {"finding": "foreign", "meaning": "It is of another video.", "certainty": "At most 1e-09.", "frames": 16}
    record = flagged("https://example.com/a.mp4") | {"watermark": mark, "costs": {"full": [1, 2]}}
    record["threshold"]["sources"] = {"studio": {"n_real": 7, "rates": {"0.01": 0.125}}}
    page, faults = opened(browser, write_run_report(write_run(tmp_path / "run", [record])).page)
    wait_until(page, f"{SHOWN} === 'a.mp4'")
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    text = page.inner_text("#clip")
    for words in (
        record["meaning"], "It was seen.", "WATERMARK\nforeign", "It is of another video.\n\nAt most 1e-09.", "COSTS",
        "7 people\nA new real of this group exceeds it with a probability of at most 12.5 %.",
        "99 real people, at most about 1 % exceed it", "3 of 3\nWith a face large enough to be judged",
        "The file lies under an address, and this page loads nothing from outside.", "0 s to 2 s",
    ):  # fmt: skip
        assert words in text, words
    assert not faults
    page.close()


def test_a_record_says_which_stage_decided_and_how_it_was_scanned(browser, tmp_path) -> None:
    options = {"frames": 12, "quick": True, "repository": None}
    facts = ScanFacts("2026-01-02T03:04:05Z", "9.9", "c" * 64, (("signers", "d" * 64),), options)
    quick = Stages({"credential": 0.01, "watermark": 0.2, "keyframes": 1.5}, "keyframes", True)
    old = flagged("old.mp4") | {"scan": {}, "stages": None}
    records = [flagged("quick.mp4", score=0.9, scan=facts, stages=quick), old]
    page, faults = opened(browser, write_run_report(write_run(tmp_path / "run", records)).page)
    wait_until(page, f"{SHOWN} === 'quick.mp4'")
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    text = page.inner_text("#clip details.scan")
    for words in (
        "decided by\na few keyframes", "credential 0.01 s, watermark 0.2 s, keyframes 1.5 s", "did not run\nfull",
        "2026-01-02T03:04:05Z", "sfumato 9.9", "c" * 64, "signers\n" + "d" * 64, "frames\n12",
    ):  # fmt: skip
        assert words in text, words
    page.keyboard.press("j")
    wait_until(page, f"{SHOWN} === 'old.mp4'")
    assert page.locator("#clip details.scan").count() == 0
    assert not faults
    page.close()


def test_a_folder_loads_the_parts_that_are_looked_at(browser, tmp_path) -> None:
    count = ONE_PAGE + 50
    run = write_run(
        tmp_path / "run",
        [flagged(f"{number:03}.mp4", f"{number:064x}", 0.9 - number / 1000) for number in range(count)],
    )
    report = write_run_report(run).page
    page, faults = opened(browser, report)
    wait_until(page, f"{SHOWN} === '000.mp4'")
    for _ in range(105):
        page.keyboard.press("j")
    wait_until(page, f"{SHOWN} === '105.mp4'")
    assert page.evaluate(CHOSEN) == "105.mp4"  # on the second hundred of the list
    assert page.inner_text("#range") == "101 to 150 of 150"
    assert page.evaluate("document.querySelectorAll('iframe').length") <= 1
    assert not faults
    (report.parent / data_of(report)["folder"] / "7.html").unlink()
    page.reload()
    page.fill("#search", "149")
    page.locator(".row").first.click()
    wait_until(page, "document.getElementById('clip').textContent.includes('keep its folder together')")
    page.close()


def test_hostile_records_run_nothing(browser, tmp_path) -> None:
    record = flagged(f"{HOSTILE}.mp4") | {
        "verdict": HOSTILE,
        "meaning": HOSTILE,
        "mark": {HOSTILE: [HOSTILE, {"a": 1}]},
    }
    record["provenance"] |= {"signer": HOSTILE, "title": HOSTILE, "outcome": HOSTILE, "declares": [HOSTILE]}
    record["model"]["name"] = HOSTILE
    record["tracks"], record["explain"] = "no list", {"words": {"a": 1}, "heads": {HOSTILE: {"level": HOSTILE}}}
    for out in (tmp_path / "one.html", tmp_path / "folder"):
        run = write_run(tmp_path / "run", [record, calm("__proto__") | {"verdict": "__proto__"}])
        page, faults = opened(browser, write_run_report(run, out).page)
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        wait_until(page, f"({SHOWN} || '').startsWith('</script>') || ({SHOWN} || '').includes('onerror')")
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        page.keyboard.press("j")
        wait_until(page, f"{SHOWN} === '__proto__'")
        assert page.evaluate("document.querySelectorAll('script').length") == 2
        assert page.evaluate("document.querySelectorAll('img[onerror]').length") == 0
        assert not faults
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_serious_barrier_and_no_sideways_scrolling(browser, tmp_path, width, scheme) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    from PIL import Image

    Image.fromarray(picture(0, 320, 240)).save(tmp_path / "sheet.png")
    explain = {
        "words": "Seen.",
        "heads": {},
        "regions": {"mouth": 1.0},
        "areas": {"mouth": 0.1},
        "sheet": "../sheet.png",
    }
    run = write_run(
        tmp_path / "run", [flagged("a.mp4") | {"explain": explain}, *(calm(f"{i}.mp4") for i in range(120))]
    )
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page, faults = opened(context, write_run_report(run, tmp_path / "one.html").page)
    wait_until(page, f"{SHOWN} === 'a.mp4'")

    def hold(place: str) -> None:
        found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [
            (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], place
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place

    hold("list")
    page.locator(".row").first.click()
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    hold("file")
    page.keyboard.press("2")
    hold("who")
    name_yourself(page)
    page.keyboard.press("k")
    hold("decided")
    page.keyboard.press("?")
    hold("keys")
    assert not faults
    context.close()
