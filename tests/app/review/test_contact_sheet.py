"""The contact sheet: frames spread over the clip, a whole picture, marked as generated."""

from PIL import Image

from sfumato.app.review.contact_sheet import spread, write_contact_sheet
from tests.media_fixtures import make_video, picture


def test_contact_sheet(tmp_path) -> None:
    make_video(tmp_path / "a.mp4", frames=12)
    assert len(spread(tmp_path / "a.mp4", 8)) == 8
    assert len(spread(tmp_path / "a.mp4", 50)) == 12
    write_contact_sheet(
        tmp_path / "sheet.png", [("Añb \u4e2d", picture(0), tmp_path / "a.mp4")] * 3, "generated", frames=8, side=48
    )
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 9 * 48
        assert sheet.height > 3 * 48
        assert "compositeWithTrainedAlgorithmicMedia" in sheet.text["XML:com.adobe.xmp"]
