"""How the heads of a detector are brought to one unit and joined: which count, of which files, and held to whom."""

from dataclasses import replace

import numpy as np
import pytest

from detector.config import HEADS, LAYER_HEADS, MOTION
from detector.evaluation.metrics import auc
from detector.inference.fusion import pooled
from detector.training.calibrate import (
    calibrate,
    clip_logit,
    fit_stack,
)
from detector.training.evidence import ClipEvidence
from tests.detector.training.test_calibrate import USED, clips


def test_heads_are_alike_on_reals() -> None:
    """Their middle and their worst; whatever unit a head speaks in, and however well it knows its fakes."""
    noisy = [replace(c, evidence=c.evidence * [4.0, 1.0] + [9.0, 0.0]) for c in clips("real", 200, (-1.0, -1.0))]
    fakes = clips("blend", 60, (8.0, -1.0), 1) + clips("reenact", 60, (-1.0, 6.0), 2)
    stack = fit_stack(noisy + fakes, USED)
    said = [[pooled(stack.scale[h] * c.evidence[:, h] + stack.offset[h]) for c in noisy] for h in (0, 1)]
    for quantile in (0.5, 0.97):
        assert np.quantile(said[0], quantile) == pytest.approx(np.quantile(said[1], quantile), abs=1e-6)


def test_a_head_is_not_held_against_fakes_of_another_kind() -> None:
    """Faces made whole have no seam: cleaner than reals, they are no reason to trust the other head less."""
    reals, blends = clips("real", 60, (-1.0, -1.0)), clips("blend", 40, (2.0, -1.0), 1)
    cleaner = clips("reenact", 40, (-6.0, 2.0), 2)
    stack = fit_stack(reals + blends + cleaner, USED)
    found, missed = (auc([clip_logit(stack, c) for c in some], [clip_logit(stack, c) for c in reals])
                     for some in (cleaner, clips("reenact", 40, (-6.0, -1.0), 3)))  # fmt: skip
    assert found > 0.9 and missed < 0.5
    assert stack.scale[0] > 0.5


def test_a_head_that_some_clips_lack_is_fitted_on_the_others() -> None:
    """Pictures do not move; what their faces show still counts, and what videos show besides counts there."""

    def moving(family: str, said: float, seed: int) -> list[ClipEvidence]:
        rng = np.random.default_rng(seed)
        pictures = clips(family, 30, (-2.0, -2.0), seed)
        videos = [replace(clip, evidence=np.c_[clip.evidence, np.full(3, rng.normal(said))]) for clip in pictures]
        return videos + clips(family, 30, (-2.0, -2.0), seed + 50)

    fitting = moving("real", -2.0, 1) + moving("reenact", 3.0, 2) + clips("blend", 30, (3.0, -2.0), 3)
    stack = fit_stack(fitting, {**USED, "motion": True})
    assert stack.heads == ("blend", "synthesis", "motion")
    assert min(stack.scale[0], stack.scale[2]) > 0.3
    moved, still = (
        [clip_logit(stack, clip) for clip in moving("reenact", 3.0, 2)[part]] for part in (slice(30), slice(30, None))
    )
    assert np.median(moved) > 1 > np.median(still)
    assert np.isfinite(moved + still).all()


def wide(family: str, count: int, means: tuple[float, ...], seed: int = 0) -> list[ClipEvidence]:
    """As `clips`, of as many heads as there are means; a head without a spread says the same of everybody."""
    rng = np.random.default_rng(seed)
    spread = [0.0 if mean == 0.0 else 1.0 for mean in means]
    return [ClipEvidence(f"{family}{i}", f"person {family} {i}", family, rng.normal(means, spread, (3, len(means))))
            for i in range(count)]  # fmt: skip


@pytest.mark.parametrize("layers", [-1.0, 0.0])
def test_all_heads_that_were_taught_are_asked_of_videos(layers: float) -> None:
    """One that was not says nothing of anybody. Of pictures one of each kind is asked."""
    means = (-1.0, -1.0, layers, layers)
    fitting = wide("real", 60, means) + wide("blend", 40, (2.0, -1.0, -2 * layers, layers), 1)
    found = calibrate(fitting, wide("real", 99, means, 2), (0.1,), ["blend", "reenact"], heads=(*HEADS, *LAYER_HEADS))
    taught = layers != 0
    assert [scale > 0 for scale in found.stack.scale] == [True, True, taught, taught]
    assert found.stack.pictures is not None
    alone = [True, False, False, True] if taught else [True, True, False, False]
    assert [scale > 0 for scale in found.stack.pictures.scale] == alone


def test_pictures_and_videos_are_held_to_reals_of_their_own() -> None:
    videos, pictures = clips("real", 80, (-1.0, -1.0)), clips("real", 80, (3.0, -1.0), 1)
    pictures = [replace(clip, clip=f"{clip.clip}.png", still=True) for clip in pictures]
    stack = fit_stack(videos + pictures + clips("blend", 40, (6.0, -1.0), 2), USED)
    assert stack.pictures is not None
    for lines, known in ((stack, videos), (stack.pictures, pictures)):
        said = [lines.scale[0] * pooled(clip.evidence[:, 0]) + lines.offset[0] for clip in known]
        assert np.median(said) == pytest.approx(-9, abs=1e-6)


@pytest.mark.parametrize(("reals", "kept"), [(10, True), (60, False)])
def test_a_head_learnt_on_the_net_keeps_its_unit_where_reals_are_few(reals: int, kept: bool) -> None:
    known = wide("real", reals, (-1.0, -1.0, -9.0)) + wide("blend", 20, (2.0, -1.0, 5.0), 1)
    stack = fit_stack(known, {"blend": True, "synthesis": False, MOTION: True})
    middle, worst = np.quantile([pooled(clip.evidence[:, 0]) for clip in known[:reals]], [0.5, 0.97])
    slope = stack.scale[0] * (worst - middle)
    assert (stack.scale[2] == pytest.approx(slope)) == kept
