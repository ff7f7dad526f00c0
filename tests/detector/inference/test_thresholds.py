"""Thresholds: bands, the one place where a file is flagged, rates that a calibration lacks, for which sources they
hold, what lies outside of a calibration, JSON.
"""

import pytest

from detector.inference.fusion import probability
from detector.inference.thresholds import (
    Band,
    Coverage,
    KeyframeRule,
    Source,
    Thresholds,
    codec_family,
    in_words,
)

KNOWN = Thresholds({0.1: 1.0, 0.01: 2.0, 0.001: 3.0}, 999, "abc")


@pytest.mark.parametrize(
    ("logit", "band"),
    [(None, Band.NONE), (0.0, Band.LOW), (1.5, Band.RAISED), (2.5, Band.FLAGGED), (3.5, Band.STRONG)],
)
def test_a_band_lies_between_two_thresholds(logit, band) -> None:
    assert KNOWN.band(logit, 0.01) == band


def test_bands_are_five_and_rise() -> None:
    assert [band.name for band in sorted(Band)] == ["NONE", "LOW", "RAISED", "FLAGGED", "STRONG"]
    assert [band.flagged for band in sorted(Band)] == [False, False, False, True, True]


def test_only_a_rate_that_is_asked_for_or_a_stricter_one_flags() -> None:
    """A score above the threshold of one false alarm in ten must not flag at one in a hundred."""
    flagged = {fpr: [KNOWN.band(logit, fpr).flagged for logit in (0.5, 1.5, 2.5, 3.5)] for fpr in (0.1, 0.01, 0.001)}
    assert flagged[0.1] == [False, True, True, True]
    assert flagged[0.01] == [False, False, True, True]
    assert flagged[0.001] == [False, False, False, True]


def test_a_logit_at_the_threshold_does_not_exceed_it() -> None:
    assert KNOWN.exceeded(2.0) == (0.1,)


def test_exceeded_rates_come_strictest_first() -> None:
    assert KNOWN.exceeded(99.0) == (0.001, 0.01, 0.1)


def test_a_rate_stricter_than_strong_flags_as_strong() -> None:
    assert Thresholds({0.0001: 1.0}).band(2.0, 0.0001) == Band.STRONG


def test_without_a_calibration_every_score_is_low() -> None:
    assert Thresholds().band(99.0, 0.01) == Band.LOW


def test_a_rate_that_was_not_calibrated_has_no_threshold() -> None:
    assert (KNOWN.logit(0.05), KNOWN.score(0.05)) == (None, None)


def test_a_threshold_is_told_as_a_score_too() -> None:
    assert KNOWN.score(0.01) == pytest.approx(float(probability(2.0)))


def test_json_holds_scores_logits_and_where_they_come_from() -> None:
    assert KNOWN.as_json() == {
        **{rate: float(probability(logit)) for rate, logit in (("0.1", 1.0), ("0.01", 2.0), ("0.001", 3.0))},
        "logit": {"0.1": 1.0, "0.01": 2.0, "0.001": 3.0},
        "n_real": 999,
        "calibration": "abc",
    }


def test_in_words_a_threshold_is_a_score_at_its_rate() -> None:
    assert in_words({"0.1": 0.0, "0.010": 2.0}) == "0.500 at 0.1, 0.881 at 0.01"


SECTION = {
    "thresholds": {"0.1": 1.0, "0.01": 2.0},
    "n_real": 124,
    "id": "abc",
    "groups": {
        "ffhq": {"n": 99, "thresholds": {"0.1": 1.0, "0.01": 2.0}, "rates": {"0.1": 0.09, "0.01": 0.01}},
        "vox": {"n": 25, "thresholds": {"0.1": 0.5, "0.01": 1.9}, "rates": {"0.1": 0.08, "0.01": 1 / 26}},
    },
    "covers": {"n": 124, "ranges": {"face": [80.0, None], "contrast": [4.0, 8.0]}, "codecs": ["H.264 and later"]},
    "frames": 12,
}


def test_a_section_of_a_record_is_read_with_its_sources_its_ranges_and_its_frames() -> None:
    found = Thresholds.from_json(SECTION)
    assert (found.logits, found.n_real, found.calibration, found.frames) == ({0.1: 1.0, 0.01: 2.0}, 124, "abc", 12)
    assert found.sources[1] == Source("vox", 25, {0.1: 0.08, 0.01: 1 / 26})
    assert found.covers is not None and found.covers.as_json() == SECTION["covers"]


def test_a_section_of_an_older_record_knows_nothing_of_them() -> None:
    assert Thresholds.from_json({"thresholds": {"0.1": 1.0}}) == Thresholds({0.1: 1.0})


