"""Retargeting: the source's geometry with the driver's motion, and nothing of the driver's shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from generator.motion.head import fit_head
from generator.motion.retarget import Retargeter, canonical_depth, canonical_face, without_likeness
from sfumato.media.landmarks.points import MIRROR
from tests.generator_fixtures import head_turned, motion, solid_face, solid_motion

CANONICAL = canonical_face()
Points = NDArray[np.floating]


def turned(points: Points, angle: float = 0.0, scale: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)) -> Points:
    cosine, sine = np.cos(angle), np.sin(angle)
    return scale * points @ np.array([[cosine, sine], [-sine, cosine]]) + shift


def source_face() -> NDArray[np.float32]:
    """Somebody with a longer face, larger eyes and a tilted head."""
    points = CANONICAL.astype(np.float64) * (0.9, 1.1)
    for eye in (slice(36, 42), slice(42, 48)):
        points[eye] = points[eye].mean(0) + 1.3 * (points[eye] - points[eye].mean(0))
    return turned(points, 0.1, 0.9, (0.05, -0.02)).astype(np.float32)


def talking(points: Points, amount: float = 0.06) -> Points:
    moved = np.array(points, np.float64)
    moved[55:60, 1] += amount
    moved[65:68, 1] += amount
    return moved


def blinking(points: Points) -> Points:
    moved = np.array(points, np.float64)
    moved[[37, 38, 43, 44]] = moved[[41, 40, 47, 46]]
    return moved


def opening(points: Points) -> float:
    return float(np.linalg.norm(points[62] - points[66]))


def lids(points: Points) -> float:
    return float(sum(np.linalg.norm(points[u] - points[w]) for u, w in ((37, 41), (38, 40), (43, 47), (44, 46))))


@pytest.mark.parametrize("mode", ["relative", "absolute"])
def test_shapes_and_type(mode: str) -> None:
    out = Retargeter(source_face(), motion([CANONICAL]), mode).frame(0)  # type: ignore[arg-type]
    assert out.shape == (68, 2) and out.dtype == np.float32


def test_the_neutral_frame_gives_the_sources_own_landmarks() -> None:
    driver = turned(CANONICAL, -0.2, 1.2, (0.1, 0.1))
    assert np.allclose(Retargeter(source_face(), motion([driver])).frame(0), source_face(), atol=1e-6)


def test_absolute_motion_takes_the_drivers_place_and_keeps_the_sources_shape() -> None:
    driver = turned(CANONICAL, -0.2, 1.2, (0.1, 0.1))
    out = Retargeter(source_face(), motion([driver]), "absolute").frame(0).astype(np.float64)
    assert np.linalg.norm(out.mean(0) - driver.mean(0)) < 0.05
    from sfumato.media.identity import similarity

    back = similarity(out, source_face())
    assert np.allclose(out @ back[:, :2].T + back[:, 2], source_face(), atol=1e-5)


def test_the_same_face_moves_as_the_driver_does() -> None:
    frames = [CANONICAL, turned(talking(CANONICAL), 0.1, 1.0, (0.03, 0.01))]
    assert np.allclose(Retargeter(CANONICAL, motion(frames), held=False).frame(1), frames[1], atol=1e-4)


@given(st.floats(-0.4, 0.4), st.floats(0.6, 1.6), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))
def test_where_and_how_large_the_driver_is_does_not_matter(angle: float, scale: float, x: float, y: float) -> None:
    frames = [CANONICAL, turned(talking(CANONICAL), 0.1)]
    moved = [turned(f, angle, scale, (x, y)) for f in frames]
    one, other = (Retargeter(source_face(), motion(f)).frame(1) for f in (frames, moved))
    assert np.allclose(one, other, atol=2e-3)


@pytest.mark.parametrize("stretch", [(1.2, 1.0), (1.0, 1.2), (0.85, 1.1)])
def test_the_drivers_proportions_do_not_matter(stretch: tuple[float, float]) -> None:
    frames = [CANONICAL, talking(CANONICAL)]
    one, other = (
        Retargeter(source_face(), motion([f * s for f in frames])).frame(1) for s in (np.ones(2), np.array(stretch))
    )
    change = np.abs(one - source_face()).max()
    assert np.abs(one - other).max() < 0.15 * change


def test_a_wide_drivers_neutral_frame_leaves_the_source_narrow() -> None:
    wide = CANONICAL * (1.4, 1.0)
    out = Retargeter(source_face(), motion([wide, talking(wide)])).frame(1)
    assert np.ptp(out[:17, 0]) == pytest.approx(np.ptp(source_face()[:17, 0]), rel=0.02)


def test_a_closed_eye_closes_whatever_its_size() -> None:
    out = Retargeter(source_face(), motion([CANONICAL, blinking(CANONICAL)])).frame(1)
    assert lids(out) < 0.02 * lids(source_face())


def test_an_open_mouth_opens_in_proportion() -> None:
    frames = [CANONICAL, talking(CANONICAL)]
    out = Retargeter(source_face(), motion(frames)).frame(1)
    assert opening(out) > opening(source_face()) + 0.02


def test_thin_lips_open_as_wide_for_their_face_as_full_ones() -> None:
    """And as wide from closed lips as from parted ones."""
    frames = [CANONICAL, talking(CANONICAL)]
    asked = []
    for thickness in (0.4, 1.0, 1.8):
        face = CANONICAL.astype(np.float64)
        face[48:, 1] = face[48:, 1].mean() + thickness * (face[48:, 1] - face[48:, 1].mean())
        out = Retargeter(face.astype(np.float32), motion(frames), held=False).frame(1)
        asked.append(opening(out) - opening(face))
    assert asked == pytest.approx([0.06] * 3, rel=0.02)


def with_lips_apart(by: float) -> Points:
    """The canonical face, with its inner lips apart by `by` of its height."""
    face = CANONICAL.astype(np.float64)
    face[[67, 66, 65]] = face[[61, 62, 63]] + (0.0, by * (face[8, 1] - face[27, 1]))
    return face


def asked(source: float, driver: float, backend: str = "mesh", held: bool = True) -> float:
    """What lips that are apart by `source` are asked to open, of the face's height, for a driver's shut ones that open
    by `driver`.
    """
    following = replace(motion([with_lips_apart(0.0), with_lips_apart(driver)]), backend=backend)
    out = Retargeter(with_lips_apart(source).astype(np.float32), following, held=held).frame(1)
    return (opening(out) - opening(with_lips_apart(source))) / float(CANONICAL[8, 1] - CANONICAL[27, 1])


def test_lips_that_part_open_by_what_the_mesh_leaves_out_too() -> None:
    assert asked(0.0, 0.06) - asked(0.0, 0.06, held=False) == pytest.approx(0.03, abs=0.003)
    assert 0.002 < asked(0.0, 0.02) - 0.02 < 0.02
    assert asked(0.0, 0.17) - asked(0.0, 0.17, held=False) == pytest.approx(0.015, abs=0.002)


def test_shut_lips_stay_shut_and_parted_ones_have_nothing_left_out() -> None:
    assert asked(0.0, 0.0) == pytest.approx(0.0, abs=1e-6)
    assert asked(0.06, 0.05) == pytest.approx(0.05, abs=1e-6)


def test_other_landmarks_than_the_meshs_leave_nothing_out() -> None:
    assert asked(0.0, 0.06, backend="face-alignment") == pytest.approx(0.06, abs=1e-6)


def test_lips_that_come_nearer_than_the_drivers_at_rest_meet_and_do_not_cross() -> None:
    closed = CANONICAL.astype(np.float64)
    closed[[67, 66, 65]] = closed[[61, 62, 63]] + (0.0, 0.002)
    out = Retargeter(closed.astype(np.float32), motion([talking(CANONICAL), CANONICAL])).frame(1)
    assert np.allclose(out[[67, 66, 65], 1], out[[61, 62, 63], 1], atol=1e-5)


def test_strength_scales_the_expression_and_not_the_head() -> None:
    frames = [CANONICAL, turned(talking(CANONICAL), 0.15)]
    none, half, full = (Retargeter(source_face(), motion(frames), strength=s).frame(1) for s in (0.0, 0.5, 1.0))
    assert opening(none) == pytest.approx(opening(source_face()), rel=0.01)
    assert opening(none) < opening(half) < opening(full)
    tilt = [np.arctan2(*(p[45] - p[36])[::-1]) for p in (source_face(), none, full)]
    assert tilt[1] - tilt[0] == pytest.approx(0.15, abs=0.03)
    assert tilt[2] == pytest.approx(tilt[1], abs=0.03)


@given(st.integers(0, 1000))
def test_wild_drivers_give_finite_landmarks_within_reach(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = [CANONICAL, CANONICAL + rng.normal(size=(68, 2))]
    out = Retargeter(source_face(), motion(frames)).frame(1)
    assert np.isfinite(out).all() and np.abs(out).max() < 30


@pytest.mark.parametrize("towards", [(1.0, 0.0), (0.0, 1.0), (-0.6, 0.8)])
def test_no_point_is_moved_farther_than_half_the_faces_width(towards: tuple[float, float]) -> None:
    torn = np.array(CANONICAL, np.float64)
    torn[57] += 5 * np.array(towards)  # the lower lip, five times as far as the picture is wide
    out = Retargeter(CANONICAL, motion([CANONICAL, torn])).frame(1)
    width = np.linalg.norm(CANONICAL[16] - CANONICAL[0])
    assert np.linalg.norm(out[57] - CANONICAL[57]) == pytest.approx(0.5 * width, rel=1e-3)
    assert np.allclose(np.delete(out, 57, axis=0), np.delete(CANONICAL, 57, axis=0), atol=1e-5)


def test_degenerate_drivers_give_finite_landmarks() -> None:
    point = np.zeros((68, 2))
    for frames in ([CANONICAL, point], [point, CANONICAL], [point, point]):
        out = Retargeter(source_face(), motion(frames)).frame(1)
        assert np.isfinite(out).all()


def test_a_motion_without_likeness_has_the_canonical_shape() -> None:
    driver = CANONICAL * (1.3, 0.9)
    made = without_likeness(motion([driver, talking(driver)]), CANONICAL)
    from sfumato.media.identity import similarity

    fit = similarity(made.landmarks[0], CANONICAL)
    assert np.allclose(made.landmarks[0] @ fit[:, :2].T + fit[:, 2], CANONICAL, atol=1e-4)
    assert opening(made.landmarks[1]) > opening(made.landmarks[0])


def test_a_motion_without_likeness_moves_a_portrait_as_before() -> None:
    driver = source_face()
    frames = motion([driver, talking(driver, 0.04)])
    direct = Retargeter(CANONICAL, frames).frame(1)
    through = Retargeter(CANONICAL, without_likeness(frames, CANONICAL)).frame(1)
    assert np.abs(direct - through).max() < 0.02


def test_the_canonical_face_is_nobodys_and_symmetric() -> None:
    face = canonical_face()
    assert face.shape == (68, 2)
    mirrored = face[MIRROR] * (-1, 1)
    assert np.allclose(mirrored - (mirrored - face).mean(0), face, atol=0.01)
    deep = canonical_depth()
    assert deep.shape == (68,) and np.allclose(deep[MIRROR], deep, atol=0.001) and abs(deep.mean()) < 1e-3


SOLID = solid_face()
SITTER = 0.9 * (SOLID * (0.95, 1.1, 1.05)) @ head_turned(5, -3, 8).T
DRIVER = SOLID * (1.1, 0.95, 0.9)
TURNS = [(0, 0, 0), (20, 0, 0), (-25, 5, 0), (10, -10, 20), (0, 15, -10)]


def turning(driver: Points = DRIVER) -> list[Points]:
    return [driver @ head_turned(*turn).T for turn in TURNS]


def follower(
    frames: list[Points], mode: str = "relative", strength: float = 1.0, sitter: Points = SITTER, held: bool = True
) -> Retargeter:
    flat, depth = (sitter[:, :2].astype(np.float32), sitter[:, 2].astype(np.float32))
    return Retargeter(flat, solid_motion(frames), mode, strength, depth, held)  # type: ignore[arg-type]


def yaws(points: Points) -> float:
    rotation = fit_head(SOLID, np.asarray(points, np.float64)).rotation
    return float(np.degrees(np.arctan2(rotation[0, 2], rotation[2, 2])))


def test_in_space_the_neutral_frame_gives_the_sources_own_landmarks() -> None:
    assert np.allclose(follower(turning()).frame(0), SITTER[:, :2], atol=1e-6)


@pytest.mark.parametrize("mode", ["relative", "absolute"])
def test_in_space_the_same_face_moves_as_the_driver_does(mode: str) -> None:
    frames = [*turning(SOLID), talking(SOLID) @ head_turned(15).T]
    moved = follower(frames, mode, sitter=SOLID, held=False)
    for index, known in enumerate(frames):
        inside = np.r_[17:68] if index < len(TURNS) else np.r_[17:36, 48:68]  # the far jaw is drawn to the outline
        assert np.allclose(moved.frame(index)[inside], known[inside, :2], atol=0.005)


@pytest.mark.parametrize("mode", ["relative", "absolute"])
def test_a_head_turns_as_far_as_its_drivers(mode: str) -> None:
    moved = follower(turning(), mode, held=False)  # its depth tells of the head alone, not of the outline
    own = yaws(moved.moved(moved.motion.pose(0)))
    for index in (1, 2):
        assert yaws(moved.moved(moved.motion.pose(index))) - own == pytest.approx(TURNS[index][0], rel=0.1)


def test_in_space_strength_scales_the_expression_and_not_the_turn() -> None:
    frames = [DRIVER, talking(DRIVER) @ head_turned(20).T]
    none, half, full = (follower(frames, strength=s, held=False).frame(1) for s in (0.0, 0.5, 1.0))
    assert np.allclose(none[17:48], full[17:48], atol=0.01)
    assert opening(half) == pytest.approx((opening(none) + opening(full)) / 2, abs=0.003)
    assert opening(full) > opening(none) + 0.02


def test_a_turned_head_closes_its_eyes() -> None:
    out = follower([DRIVER, blinking(DRIVER) @ head_turned(20).T]).frame(1)
    assert lids(out) < 0.1 * lids(SITTER)


def test_without_depth_on_either_side_heads_move_in_the_picture() -> None:
    frames, flat = turning(), SITTER[:, :2].astype(np.float32)
    known = Retargeter(flat, motion([f[:, :2] for f in frames])).frame(1)
    assert np.array_equal(Retargeter(flat, solid_motion(frames)).frame(1), known)
    assert np.array_equal(Retargeter(flat, motion([f[:, :2] for f in frames]), depth=canonical_depth()).frame(1), known)


def test_a_turn_too_far_is_said_and_others_are_not() -> None:
    assert follower(turning()).remarks() == ()
    (remark,) = follower([DRIVER, *[DRIVER @ head_turned(50).T] * 3]).remarks()
    assert "75%" in remark and "turns less" in remark
    assert Retargeter(source_face(), motion([CANONICAL])).remarks() == ()


@given(st.integers(0, 300))
def test_wild_drivers_in_space_give_finite_landmarks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = [np.asarray(10 ** rng.uniform(-3, 0.9) * rng.normal(size=(68, 3)).clip(-1, 1)) for _ in range(3)]
    for index in range(3):
        assert np.isfinite(follower(frames, sitter=frames[2]).frame(index)).all()


def test_a_motion_without_likeness_turns_as_its_driver_on_the_canonical_face() -> None:
    frames = [*turning(), DRIVER @ head_turned(50).T]
    made = without_likeness(solid_motion(frames), CANONICAL, canonical_depth())
    assert made.depth is not None and np.abs(made.depth.mean(axis=1)).max() < 1e-6
    for index, driver in enumerate(frames):
        points = np.column_stack([made.landmarks[index], made.depth[index]]).astype(np.float64)
        assert yaws(points) == pytest.approx(yaws(driver), abs=2)  # as it is, however far
        fit = fit_head(SOLID, points)
        assert np.allclose(fit.into(points), SOLID, atol=0.003)  # and nothing of the driver's shape


def test_a_motion_without_likeness_turns_a_portrait_as_before() -> None:
    frames = solid_motion(turning())
    flat, depth = SITTER[:, :2].astype(np.float32), SITTER[:, 2].astype(np.float32)
    through = without_likeness(frames, CANONICAL, canonical_depth())
    for index in range(len(TURNS)):
        direct, other = (Retargeter(flat, m, depth=depth).frame(index) for m in (frames, through))
        assert np.abs(direct - other).max() < 0.03


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_irises_move_by_what_the_drivers_have_moved_since_the_neutral_frame(strength: float) -> None:
    looks = np.array([[[0.1, 0.0], [0.2, 0.0]], [[0.2, 0.04], [0.3, 0.02]]], np.float32)
    driver = replace(motion([CANONICAL, CANONICAL], neutral=0), gaze=looks)
    found = Retargeter(source_face(), driver, strength=strength).gaze(driver.pose(1))
    assert np.allclose(found, strength * np.array([[0.1, 0.04], [0.1, 0.02]]), atol=1e-6)  # type: ignore[arg-type]


def test_a_motion_without_gaze_moves_no_iris() -> None:
    driver = motion([CANONICAL])
    assert Retargeter(source_face(), driver).gaze(driver.pose(0)) is None


def test_a_motion_without_likeness_keeps_looks_and_not_where_the_irises_rest() -> None:
    looks = np.array([[[0.1, 0.0], [0.2, 0.0]], [[0.2, 0.0], [0.3, 0.0]]], np.float32)
    nobody = without_likeness(replace(motion([CANONICAL, CANONICAL], neutral=0), gaze=looks), CANONICAL)
    assert nobody.gaze is not None and np.allclose(nobody.gaze, looks - looks[0])
