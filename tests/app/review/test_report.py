"""The report: self-contained, escaped, drawn to scale, and its videos play in a browser."""

import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import escape

from detector.inference.prediction import ModelFacts, Reason
from provenance.manifests.claims import Ingredient
from provenance.verifying.verification import Verification
from provenance.verifying.verify import verify
from sfumato.app.review.contact_sheet import write_contact_sheet
from sfumato.app.review.heat_sheet import heat_pictures
from sfumato.app.review.report import Heading, ReviewedClip, render_report, timeline, write_report
from sfumato.app.scan.verdict import VERDICTS
from tests.detector_fixtures import toy_explanation
from tests.media_fixtures import picture
from tests.scan_fixtures import explanation_record, mark_facts, scan_record
from tests.signing_fixtures import seal_video

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e\x1b[31m"
HEADING = Heading("Mona Lisa", "Leonardo da Vinci", "Oil on panel.", picture(0))


def hostile_clip(folder: Path) -> ReviewedClip:
    found = Verification(
        folder / "a.mp4", "untrusted", signer=HOSTILE, time=HOSTILE, declares=(HOSTILE,), title=HOSTILE,
        generator=HOSTILE,
        facts={HOSTILE: HOSTILE, "digests": [HOSTILE], "parameters": {HOSTILE: HOSTILE}},
        ingredients=(Ingredient(HOSTILE, HOSTILE, HOSTILE, "none"), Ingredient(None, None, None, "none")),
    )  # fmt: skip
    record = scan_record(text=HOSTILE, model=ModelFacts(HOSTILE, HOSTILE, "b" * 64, "onnxruntime"))
    copy = scan_record("suspicious", HOSTILE, mark=mark_facts(HOSTILE))
    return ReviewedClip(HOSTILE, folder / "a\"b'<c>.mp4", found, record, copy)


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_hostile_strings_stay_text(tmp_path) -> None:
    page = render_report(Heading(HOSTILE, HOSTILE, HOSTILE), [hostile_clip(tmp_path)])
    tags = Tags(page).found
    assert [tag for tag, _ in tags].count("script") == 1
    assert not [tag for tag, _ in tags if tag == "img"]
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "\\u202e" in page  # shown for what it is


def test_page_loads_nothing_from_elsewhere(tmp_path) -> None:
    page = render_report(HEADING, [hostile_clip(tmp_path)], tmp_path / "contact-sheet.png")
    addresses = [
        attributes[name]
        for _, attributes in Tags(page).found
        for name in ("src", "href", "poster", "action")
        if name in attributes
    ]
    assert addresses
    assert all(address.startswith("data:image/") or re.fullmatch(r"[\w.%-]+", address) for address in addresses)
    assert "http://" not in page
    assert "https://" not in page
    policy = next(
        a["content"]
        for tag, a in Tags(page).found
        if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_every_verdict_is_explained(tmp_path) -> None:
    page = render_report(HEADING, [hostile_clip(tmp_path)])
    for name in VERDICTS:
        assert f">{name}</span>" in page
    assert page.count('class="here"') == 2  # synthetic-claimed and suspicious


def test_a_copys_watermark_stands_with_its_manifest_and_how_sure_that_is(tmp_path) -> None:
    record, mark = scan_record(mark=mark_facts("urn:of-the-original")), mark_facts("urn:found-again")
    found = Verification(tmp_path / "a.mp4", "none")
    page = render_report(HEADING, [ReviewedClip("calm", tmp_path / "a.mp4", found, record, scan_record(mark=mark))])
    assert "urn:found-again" in page
    assert str(escape(mark.meaning)) in page
    assert str(escape(mark.certainty)) in page
    assert f"<dd>recovered: {mark.value}</dd>" in page


def test_detector_speaks_for_itself(tmp_path) -> None:
    mark = Reason("watermark_recovered", "The mark says so.")
    record = scan_record()
    record = replace(record, verdict=replace(record.verdict, reasons=(*record.verdict.reasons, mark)))
    clip = ReviewedClip("calm", tmp_path / "a.mp4", Verification(tmp_path / "a.mp4", "none"), record)
    page = render_report(HEADING, [clip])
    assert "The mark says so." not in page
    assert "It was seen." in page
    assert "declares something" not in page


def test_heat_maps_and_words_stand_beside_the_timeline(tmp_path) -> None:
    found = toy_explanation()
    told = explanation_record(found, f"Evidence {HOSTILE}")
    clip = ReviewedClip(
        "calm", tmp_path / "a.mp4", Verification(tmp_path / "a.mp4", "none"), scan_record(explanation=told)
    )
    page = render_report(HEADING, [replace(clip, heat=heat_pictures(found)[0])])
    heat = [
        a
        for tag, a in Tags(page).found
        if tag == "img" and a["src"].startswith("data:image/jpeg") and a.get("class") != "source"
    ]
    assert [attributes["alt"].split(": ")[1] for attributes in heat] == ["at 0.00 s", "blending +3.0", "synthesis -1.0"]
    assert "Evidence &lt;script" in page
    assert "hair, neck, background" in page
    alone = render_report(HEADING, [clip])  # a detector without maps: the words stand alone
    assert "Evidence &lt;script" in alone
    assert 'class="heat"' not in alone
    nowhere = replace(told, place=replace(told.place, regions=None))
    none = render_report(HEADING, [replace(clip, scan=scan_record(explanation=nowhere))])
    assert "hair, neck, background" not in none


def test_timeline_is_to_scale() -> None:
    drawn = timeline(scan_record())
    (x0, y0), (x1, y1), (x2, y2) = drawn["dots"]
    assert x0 == drawn["left"]
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.02)
    assert y1 == drawn["top"]
    assert y2 == pytest.approx(drawn["threshold"]["y"], abs=0.01)
    assert y0 > y2 > y1
    assert drawn["length"] == 2.0
    assert drawn["other"] is None


def test_no_timeline_without_scores(tmp_path) -> None:
    record = scan_record("not-evaluable", score=None, timeline=())
    assert timeline(record) is None
    clip = ReviewedClip("calm", tmp_path / "a.mp4", Verification(tmp_path / "a.mp4", "none"), record)
    assert "<svg" not in render_report(HEADING, [clip])


def test_report_lies_beside_its_videos(tmp_path) -> None:
    clip = ReviewedClip("calm", tmp_path / "elsewhere" / "a.mp4", Verification(tmp_path, "none"), scan_record())
    with pytest.raises(ValueError, match="beside"):
        write_report(tmp_path / "report.html", HEADING, [clip])


def wait_until(page, expression: str, seconds: float = 20.0) -> None:
    """Polls from outside: the page's own policy forbids what Playwright's waiting does inside."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


@pytest.mark.page
def test_videos_play_and_timeline_follows(browser, tmp_path) -> None:
    clips = []
    for name in ("calm", "lively"):
        path = seal_video(tmp_path / f"{name}.mp4")
        record, heat = (
            scan_record(explanation=explanation_record(toy_explanation())),
            heat_pictures(toy_explanation())[0],
        )
        clips.append(ReviewedClip(name, path, verify(path), record, scan_record("suspicious"), heat))
    write_contact_sheet(
        tmp_path / "contact-sheet.png", [(clip.label, picture(0), clip.path) for clip in clips], "generated"
    )
    write_report(tmp_path / "report.html", HEADING, clips, tmp_path / "contact-sheet.png", 1.0)
    page = browser.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda request: faults.append(request.url) if not request.url.startswith(("file:", "data:")) else None,
    )
    page.goto((tmp_path / "report.html").as_uri())
    wait_until(page, "[...document.querySelectorAll('video')].every(v => v.readyState >= 2 && v.currentTime > 0.1)")
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    wait_until(page, "[...document.querySelectorAll('.clip .cursor')].every(cursor => cursor.getAttribute('x1') > 26)")
    page.locator("svg").first.hover(position={"x": 5, "y": 20})
    wait_until(page, "document.querySelector('.readout').textContent === '0.00 s: 0.200'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    assert page.evaluate(
        "[...document.querySelectorAll('.where dl')].every(list => list.scrollWidth <= list.clientWidth)"
    )
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not faults
    page.close()