@pytest.mark.parametrize(
    "covers",
    [
        {"n": 1, "codecs": [], "ranges": {"smell": [0, 1]}},
        {"n": 1, "codecs": [], "ranges": {"face": [0]}},
        {"n": 1, "codecs": [], "ranges": {"face": [0, float("nan")]}},
        {"n": 1, "codecs": [], "ranges": {"face": [0, 1e9]}},
    ],
)
def test_ranges_that_are_none_are_refused(covers) -> None:
    with pytest.raises(ValueError):
        Thresholds.from_json(SECTION | {"covers": covers})


@pytest.mark.parametrize("frames", [0, -5, 10_001, 10**400, 12.5, float("nan"), True, "12", [12]])
def test_frames_that_nobody_can_ask_for_are_refused(frames) -> None:
    with pytest.raises(ValueError, match=r"frames, .*: they are 1 to 10000 of a video"):
        Thresholds.from_json(SECTION | {"frames": frames})


def test_a_source_carries_what_its_rate_allows() -> None:
    ffhq, vox = Thresholds.from_json(SECTION).sources
    assert [source.carries(rate) for source in (ffhq, vox) for rate in (0.1, 0.01, 0.001)] == [
        True, True, False, True, False, False,
    ]  # fmt: skip


def test_where_a_source_has_too_few_clips_the_words_say_what_it_carries() -> None:
    found = Thresholds.from_json(SECTION)
    assert found.holds_for(0.1) == " of 2 sources"
    assert found.holds_for(0.01) == " of 2 sources (up to 3.8% of vox may exceed it: too few clips to say less)"
    assert KNOWN.holds_for(0.01) == ""


def test_of_many_sources_with_too_few_clips_the_worst_are_named() -> None:
    many = Thresholds({0.01: 2.0}, sources=tuple(Source(f"s{i}", 20, {0.01: i / 20}) for i in range(1, 7)))
    assert many.holds_for(0.01).startswith(" of 6 sources (up to 30.0% of s6, 25.0% of s5, 20.0% of s4, less of 3 more")


def test_json_names_the_sources_and_the_frames_where_they_are_known() -> None:
    found = Thresholds.from_json(SECTION).as_json()
    assert found["sources"]["vox"] == {"n_real": 25, "rates": {"0.1": 0.08, "0.01": 1 / 26}}
    assert found["frames"] == 12


COVERS = Coverage({"face": (80.0, None), "contrast": (4.0, 8.0), "energy 1 px": (None, 3.0)}, ("H.264 and later",), 50)


@pytest.mark.parametrize(
    ("seen", "codec", "told"),
    [
        ({"face": 80.0, "contrast": 8.0, "energy 1 px": 3.0}, "hevc", ()),
        ({"face": 9999.0}, None, ()),
        ({"face": 52.4}, None, ("The face is 52 px; the calibration's reals had 80 px or more.",)),
        (
            {"contrast": 9.0},
            None,
            ("The face's contrast is 9.0 (a logarithm); the calibration's reals had 4.0 to 8.0.",),
        ),
        (
            {"energy 1 px": 3.1},
            None,
            ("The energy of detail of 1 px is 3.1 (a logarithm); the calibration's reals had 3.0 or less.",),
        ),
        ({}, "prores", ("The codec is prores; the calibration's reals had H.264 and later.",)),
    ],
)
def test_what_lies_outside_is_told_with_the_range(seen, codec, told) -> None:
    assert COVERS.outside(seen, codec) == told


def test_a_codec_is_no_matter_where_those_of_the_calibration_are_not_known() -> None:
    assert Coverage({}).outside({}, "prores") == ()


def test_a_codec_of_no_family_is_its_own() -> None:
    assert codec_family("h264") == codec_family("av1") != codec_family("mpeg4")
    assert codec_family("something new") == "something new"


RULE = KeyframeRule(4, {0.1: (0.5, 1.5), 0.01: (1.8, 2.5)}, 0.02, {"real": 60, "fake": 50})


@pytest.mark.parametrize(
    ("logit", "decides"),
    [(None, False), (0.4, True), (0.5, False), (1.0, False), (1.6, False), (2.0, False), (2.5, False), (2.6, True)],
)
def test_keyframes_decide_where_they_are_clear_of_every_threshold(logit, decides) -> None:
    assert RULE.decides(logit, {0.1: 1.0, 0.01: 2.0}) is decides


def test_keyframes_decide_nothing_at_a_threshold_that_they_were_not_set_on() -> None:
    assert not RULE.decides(-9.0, KNOWN.logits)


def test_a_rule_for_keyframes_is_read_as_it_was_written() -> None:
    assert KeyframeRule.from_json(RULE.as_json()) == RULE


@pytest.mark.parametrize(
    "change",
    [
        {"frames": 0}, {"bounds": {"0.1": [2.0, 1.0]}}, {"bounds": {"0.1": [float("nan"), 1.0]}},
        {"bounds": {"0.1": [1.0]}}, {"bounds": {"0.1": [True, 1.0]}}, {"n": None}, {"risk": None},
    ],
)  # fmt: skip
def test_a_rule_that_is_none_is_refused(change) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        KeyframeRule.from_json(RULE.as_json() | change)
