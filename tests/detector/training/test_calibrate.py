"""Calibration: the conformal rule's known values, its validity, refusal of what n cannot carry, the fit's direction."""

import numpy as np
import pytest

from detector.inference.fusion import Stack, pooled, probability
from detector.training.calibrate import (
    Calibration,
    calibrate,
    clip_logit,
    conformal_threshold,
    divide,
    fit_stack,
    one_clip_a_person,
    probability_report,
    relabelled,
    report,
    temperature,
)
from detector.training.evidence import ClipEvidence
from sfumato.errors import UsageError


def clips(family: str, count: int, mean: tuple[float, float], seed: int = 0) -> list[ClipEvidence]:
    rng = np.random.default_rng(seed)
    return [
        ClipEvidence(f"{family}{i}", f"person {family} {i}", family, rng.normal(mean, 1.0, (3, 2)))
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("n", "alpha", "k"),
    [(99, 0.01, 1), (199, 0.01, 2), (100, 0.01, 1), (9, 0.1, 1), (19, 0.1, 2), (999, 0.001, 1), (10, 0.5, 5)],
)
def test_threshold_is_the_kth_largest(n: int, alpha: float, k: int) -> None:
    logits = np.random.default_rng(n).permutation(n).astype(float).tolist()
    assert conformal_threshold(logits, alpha) == n - k


@pytest.mark.parametrize(("n", "alpha"), [(98, 0.01), (998, 0.001), (8, 0.1), (0, 0.1)])
def test_too_few_reals_are_refused_with_the_number_needed(n: int, alpha: float) -> None:
    with pytest.raises(UsageError, match=str(round(1 / alpha) - 1)):
        conformal_threshold([0.0] * n, alpha)


def test_false_positive_rate_holds_on_average() -> None:
    rng = np.random.default_rng(0)
    rates = [(rng.normal(size=400) > conformal_threshold(rng.normal(size=99).tolist(), 0.1)).mean() for _ in range(200)]
    assert np.mean(rates) < 0.1 + 3 * np.std(rates) / np.sqrt(200)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0])
def test_alpha_outside_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="between"):
        conformal_threshold([1.0], alpha)


def test_fit_orders_and_calibrates() -> None:
    fitting = (
        clips("real", 60, (-2.0, -2.0)) + clips("blend", 40, (3.0, -2.0), 1) + clips("reenact", 40, (-2.0, 3.0), 2)
    )
    stack = fit_stack(fitting, [True, True])
    mean = {
        family: np.mean([probability(clip_logit(stack, c)) for c in fitting if c.family == family])
        for family in ("real", "blend", "reenact")
    }
    assert mean["real"] < 0.2
    assert min(mean["blend"], mean["reenact"]) > 0.8


def test_untrained_head_is_left_out() -> None:
    fitting = clips("real", 20, (-1.0, 5.0)) + clips("blend", 20, (1.0, 5.0), 1)
    calibration = calibrate(fitting, clips("real", 99, (-1.0, 5.0), 3), (0.1, 0.01, 0.001), ["blend"])
    assert calibration.stack.scale[1] == 0.0
    assert sorted(calibration.thresholds) == [0.01, 0.1]
    assert calibration.left_out == (0.001,)
    assert calibration.n_real == 99


def test_digest_names_the_calibration_set() -> None:
    fitting = clips("real", 20, (-1.0, 0.0)) + clips("blend", 20, (1.0, 0.0), 1)
    made = [calibrate(fitting, clips("real", 50, (-1.0, 0.0), seed), (0.1,), ["blend"]).digest for seed in (3, 3, 4)]
    assert made[0] == made[1] != made[2]


def test_fit_needs_both_kinds() -> None:
    with pytest.raises(UsageError, match="fakes"):
        fit_stack(clips("real", 5, (0.0, 0.0)), [True, True])


def test_division_keeps_people_whole() -> None:
    doubled = clips("real", 40, (0.0, 0.0)) * 2
    first, second = divide(doubled, 0.3)
    assert not {c.identity for c in first} & {c.identity for c in second}
    assert len(first) + len(second) == 80
    assert first


