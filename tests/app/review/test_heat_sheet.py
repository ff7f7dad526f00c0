"""The heat sheet: a row a frame, hot where the map is, marked where the frames are declared generated; names that are
safe anywhere.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.app.review.heat_sheet import FAINT, heat_pictures, labels, sheet_name, write_heat_sheet
from sfumato.errors import OutputError
from tests.detector_fixtures import toy_explanation


def colour(picture: np.ndarray) -> np.ndarray:
    """(H, W) how far each pixel is from grey."""
    return np.ptp(picture.astype(int), axis=2)


def test_only_the_places_of_the_map_are_coloured() -> None:
    (frame, (crop, blend, synthesis)), _ = heat_pictures(toy_explanation())
    assert np.array_equal(crop, frame.crop)
    assert colour(blend)[:16, 48:].mean() > 60
    assert colour(blend)[32:, :32].max() == 0
    assert colour(synthesis).max() == 0
    assert labels(frame) == ["at 0.00 s", "blending +3.0", "synthesis -1.0"]


def test_faint_maps_stay_dark() -> None:
    bright, faint = (
        colour(heat_pictures(toy_explanation(value))[0][1][1])[:16, 48:].mean() for value in (50.0, FAINT / 20)
    )
    assert faint < bright / 2


@pytest.mark.parametrize("generated", [True, False])
def test_sheet_is_whole_and_marked_where_it_has_to_be(tmp_path, generated) -> None:
    words = "Evidence of blending: more than 99 in 100 real clips show. " * 4
    write_heat_sheet(tmp_path / "a.png", toy_explanation(), "a" * 200, words, generated, side=96)
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.width > 3 * 96
        assert sheet.height > 2 * 96
        assert ("XML:com.adobe.xmp" in sheet.text) == generated
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_sheet_that_cannot_be_written(tmp_path) -> None:
    with pytest.raises(OutputError):
        write_heat_sheet(tmp_path / "none" / "a.png", toy_explanation(), "a", "b", False)


@pytest.mark.parametrize("name", ["a b\u202e\x1b.mp4", "..", "-rf", "\u4e2d", "x" * 300 + ".mp4", "a&b;$(c).png"])
def test_names_are_safe_and_tell_files_apart(name) -> None:
    made = sheet_name(Path("/some/folder") / name, "0123456789abcdef")
    assert made.isascii()
    assert len(made) < 80
    assert not set(made) & set(" /\\;$&()") and made[0] not in ".-_"
    assert made.endswith("-0123456789.png")
    assert made != sheet_name(Path("/other") / name, "fedcba9876543210")
