"""Predictions: which frames decide, the band, and the JSON of each part."""

from dataclasses import replace

import pytest

from detector.inference.frames import MediaFacts
from detector.inference.prediction import (
    FrameCounts,
    ModelFacts,
    Moment,
    Prediction,
    Reason,
    Timing,
    TrackFrame,
    TrackScore,
)
from detector.inference.thresholds import Band, Coverage, Thresholds


def frame(logit: float, time: float = 0.0) -> TrackFrame:
    return TrackFrame(time, (1.0, 2.0, 30.0, 40.0), 0.5, logit, logit, logit)


@pytest.mark.parametrize(("frames", "deciding"), [(1, [0]), (3, [2]), (4, [3, 2]), (7, [6, 5, 4])])
def test_the_highest_third_of_the_highest_track_decides(frames, deciding) -> None:
    highest = TrackScore(0, 0.9, 2.0, tuple(frame(float(i)) for i in range(frames)))
    found = Prediction("ok", tracks=(highest, TrackScore(1, 0.1, -2.0, (frame(99.0),))))
    assert [each.logit for each in found.deciding] == deciding


def test_nothing_decides_without_a_score() -> None:
    assert Prediction("abstain").deciding == ()


def test_the_band_is_that_of_the_logit() -> None:
    assert Prediction("ok", logit=1.5, threshold=Thresholds({0.1: 1.0, 0.01: 2.0})).band(0.01) == Band.RAISED


def test_a_file_that_was_not_judged_has_no_band() -> None:
    assert Prediction("error", logit=9.0, threshold=Thresholds({0.1: 1.0})).band(0.1) == Band.NONE


def test_size_is_the_median_of_the_longer_side() -> None:
    boxes = [(0.0, 0.0, 10.0, 20.0), (0.0, 0.0, 50.0, 20.0), (0.0, 0.0, 30.0, 20.0)]
    frames = tuple(TrackFrame(0.0, box, 0.5, 0.0, 0.0, 0.0) for box in boxes)
    assert TrackScore(0, 0.5, 0.0, frames).size == 30.0


def test_a_track_is_told_from_its_first_frame_to_its_last() -> None:
    found = TrackScore(3, 0.25, -1.0, (frame(0.0, 0.5), frame(0.0, 1.25))).as_json()
    assert {name: found[name] for name in ("id", "t0", "t1", "n", "size_px", "score", "logit")} == {
        "id": 3, "t0": 0.5, "t1": 1.25, "n": 2, "size_px": 40.0, "score": 0.25, "logit": -1.0,
    }  # fmt: skip


def test_a_frame_is_told_with_the_nets_own_logits() -> None:
    found = TrackFrame(1 / 3, (1.04, 2.06, 3.0, 4.0), 0.123456789, 9.0, 1.23456, -1.23456).as_json()
    assert found == {"t": 0.3333, "box": [1.0, 2.1, 3.0, 4.0], "score": 0.123457, "blend": 1.235, "synthesis": -1.235}


def test_heads_on_all_layers_are_told_by_name() -> None:
    found = replace(frame(0.0), layers=(0.12345, -2.0))
    told = found.as_json()
    assert (told["blend-layers"], told["synthesis-layers"]) == (0.123, -2.0)
    assert found.evidence == (0.0, 0.0, 0.12345, -2.0)


def test_motion_is_told_where_it_was_seen() -> None:
    track = TrackScore(0, 0.5, 0.0, (frame(0.0),))
    assert "motion" not in track.as_json()
    assert replace(track, motion=-1.23456).as_json()["motion"] == -1.235


@pytest.mark.parametrize(("motion", "said"), [(None, ()), (4.0, (4.0,))])
def test_the_evidence_that_decides_ends_with_the_motion(motion, said) -> None:
    frames = tuple(replace(frame(value), layers=(value + 1, value + 2)) for value in (0.0, 1.0, 2.0, 3.0))
    evidence = Prediction("ok", tracks=(TrackScore(0, 0.5, 0.0, frames, motion=motion),)).deciding_evidence()
    assert evidence.tolist() == [[3.0, 3.0, 4.0, 5.0, *said], [2.0, 2.0, 3.0, 4.0, *said]]


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (Reason("no_face", "None."), {"code": "no_face", "detail": "None."}),
        (Moment(1 / 3, 2 / 3), {"t": 0.3333, "score": 0.666667}),
        (FrameCounts(4, 3), {"sampled": 4, "with_face": 3}),
        (ModelFacts("toy", None, "a", "b"), {"name": "toy", "version": None, "sha256": "a", "backend": "b"}),
        (
            Timing(0.11111, 0.2, 0.3, 0.0, 0.61116),
            {"decode": 0.1111, "detect": 0.2, "classify": 0.3, "explain": 0.0, "total": 0.6112},
        ),
    ],
)
def test_each_part_is_told_by_name(part, told) -> None:
    assert part.as_json() == told


COVERED = Thresholds({0.1: 1.0, 0.01: 2.0, 0.001: 3.0}, covers=Coverage({"face": (80.0, None)}, ("H.264 and later",)))


def seen(logit: float, face: float) -> TrackScore:
    return TrackScore(0, 0.9, logit, (), seen={"face": face})


def judged(*tracks: TrackScore) -> Prediction:
    return Prediction("ok", logit=tracks[0].logit, threshold=COVERED, tracks=tracks)


@pytest.mark.parametrize(
    ("logit", "band"), [(0.0, Band.LOW), (1.5, Band.RAISED), (2.5, Band.RAISED), (9.0, Band.RAISED)]
)
def test_a_file_outside_of_the_calibration_is_raised_at_most(logit, band) -> None:
    found = judged(seen(logit, 60.0))
    assert found.band(0.01) == band
    assert found.outside == ("The face is 60 px; the calibration's reals had 80 px or more.",)
    assert found.score_band(0.01) == COVERED.band(logit, 0.01)


def test_a_file_inside_has_the_band_of_its_logit() -> None:
    assert (judged(seen(9.0, 80.0)).band(0.01), judged(seen(9.0, 80.0)).outside) == (Band.STRONG, ())


def test_a_face_outside_does_not_hide_one_that_the_calibration_covers() -> None:
    assert judged(seen(9.0, 60.0), seen(2.5, 100.0), seen(1.5, 100.0)).band(0.01) == Band.FLAGGED


def test_a_codec_of_another_family_is_outside() -> None:
    media = MediaFacts("video", 64, 48, codec="mjpeg")
    assert replace(judged(seen(9.0, 100.0)), media=media).band(0.01) == Band.RAISED


def test_without_ranges_nothing_is_outside() -> None:
    found = replace(judged(seen(9.0, 1.0)), threshold=Thresholds(COVERED.logits))
    assert (found.outside, found.band(0.01)) == ((), Band.STRONG)
