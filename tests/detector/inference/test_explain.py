"""Explanations: the exported map is Grad-CAM, of a head and of the score; shares by region; words that say no more than
the numbers.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from detector.config import HEADS, KINDS, LAYER_HEADS, MOTION, ModelConfig
from detector.inference.backends import OnnxScorer
from detector.inference.bundle import load_shipped
from detector.inference.explain import (
    REGIONS,
    HeadFacts,
    enlarge,
    explain,
    face_regions,
    head_facts,
    in_words,
    limited,
    standing_out,
    where_in_words,
)
from detector.inference.fusion import Stack
from detector.inference.thresholds import Source, Thresholds
from detector.models.net import DetectorNet
from detector.training.export import export_onnx
from sfumato.errors import CheckpointError
from sfumato.media.tensors import to_tensor
from tests.detector_fixtures import face_picture, landmarks, tiny_net

STACK = Stack((0.6, 0.4), (-0.5, -0.7))
THRESHOLDS = Thresholds({0.1: 0.5, 0.01: 2.0})


def random_net(backbone: str = "test_resnet", size: int = 64, mirrored: bool = True) -> DetectorNet:
    torch.manual_seed(1)
    net = DetectorNet(
        ModelConfig(backbone=backbone, size=size, dropout=0.0, mirrored=mirrored, pretrained="none")
    ).eval()
    torch.nn.init.normal_(net.heads.weight, std=0.5)
    return net


@pytest.fixture(scope="module")
def net() -> DetectorNet:
    return tiny_net()


@pytest.fixture(scope="module")
def scorer(tiny_network: bytes) -> OnnxScorer:
    return OnnxScorer(tiny_network)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return [face_picture(i, 48) for i in range(3)]


def test_a_logit_is_the_mean_of_its_map_and_a_constant(net, scorer, pictures) -> None:
    maps = scorer.maps(pictures)
    assert maps.shape == (3, 2, 2, 2)
    assert np.ptp(scorer(pictures) - maps.mean((2, 3)), axis=0) == pytest.approx(0, abs=2e-3)
    with torch.no_grad():
        assert torch.allclose(net.with_maps(to_tensor(pictures))[0], net(to_tensor(pictures)), atol=1e-4)


@pytest.mark.parametrize("head", range(2))
def test_map_is_grad_cam_of_its_head_by_autograd(net, scorer, pictures, head) -> None:
    """Section 3.1 of the paper to the letter: gradients averaged over places weigh the last feature map of both
    views.
    """
    for picture, found in zip(pictures, scorer.maps(pictures), strict=True):
        face = to_tensor(picture)
        places = net.backbone.places(torch.cat([face, face.flip(3)])).detach().requires_grad_()
        logit = net.heads(net.backbone.net.forward_head(places, pre_logits=True)).mean(0)[head]
        (gradient,) = torch.autograd.grad(logit, places)
        views = (gradient.mean((2, 3), keepdim=True) * places).sum(1)  # (2, h, w)
        expected = (views[0] + views[1].flip(1)).detach().numpy() * places.shape[2] * places.shape[3]
        assert np.abs(found[head] - expected).max() < 1e-2 * np.abs(expected).max()


@pytest.mark.parametrize("head", range(2))
def test_map_is_that_of_the_grad_cam_library(pictures, head) -> None:
    pytorch_grad_cam = pytest.importorskip(
        "pytorch_grad_cam", reason="the oracle is not installed: pip install --no-deps grad-cam"
    )
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    net = random_net("tf_efficientnet_lite0", 96, mirrored=False)
    torch.nn.init.normal_(
        net.heads.weight, std=500.0
    )  # the library adds 1e-7 to what it divides by, and untrained features are small
    faces = to_tensor([face_picture(i, 96) for i in range(2)])
    with pytorch_grad_cam.GradCAM(model=net, target_layers=[net.backbone.net.bn2]) as oracle:
        expected = oracle(input_tensor=faces, targets=[ClassifierOutputTarget(head)] * 2)  # (2, 96, 96) in [0, 1]
    with torch.no_grad():
        maps = net.with_maps(faces)[1][:, head].numpy()
    for ours, theirs in zip(maps, expected, strict=True):
        drawn = enlarge(ours, 96)
        assert np.corrcoef(drawn.ravel(), theirs.ravel())[0, 1] > 0.999
        assert np.abs((drawn - drawn.min()) / np.ptp(drawn) - theirs).max() < 1e-3


def test_a_backbone_with_more_behind_the_pooling_leaves_without_maps(pictures) -> None:
    net = random_net("test_convnext2", 48)
    assert not net.backbone.averages_places(48)
    found = OnnxScorer(export_onnx(net))
    assert found(pictures).shape == (3, 2)
    with pytest.raises(CheckpointError, match="plain mean over places"):
        found.maps(pictures)


def test_shipped_detector_has_maps() -> None:
    detector = load_shipped()
    maps = detector.scorer.maps([face_picture(0, 192)])
    assert maps.shape == (1, 4, 6, 6)  # both kinds of evidence, by the net and by its further heads
    assert detector.record["network"]["maps"] is True


@given(st.lists(st.floats(-60, 60), min_size=2, max_size=2))
def test_weights_are_the_gradient_of_the_stack(evidence) -> None:
    values, step = np.array(evidence), 1e-4
    numeric = [
        (STACK.logit(values + step * np.eye(2)[i]) - STACK.logit(values - step * np.eye(2)[i])) / (2 * step)
        for i in range(2)
    ]
    assert STACK.weights(values) == pytest.approx(np.array(numeric), abs=1e-4)


@given(st.lists(st.floats(-60, 60), min_size=2, max_size=2))
def test_no_head_exceeds_the_joint_logit(evidence) -> None:
    assert (STACK.each(np.array(evidence)) <= STACK.logit(np.array(evidence)) + 1e-9).all()


def explained(maps: np.ndarray):
    return explain(STACK, [0.5], [face_picture(0, 64)], np.array([[1.0, 2.0]]), maps, [landmarks(64)])


def test_shares_sum_to_one_and_follow_the_map() -> None:
    maps = np.full((1, 2, 8, 8), -1.0)
    maps[0, :, 5, 3:5] = 6.0  # where the drawn mouth is
    found = explained(maps)
    assert sum(found.shares.values()) == pytest.approx(1)
    assert sum(found.areas.values()) == pytest.approx(1)
    assert tuple(found.shares) == REGIONS
    assert standing_out(found.shares, found.areas)[0] == "mouth"
    assert "densest at the mouth" in where_in_words(found.shares, found.areas)


def test_evidence_everywhere_is_shared_like_the_area() -> None:
    found = explained(np.ones((1, 2, 8, 8)))
    assert found.shares == pytest.approx(found.areas)
    assert standing_out(found.shares, found.areas) == []


def test_nothing_for_forgery_gives_no_shares() -> None:
    found = explained(np.full((1, 2, 8, 8), -1.0))
    assert found.shares is None
    assert where_in_words(found.shares, found.areas) == "No place speaks for forgery."


def test_every_region_is_where_its_landmarks_are() -> None:
    regions = face_regions(landmarks(96), 96)
    for name, point in (
        ("nose", (48, 52)),
        ("mouth", (48, 65)),
        ("eyes", (37, 42)),
        ("forehead", (48, 28)),
        ("cheeks", (32, 58)),
    ):
        assert REGIONS[regions[point[1], point[0]]] == name
    assert REGIONS[regions[2, 2]] == "outside"


def facts(blend: float, synthesis: float, stack: Stack = Stack()) -> dict[str, HeadFacts]:
    return head_facts(stack, np.array([[blend, synthesis]]), THRESHOLDS, 0.01)


def test_levels_are_read_off_the_thresholds() -> None:
    found = facts(3.0, 1.0)
    assert [found[name].level for name in HEADS] == ["strong", "raised"]
    assert in_words(found, True) == (
        "Evidence of blending: more than 99 in 100 of the real clips that it was calibrated on show; of synthesis: "
        "more than 9 in 10 of the real clips that it was calibrated on show."
    )


def source(name: str, *carried: float) -> Source:
    """A group that carries these rates, and of the others a twentieth."""
    return Source(name, 50, {rate: rate if rate in carried else 0.05 for rate in (0.1, 0.01)})


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ((source("a", 0.1, 0.01),), "more than 99 in 100 of the real clips that it was calibrated on show"),
        (
            (source("a", 0.1, 0.01), source("b", 0.1, 0.01)),
            "more than 99 in 100 of the real clips of each of the 2 sources that it was calibrated on show",
        ),
        (
            (source("a", 0.1, 0.01), source("b", 0.1), source("c", 0.1)),
            "more than 99 in 100 of the real clips that it was calibrated on of a (2 other sources have too few to "
            "say so) show",
        ),
        (
            (source("a"), source("b")),
            "more than most real clips that it was calibrated on show, which come from too small groups to say more",
        ),
    ],
)
def test_a_share_of_real_clips_is_told_of_those_sources_that_carry_it(sources, told) -> None:
    thresholds = replace(THRESHOLDS, sources=sources)
    found = head_facts(Stack(), np.array([[3.0, -9.0]]), thresholds, 0.01)
    assert in_words(found, True).startswith(f"Evidence of blending: {told};")


def test_the_name_of_a_source_is_escaped() -> None:
    thresholds = replace(THRESHOLDS, sources=(source("\x1b[31m", 0.01), source("b")))
    assert "\\x1b[31m" in in_words(head_facts(Stack(), np.array([[3.0, -9.0]]), thresholds, 0.01), True)


def test_two_raised_heads_that_flag_together_are_told() -> None:
    assert "Neither alone" in in_words(facts(1.9, 1.9), True)
    assert "Neither alone" not in in_words(facts(1.9, 1.9), False)
    assert (
        in_words(facts(-3.0, -4.0), False)
        == "Evidence of blending and of synthesis: no more than many real clips show."
    )


def test_a_head_that_was_never_trained_says_so() -> None:
    found = facts(9.0, 3.0, Stack((0.0, 1.0)))
    assert found["blend"] == HeadFacts(9.0, None, "untrained", None)
    assert "of blending: not looked for" in in_words(found, True)
    assert json.dumps(found["blend"].as_json())


@given(st.floats(-50, 50), st.floats(-50, 50), st.booleans())
def test_words_never_say_what_a_file_is(blend, synthesis, flagged) -> None:
    words = in_words(facts(blend, synthesis), flagged)
    assert "fake" not in words.lower()
    assert words.lower().count("real") == words.count("real clips that it was calibrated on show") + words.count(
        "many real clips show"
    )


WIDE = Stack((1.0,) * 5, (0.0,) * 5, heads=(*HEADS, *LAYER_HEADS, MOTION))


def test_a_kind_of_evidence_is_told_by_the_head_that_says_most() -> None:
    found = head_facts(WIDE, np.array([[-3.0, -4.0, 3.0, -5.0, 1.0]]), THRESHOLDS, 0.01)
    assert tuple(found) == KINDS
    assert [found[kind].evidence for kind in KINDS] == [3.0, -4.0, 1.0]
    assert [found[kind].level for kind in KINDS] == ["strong", "low", "raised"]
    words = in_words(found, True)
    assert words.index("blending") < words.index("motion") < words.index("synthesis")


def test_three_kinds_that_flag_together_only_are_told() -> None:
    found = head_facts(WIDE, np.array([[1.5, 1.4, -9.0, -9.0, 1.3]]), THRESHOLDS, 0.01)
    assert in_words(found, True).endswith(" None alone passes the threshold, all together do.")


def test_motion_that_was_not_looked_at_is_not_told() -> None:
    assert tuple(head_facts(WIDE, np.array([[1.0, 0.0, 0.0, 0.0]]), THRESHOLDS, 0.01)) == HEADS


def test_a_kind_whose_own_head_was_never_trained_is_told_by_the_other() -> None:
    stack = replace(WIDE, scale=(0.0, 1.0, 1.0, 0.0, 0.0))
    found = head_facts(stack, np.array([[9.0, -2.0, 1.0, 9.0, 9.0]]), THRESHOLDS, 0.01)
    assert [(found[kind].evidence, found[kind].level) for kind in KINDS] == [
        (1.0, "raised"), (-2.0, "low"), (9.0, "untrained"),
    ]  # fmt: skip


def test_a_kind_has_the_places_of_both_its_heads() -> None:
    maps = np.zeros((1, 4, 8, 8))
    maps[0, 0, 0, 0] = maps[0, 2, 7, 7] = maps[0, 3, 0, 7] = 6.0
    frame = explain(WIDE, [0.5], [face_picture(0, 64)], np.zeros((1, 5)), maps, [landmarks(64)]).frames[0]
    blend, synthesis = frame.kind_maps() > 0
    corners = (0, 0), (-1, -1), (0, -1)
    assert [(bool(blend[at]), bool(synthesis[at])) for at in corners] == [(True, False), (True, False), (False, True)]


def test_a_frame_tells_what_the_head_says_that_counts() -> None:
    """The net's own heads no longer count where others of their kind read all layers."""
    said, maps = np.array([[-5.0, -3.0, 0.5, 2.0, 1.0]]), np.zeros((1, 4, 8, 8))

    def told(scale: tuple[float, ...]) -> dict[str, float]:
        stack = replace(WIDE, scale=scale)
        return explain(stack, [0.5], [face_picture(0, 64)], said, maps, [landmarks(64)]).frames[0].told()

    assert told((0.0, 0.0, 1.0, 1.0, 1.0)) == {"blend": 0.5, "synthesis": 2.0}
    assert told((1.0, 1.0, 0.0, 0.0, 0.0)) == {"blend": -5.0, "synthesis": -3.0}
    assert told((0.0,) * 5) == {"blend": 0.5, "synthesis": 2.0}


