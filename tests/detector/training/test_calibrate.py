"""Calibration: the fit's direction and its least cost, thresholds on the reals alone, what the record says of them."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from detector.config import HEADS
from detector.inference.fusion import Stack, probability
from detector.training.calibrate import (
    Calibration,
    calibrate,
    clip_logit,
    divide,
    enough_people,
    fit_stack,
    is_fitted_on,
    one_clip_a_person,
    probability_report,
    report,
    set_thresholds,
    temperature,
    with_norm,
)
from detector.training.evidence import ClipEvidence, relabelled
from detector.training.groups import GroupedThresholds
from sfumato.errors import UsageError
from sfumato.media.clips import TWIN

USED, BLEND_ALONE = {"blend": True, "synthesis": True}, {"blend": True, "synthesis": False}


def clips(family: str, count: int, mean: tuple[float, float], seed: int = 0) -> list[ClipEvidence]:
    rng = np.random.default_rng(seed)
    return [
        ClipEvidence(f"{family}{i}", f"person {family} {i}", family, rng.normal(mean, 1.0, (3, 2)))
        for i in range(count)
    ]


def test_fit_orders_and_calibrates() -> None:
    fitting = (
        clips("real", 60, (-2.0, -2.0)) + clips("blend", 40, (3.0, -2.0), 1) + clips("reenact", 40, (-2.0, 3.0), 2)
    )
    stack = fit_stack(fitting, USED)
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
        fit_stack(clips("real", 5, (0.0, 0.0)), USED)


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
    pictures, videos = (Calibration(stack, GroupedThresholds({0.1: limit}, ()), 9, "") for limit in (-5.0, 5.0))
    shown = [ClipEvidence(name, name, "real", np.zeros((1, 2))) for name in ("a.jpg", "b.mp4")]
    assert report(pictures, videos, shown)["above_threshold"]["0.1"]["real"] == 0.5
    assert report(pictures, videos, shown, encoded=True)["above_threshold"]["0.1"]["real"] == 0.0


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


def one_frame(name: str, logit: float, family: str = "real", method: str = "") -> ClipEvidence:
    return ClipEvidence(name, f"person {name}", family, np.array([[logit, 0.0]]), method)


FIRST_HEAD = Stack((1.0, 0.0))  # its logit is the first column


def test_a_clip_is_the_mean_of_the_highest_third_of_its_frames() -> None:
    evidence = np.array([[value, 9.0] for value in (0.0, 3.0, -1.0, 5.0)])
    assert clip_logit(FIRST_HEAD, ClipEvidence("a", "a", "real", evidence)) == pytest.approx(4.0)


def test_the_record_of_a_calibration_says_all_of_it() -> None:
    record = Calibration(Stack((1.5, 0.0), (0.5, 0.0)), GroupedThresholds({0.1: 2.0}, (0.01,)), 9, "ab" * 32).as_json()
    lines = {"scale": [1.5, 0.0], "offset": [0.5, 0.0]}
    rest = {"pictures": None, "gain": 1.0, "shift": 0.0, "norm": None}
    assert record["stack"] == {"heads": list(HEADS), **lines, **rest}
    assert (record["thresholds"], record["left_out"], record["n_real"]) == ({"0.1": 2.0}, [0.01], 9)
    assert (record["id"], record["sha256"]) == (("ab" * 32)[:16], "ab" * 32)


def test_thresholds_of_a_known_stack_are_set_on_the_reals_alone() -> None:
    found = set_thresholds(FIRST_HEAD, [one_frame(str(i), float(i)) for i in range(9)], (0.1, 0.01))
    assert (found.stack, found.thresholds, found.left_out, found.n_real) == (FIRST_HEAD, {0.1: 8.0}, (0.01,), 9)


def test_the_digest_follows_names_people_and_logits_and_no_order() -> None:
    reals = [one_frame(str(i), float(i)) for i in range(9)]

    def digest(clips: list[ClipEvidence]) -> str:
        return set_thresholds(FIRST_HEAD, clips, (0.1,)).digest

    first = digest(reals)
    assert digest(reals[::-1]) == first
    for changed in (one_frame("0", 0.5), one_frame("x", 0.0), replace(reals[0], identity="somebody else")):
        assert digest([changed, *reals[1:]]) != first


def test_half_of_the_weight_is_the_reals_and_each_method_has_an_equal_part() -> None:
    """A method with nine times the clips moves the fit no more than one with few."""
    reals = [one_frame(f"r{i}", -1.0 - i % 2) for i in range(10)]
    few = [one_frame(f"a{i}", 2.0, "blend", "a") for i in range(2)]
    many = [one_frame(f"b{i}", 1.0, "blend", "b") for i in range(18)]
    more = [one_frame(f"b{i}", 1.0, "blend", "b") for i in range(2)]
    all_of_them, fewer = (fit_stack(reals + few + other, BLEND_ALONE) for other in (many, more))
    thrice = fit_stack(reals * 3 + few + more, BLEND_ALONE)
    for stack in (all_of_them, thrice):
        assert (stack.gain, stack.shift) == pytest.approx((fewer.gain, fewer.shift), rel=1e-3, abs=1e-3)


def test_the_fit_is_the_least_of_its_cost() -> None:
    rng = np.random.default_rng(5)
    reals = [one_frame(f"r{i}", value) for i, value in enumerate(rng.normal(-1, 1, 60))]
    fakes = [one_frame(f"f{i}", value, "blend") for i, value in enumerate(rng.normal(1, 1, 60))]
    stack = fit_stack(reals + fakes, BLEND_ALONE)

    def cost(log_gain: float, shift: float) -> float:
        tried = replace(stack, gain=float(np.exp(log_gain)), shift=shift)
        real, fake = ([clip_logit(tried, clip) for clip in part] for part in (reals, fakes))
        return float(np.logaddexp(0, real).mean() + np.logaddexp(0, np.negative(fake)).mean())

    at = (float(np.log(stack.gain)), stack.shift)
    best = cost(*at)
    for move in ((0.3, 0.0), (-0.3, 0.0), (0.0, 0.3), (0.0, -0.3)):
        assert cost(at[0] + move[0], at[1] + move[1]) > best
    assert (stack.scale[1], stack.offset[1]) == (0.0, 0.0)


def test_a_fit_without_reals_or_without_fakes_is_refused() -> None:
    for family in ("real", "blend"):
        with pytest.raises(UsageError, match="needs real clips and fakes"):
            fit_stack(clips(family, 5, (0.0, 0.0)), USED)


def test_a_hundred_people_are_enough_for_a_norm_however_many_clips() -> None:
    copies = [one_frame(str(i), 0.0) for i in range(100)]
    assert enough_people(copies)
    assert not enough_people(copies[:99] * 2)


def test_too_few_people_leave_the_stack_as_it_is() -> None:
    copies = [replace(one_frame(str(i), 0.0), quality=np.zeros(3)) for i in range(99)]
    assert with_norm(FIRST_HEAD, copies, []) is FIRST_HEAD


def test_people_are_divided_by_the_hash_of_their_name() -> None:
    for name in ("a", "b", "c", "person 7"):
        place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32
        assert not is_fitted_on(name, place)
        assert is_fitted_on(name, np.nextafter(place, 1))
        assert not is_fitted_on(name, 0.0)
        assert is_fitted_on(name, 1.0)


def test_the_clip_that_speaks_for_a_person_hashes_lowest() -> None:
    takes = [ClipEvidence(f"{take}.jpg", "one", "real", np.zeros((1, 2))) for take in range(6)]
    (chosen,) = one_clip_a_person(takes)
    assert chosen.clip == min((clip.clip for clip in takes), key=lambda name: hashlib.sha256(name.encode()).hexdigest())


def test_report_known_values() -> None:
    limits = Calibration(FIRST_HEAD, GroupedThresholds({0.1: 1.0, 0.5: 0.0}, ()), 9, "")
    only_one = Calibration(FIRST_HEAD, GroupedThresholds({0.1: 1.0}, ()), 9, "")
    shown = [
        one_frame("a.jpg", 0.0), one_frame("b.jpg", 2.0),
        one_frame("c.jpg", 3.0, "real", TWIN),
        one_frame("d.jpg", 1.0, "blend", "m"), one_frame("e.jpg", 4.0, "blend", "m"),
    ]  # fmt: skip
    found = report(limits, only_one, shown)
    assert found["clips"] == {"m": 2, "real": 2, TWIN: 1}
    assert found["auc"] == {"m": 0.75}
    assert found["auc_against_twins"] == {"m": 0.5}
    assert found["above_threshold"] == {"0.1": {"m": 0.5, "real": 0.5, TWIN: 1.0}}  # on the threshold is not above it
    assert report(limits, only_one, shown[3:])["auc"] == {}


def test_a_temperature_has_ends() -> None:
    sure = [one_frame(f"r{i}", -3.0) for i in range(5)] + [one_frame(f"f{i}", 3.0, "blend") for i in range(5)]
    wrong = [one_frame(f"r{i}", 3.0) for i in range(5)] + [one_frame(f"f{i}", -3.0, "blend") for i in range(5)]
    assert temperature(FIRST_HEAD, sure) == pytest.approx(1 / 8, rel=0.01)
    assert temperature(FIRST_HEAD, wrong) == pytest.approx(8, rel=0.01)


def test_reals_and_fakes_weigh_the_same_in_a_temperature() -> None:
    part = [one_frame("r0", -2.0), one_frame("r1", 1.0), one_frame("f0", 3.0, "blend"), one_frame("f1", -0.5, "blend")]
    found = temperature(FIRST_HEAD, part)
    assert 0.2 < found < 5  # between its ends
    assert found == pytest.approx(temperature(FIRST_HEAD, part[:2] * 5 + part[2:]), rel=1e-3)


def test_another_seed_relabels_otherwise_and_quality_goes_with_the_evidence() -> None:
    known = [replace(one_frame(str(i), float(i)), quality=np.array([float(i)])) for i in range(20)]
    first, second = ([float(clip.evidence[0, 0]) for clip in relabelled(known, seed)] for seed in (0, 1))
    assert first != second
    assert first == [float(clip.evidence[0, 0]) for clip in relabelled(known)]
    assert all(clip.quality is not None and clip.quality[0] == clip.evidence[0, 0] for clip in relabelled(known))


def of_quality(count: int, mean: float, family: str, spread: float = 1.0) -> list[ClipEvidence]:
    """Clips of one frame each whose quality is drawn too; one a person."""
    rng = np.random.default_rng(len(family))
    drawn = zip(rng.normal(mean, spread, count), rng.normal(size=(count, 3)), strict=True)
    return [replace(one_frame(f"{family}{i}", x, family), quality=quality) for i, (x, quality) in enumerate(drawn)]


def test_the_line_of_a_norm_is_the_least_of_its_cost() -> None:
    reals, fakes = of_quality(120, -1.0, "real"), of_quality(60, 1.0, "blend")
    found = with_norm(FIRST_HEAD, reals, reals + fakes).norm
    assert found is not None
    plain = replace(FIRST_HEAD, norm=replace(found, gain=1.0, shift=0.0))
    real, fake = (np.array([clip_logit(plain, clip) for clip in part]) for part in (reals, fakes))

    def cost(log_gain: float, shift: float) -> float:
        losses = [
            np.logaddexp(0, sign * (np.exp(log_gain) * of + shift)).mean() for sign, of in ((1, real), (-1, fake))
        ]
        return float(sum(losses) / 2 + 1e-3 * (log_gain**2 + shift**2))

    at = np.log(found.gain), found.shift
    for move in ((0.03, 0.0), (-0.03, 0.0), (0.0, 0.03), (0.0, -0.03)):
        assert cost(at[0] + move[0], at[1] + move[1]) > cost(*at)


def test_the_gain_of_a_norm_has_an_end() -> None:
    reals, fakes = of_quality(100, -0.01, "real", 1e-4), of_quality(60, 0.01, "blend", 1e-4)
    found = with_norm(FIRST_HEAD, reals, reals + fakes).norm
    assert found is not None
    assert found.gain == pytest.approx(np.exp(4), rel=1e-2)


def test_copies_of_many_qualities_give_the_calibration_a_norm() -> None:
    reals, fakes = of_quality(120, -1.0, "real"), of_quality(60, 1.0, "blend")
    assert calibrate(reals + fakes, reals, (0.1,), ["blend"], reals).stack.norm is not None
    assert calibrate(reals + fakes, reals, (0.1,), ["blend"]).stack.norm is None
