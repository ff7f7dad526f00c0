"""Pictures with generated faces in them are signed, as files and inside a page."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from provenance.verifying.verify import verify
from sfumato.app.review.contact_sheet import save_sheet
from sfumato.app.review.marked import marked_jpeg

SHEET = Image.new("RGB", (64, 48), (90, 120, 60))


def test_a_sheet_is_signed_and_says_what_is_in_it(tmp_path: Path) -> None:
    save_sheet(tmp_path / "sheet.png", SHEET)
    found = verify(tmp_path / "sheet.png")
    assert (found.outcome, found.declares) == ("untrusted", ("compositeWithTrainedAlgorithmicMedia",))
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert "compositeWithTrainedAlgorithmicMedia" in sheet.text["XML:com.adobe.xmp"]


def test_a_sheet_of_real_pictures_is_not(tmp_path: Path) -> None:
    save_sheet(tmp_path / "sheet.png", SHEET, generated=False)
    assert verify(tmp_path / "sheet.png").outcome == "none"


def test_a_picture_of_a_page_is_signed(tmp_path: Path) -> None:
    data = marked_jpeg(SHEET, "a clip", 86)
    (tmp_path / "a.jpg").write_bytes(data)
    assert verify(tmp_path / "a.jpg").outcome == "untrusted"
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == SHEET.size
        assert b"compositeWithTrainedAlgorithmicMedia" in image.info["xmp"]