def test_three_kinds_stand_in_a_row() -> None:
    alike = {kind: HeadFacts(-1.0, -1.0, "low", None) for kind in KINDS}
    assert in_words(alike, False).startswith("Evidence of blending, of synthesis and of motion: no more")


def levelled(blend: str, synthesis: str) -> dict[str, HeadFacts]:
    return {name: HeadFacts(1.0, 1.0, level, None) for name, level in (("blend", blend), ("synthesis", synthesis))}


@pytest.mark.parametrize(
    ("levels", "flagged", "shown"),
    [
        (("low", "low"), False, (False, False)),
        (("low", "untrained"), False, (False, False)),
        (("raised", "low"), False, (True, False)),
        (("low", "strong"), True, (False, True)),
        (("raised", "low"), True, (True, True)),  # neither flags alone, both together do
    ],
)
def test_maps_show_what_the_words_speak_of(levels, flagged: bool, shown) -> None:
    maps = np.zeros((1, 2, 8, 8))
    maps[0, 0, 5, 3:5], maps[0, 1, 0, 0] = 6.0, 6.0  # blending at the mouth, synthesis in a corner
    found = limited(explained(maps), levelled(*levels), flagged)
    assert tuple((found.frames[0].kind_maps() > 0).any((1, 2))) == shown
    assert (found.shares is not None) == any(shown)
    if shown == (True, False):
        assert found.shares["outside"] < 0.05 < found.shares["mouth"]