def test_report_counts_per_family() -> None:
    fitting = clips("real", 30, (-2.0, 0.0)) + clips("blend", 20, (2.0, 0.0), 1)
    calibration = calibrate(fitting, clips("real", 30, (-2.0, 0.0), 3), (0.1,), ["blend"])
    found = report(calibration, calibration, fitting)
    assert found["clips"] == {"blend": 20, "real": 30}
    assert found["auc"]["blend"] > 0.95
    assert found["above_threshold"]["0.1"]["blend"] > 0.8
    assert Stack() != calibration.stack


def test_thresholds_count_people() -> None:
    several = [
        ClipEvidence(f"{i}-{take}.jpg", f"person {i}", "real", np.zeros((1, 2))) for i in range(5) for take in range(3)
    ]
    first, again = one_clip_a_person(several), one_clip_a_person(several[::-1])
    assert [clip.identity for clip in first] == [f"person {i}" for i in range(5)]
    assert [clip.clip for clip in first] == [clip.clip for clip in again]


def test_a_video_is_held_against_the_thresholds_of_videos() -> None:
    stack = Stack((1.0, 0.0))
    pictures, videos = (Calibration(stack, {0.1: limit}, (), 9, "") for limit in (-5.0, 5.0))
    shown = [ClipEvidence(name, name, "real", np.zeros((1, 2))) for name in ("a.jpg", "b.mp4")]
    assert report(pictures, videos, shown)["above_threshold"]["0.1"]["real"] == 0.5
    assert report(pictures, videos, shown, encoded=True)["above_threshold"]["0.1"]["real"] == 0.0


def test_heads_alarm_equally_often_on_reals() -> None:
    noisy = [
        ClipEvidence(c.clip, c.identity, c.family, c.evidence * [4.0, 1.0]) for c in clips("real", 200, (-1.0, -1.0))
    ]
    fakes = clips("blend", 60, (2.0, -1.0), 1) + clips("reenact", 60, (-1.0, 2.0), 2)
    stack = fit_stack(noisy + fakes, [True, True])
    reach = [
        np.quantile([pooled(stack.scale[h] * c.evidence[:, h] + stack.offset[h]) for c in noisy], 0.97) for h in (0, 1)
    ]
    assert reach[0] == pytest.approx(reach[1], abs=1e-6)


def test_temperature_takes_back_what_was_too_sure() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 4000)
    fake = rng.random(4000) < probability(logits)
    families = np.where(fake, "blend", "real")
    drawn = [
        ClipEvidence(str(z), str(z), family, np.array([[3 * z, 0.0]]))
        for z, family in zip(logits, families, strict=True)
    ]
    stack = Stack((1.0, 0.0))
    assert temperature(stack, drawn) == pytest.approx(3.0, rel=0.1)
    found = probability_report(stack, drawn, drawn)
    assert found["ece_with_temperature"] < 0.03 < found["ece"]


def test_twins_share_the_fit_but_set_no_threshold() -> None:
    twins = [ClipEvidence(c.clip, c.identity, "real", c.evidence, "twin") for c in clips("real", 20, (-1.0, 0.0), 5)]
    assert {clip.kind for clip in twins} == {"twin"}
    fitting = clips("real", 20, (-1.0, 0.0)) + clips("blend", 20, (1.0, 0.0), 1)
    calibration = calibrate(fitting + twins, clips("real", 30, (-1.0, 0.0), 3), (0.1,), ["blend"])
    found = report(calibration, calibration, fitting + twins)
    assert found["clips"] == {"blend": 20, "real": 20, "twin": 20}
    assert set(found["auc"]) == set(found["auc_against_twins"]) == {"blend"}


def test_relabelled_clips_keep_their_names_and_exchange_what_was_seen() -> None:
    known = [*clips("real", 30, (-4, -4)), *clips("reenact", 30, (-4, 4))]
    other = relabelled(known)
    assert [clip.family for clip in other] == [clip.family for clip in known]
    assert sorted(clip.evidence.sum() for clip in other) == sorted(clip.evidence.sum() for clip in known)
    means = [
        np.mean([clip.evidence.mean() for clip in other if clip.family == family]) for family in ("real", "reenact")
    ]
    assert abs(means[0] - means[1]) < 1.5  # of 4 before
    assert [clip.evidence.sum() for clip in relabelled(known)] == [
        clip.evidence.sum() for clip in other
    ]  # the same draw
