"""The demo's report: self-contained, escaped, and its videos play in a browser beside what was found."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from detector.inference.prediction import ModelFacts
from provenance.manifests.claims import Ingredient
from provenance.verifying.verification import Verification
from provenance.verifying.verify import verify
from sfumato.app.review.contact_sheet import write_contact_sheet
from sfumato.app.review.heat_sheet import heat_pictures
from sfumato.app.review.report import Heading, ReviewedClip, render_report, write_report
from sfumato.app.scan.verdict import VERDICTS
from tests.detector_fixtures import toy_explanation
from tests.media_fixtures import picture
from tests.review_fixtures import HOSTILE, opened, wait_until
from tests.scan_fixtures import explanation_record, scan_record
from tests.signing_fixtures import seal_video

HEADING = Heading("Mona Lisa", "Leonardo da Vinci", "Oil on panel.", picture(0))
ALLOWED = ("https://github.com", "http://www.w3.org")  # where the library of charts is from; the name of SVG


def hostile_clip(folder: Path) -> ReviewedClip:
    found = Verification(
        folder / "a.mp4", "untrusted", signer=HOSTILE, time=HOSTILE, declares=(HOSTILE,), title=HOSTILE,
        generator=HOSTILE,
        facts={HOSTILE: HOSTILE, "digests": [HOSTILE], "parameters": {HOSTILE: HOSTILE}},
        ingredients=(Ingredient(HOSTILE, HOSTILE, HOSTILE, "none"), Ingredient(None, None, None, "none")),
    )  # fmt: skip
    record = scan_record(text=HOSTILE, model=ModelFacts(HOSTILE, HOSTILE, "b" * 64, "onnxruntime"))
    return ReviewedClip(HOSTILE, folder / "a\"b'<c>.mp4", found, record, scan_record("suspicious", HOSTILE))


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def entries(page: str) -> list[dict]:
    """What the page's script shows."""
    start = page.index('id="data">') + len('id="data">')
    return json.loads(page[start : page.index("</script>", start)])["entries"]


def test_hostile_strings_stay_text(tmp_path) -> None:
    page = render_report(Heading(HOSTILE, HOSTILE, HOSTILE), [hostile_clip(tmp_path)])
    tags = Tags(page).found
    assert [tag for tag, _ in tags].count("script") == 2  # the data, and ours
    assert not [tag for tag, _ in tags if tag == "img"]
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "\\u202e" in page  # shown for what it is


def test_page_loads_nothing_from_elsewhere(tmp_path) -> None:
    page = render_report(HEADING, [hostile_clip(tmp_path)], tmp_path / "contact-sheet.png")
    tags = Tags(page).found
    addresses = [a[name] for _, a in tags for name in ("src", "href", "poster", "action") if name in a]
    addresses += [entry["address"] for entry in entries(page)]
    assert len(addresses) == 4  # the clip stands there twice: for who runs no scripts, too
    assert all(address.startswith("data:image/") or re.fullmatch(r"[\w.%-]+", address) for address in addresses)
    assert not [word for word in re.findall(r"https?://[\w.]+", page) if word not in ALLOWED]
    policy = next(a["content"] for tag, a in tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_every_verdict_is_explained(tmp_path) -> None:
    page = render_report(HEADING, [hostile_clip(tmp_path)])
    for name in VERDICTS:
        assert f">{name}</span>" in page
    assert page.count('class="here"') == 2  # synthetic-claimed and suspicious


def test_an_entry_says_what_was_sealed_in_and_what_the_stripped_copy_gives(tmp_path) -> None:
    (entry,) = entries(render_report(HEADING, [hostile_clip(tmp_path)]))
    assert ("digests", entry["sealed"][1][1]) == tuple(entry["sealed"][1])
    assert [name for name, _ in entry["sealed"][-2:]] == ["made from", "made from"]
    assert entry["record"]["verdict"] == "synthetic-claimed" and entry["stripped"]["verdict"] == "suspicious"
    assert (entry["tone"], entry["stripped_tone"]) == ("declared", "alarm")


def test_heat_maps_are_in_the_page_where_there_are_any(tmp_path) -> None:
    found = toy_explanation()
    told = explanation_record(found, f"Evidence {HOSTILE}")
    clip = ReviewedClip(
        "calm", tmp_path / "a.mp4", Verification(tmp_path / "a.mp4", "none"), scan_record(explanation=told)
    )
    (entry,) = entries(render_report(HEADING, [replace(clip, heat=heat_pictures(found)[0])]))
    assert [picture["said"] for picture in entry["heat"]] == ["at 0.00 s", "blending +3.0", "synthesis -1.0"]
    assert all(picture["address"].startswith("data:image/jpeg;base64,") for picture in entry["heat"])
    (alone,) = entries(render_report(HEADING, [clip]))  # a detector without maps: the words stand alone
    assert alone["heat"] == []
    assert alone["record"]["explain"]["words"].startswith("Evidence </script>")


def test_report_lies_beside_its_videos(tmp_path) -> None:
    clip = ReviewedClip("calm", tmp_path / "elsewhere" / "a.mp4", Verification(tmp_path, "none"), scan_record())
    with pytest.raises(ValueError, match="beside"):
        write_report(tmp_path / "report.html", HEADING, [clip])


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
    page, faults = opened(browser, tmp_path / "report.html")
    wait_until(page, "[...document.querySelectorAll('video')].every(v => v.readyState >= 2 && v.currentTime > 0.1)")
    wait_until(page, "[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    moved = "[...document.querySelectorAll('.marker')].every(line => line.style.transform.match(/[\\d.]+/)[0] > 0)"
    assert page.locator(".marker").count() == 2
    wait_until(page, moved)
    page.locator(".u-over").first.hover(position={"x": 2, "y": 20})
    wait_until(page, "document.querySelector('.readout').textContent === '0 s: 0.200'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    inside = (
        "[...document.querySelectorAll('.clip table, .clip dl')].every(part => part.scrollWidth <= part.clientWidth)"
    )
    assert page.evaluate(inside)
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "hair, neck, background" in page.inner_text(".clip")
    assert not faults
    page.close()
