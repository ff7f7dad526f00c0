"""Ranges of what a calibration saw: known values, an open end, the chance of a file like the others to lie outside."""

import numpy as np
import pytest

from detector.inference.quality_norm import QUALITIES, QUANTITIES, quantities
from detector.training.evidence import ClipEvidence
from detector.training.ranges import coverage_of, coverage_of_clips, largest_face


def test_a_range_reaches_beyond_the_files_by_a_share_of_its_width() -> None:
    found = coverage_of([{"contrast": float(value)} for value in range(101)])  # 1 to 99, and 0.35 + 2 / sqrt(101) of 98
    margin = (0.35 + 2 / np.sqrt(101)) * 98
    assert found is not None and found.ranges["contrast"] == pytest.approx((1 - margin, 99 + margin))


def test_files_that_are_all_alike_still_have_some_room() -> None:
    found = coverage_of([{"contrast": 5.0}] * 50)
    assert found is not None and found.ranges["contrast"] == pytest.approx((4.8, 5.2))


def test_faces_are_measured_by_their_ratios_and_the_range_is_open_where_all_are_alike() -> None:
    found = coverage_of([{"face": 100.0}] * 50, largest_face=110.0)
    assert found is not None
    low, high = found.ranges["face"]
    assert (low, high) == (pytest.approx(100 * np.exp(-0.2)), None)
    small = coverage_of([{"face": 100.0}] * 50, largest_face=500.0)
    assert small is not None and small.ranges["face"][1] == pytest.approx(100 * np.exp(0.2))


def test_codecs_are_kept_by_family() -> None:
    found = coverage_of([{"contrast": 5.0}], codecs=["hevc", "h264", "odd"])
    assert found is not None and found.codecs == ("H.264 and later", "odd")


def test_without_files_there_are_no_ranges() -> None:
    assert coverage_of([]) is None
    assert coverage_of_clips([ClipEvidence("a", "a", "real", np.zeros((1, 2)))], 48) is None


def test_ranges_of_clips_have_every_quantity() -> None:
    clips = [ClipEvidence("a", "a", "real", np.zeros((1, 2)), quality=np.zeros(len(QUALITIES)))] * 3
    found = coverage_of_clips(clips, 48)
    assert found is not None and tuple(found.ranges) == QUANTITIES
    assert found.outside(quantities(np.zeros(len(QUALITIES)), 48), None) == ()


def test_a_face_is_three_quarters_of_its_crop() -> None:
    assert largest_face(192) == pytest.approx(144.0)
    half = np.zeros(len(QUALITIES))
    half[-2] = np.log(0.5)
    assert quantities(half, 192)["face"] == pytest.approx(72.0)


@pytest.mark.parametrize(("files", "most"), [(9, 0.06), (50, 0.005)])
def test_a_file_like_the_others_hardly_ever_lies_outside(files: int, most: float) -> None:
    rng = np.random.default_rng(0)
    names = QUANTITIES[1:]
    outside = []
    for _ in range(60):
        drawn = [dict(zip(names, rng.normal(size=len(names)), strict=True)) for _ in range(files + 20)]
        found = coverage_of(drawn[:files])
        assert found is not None
        outside += [bool(found.outside(each, None)) for each in drawn[files:]]
    assert np.mean(outside) <= most
