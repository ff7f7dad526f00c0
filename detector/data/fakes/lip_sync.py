"""Lip-syncs without a lip-sync net: the lower half of a face replaced by another version of itself, as those systems
paste it.

In: a real crop and its 68 landmarks; how far the mouth should open; where there is one, another moment of the same
person. Out: a `Forgery`. What others do, from their descriptions and from looking at what some of them make: Wav2Lip
(Prajwal et al. 2020) pastes its whole 96 px face back as a rectangle, the mouth changed and all of it resampled;
Diff2Lip (Mukhopadhyay et al. 2024) fills the lower half of a 128 px one and leaves a tint in it; MuseTalk sends the jaw
through an autoencoder; VideoReTalking sharpens the face afterwards. No system is copied: content, outline, texture,
edge and colours are drawn apart, so that no one of them is the sign of a fake.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.data.degradations import round_trip, shift_colours
from detector.data.fakes.forgery import Forgery, Image, Points, paste
from detector.data.fakes.self_blend import bend, face_width
from detector.data.fakes.swap import transfer_colours, warp_face, warp_mesh

Mask = NDArray[np.float32]
Drawn = TypeVar("Drawn")
Content = Literal["moment", "opening", "own"]
Outline = Literal["box", "face-box", "jaw", "mouth"]

_WITH_MOMENT: tuple[tuple[Content, float], ...] = (("moment", 0.5), ("opening", 0.4), ("own", 0.1))
_ALONE: tuple[tuple[Content, float], ...] = (("opening", 0.75), ("own", 0.25))
_OUTLINES: tuple[tuple[Outline, float], ...] = (("box", 0.35), ("face-box", 0.15), ("jaw", 0.25), ("mouth", 0.25))
_UNTOUCHED = 0.15  # of those whose mouth moved keep the camera's texture: the warp is all that tells
_RECONSTRUCTED = 0.3  # of the others go through the autoencoder where there is one, the rest through a small side
_SHARPENED = 0.3  # of the textures; VideoReTalking and many a paste of Wav2Lip restore the face afterwards
_SOFT_SURROUNDINGS = 0.3  # of the resampled: the picture around is the softer one, or a soft mouth would be the sign
_SIDES = (48.0, 160.0)  # px of the face that a lip-sync net works at
_FURTHEST = 0.3  # noses by which a warp opens or shuts a mouth: further, and the lips are stretched beyond belief
_SHUT = 0.2  # noses: landmarks tell no smaller opening from pursed lips
_RIGID = [*range(3), *range(14, 17), *range(17, 48)]  # temples, brows, nose and eyes: speech does not move them
_CHIN = np.array([0, 0, 0, 0.1, 0.3, 0.6, 0.85, 1, 1, 1, 0.85, 0.6, 0.3, 0.1, 0, 0, 0], np.float32)
_UPPER, _LOWER = -0.2, 0.8  # of an opening: the upper lip's part, and that of the lower, which the jaw carries
_LIPS = np.array(  # how far each of the points 48 to 67 goes along with an opening
    [0, *(0.5 * _UPPER, *[_UPPER] * 3, 0.5 * _UPPER), 0, *(0.6 * _LOWER, *[_LOWER] * 3, 0.6 * _LOWER), 0, *[_UPPER] * 3,
     0, *[_LOWER] * 3], np.float32,
)  # fmt: skip


def lip_sync(
    image: Image, points: Points, rng: np.random.Generator, opening: float, other: tuple[Image, Points] | None = None,
    reconstruct: Callable[[Image], Image] | None = None,
) -> Forgery:  # fmt: skip
    """image: HWC uint8 RGB; points: (68, 2) px in it; opening: as `mouth_opening` measures it, where the mouth is
    opened or shut by a warp; other: picture and points of another moment of this person; reconstruct: a picture through
    an autoencoder.
    """
    content = _draw(_ALONE if other is None else _WITH_MOMENT, rng)
    outline = _draw(_OUTLINES, rng)
    follow = float(rng.uniform(0, 0.8)) if outline in ("box", "face-box") else 0.0  # other outlines end at the jaw
    goal = points
    if content == "opening":
        goal = opened(points, opening, follow)
    elif content == "moment" and other is not None:
        goal = spoken(points, other[1], follow)
    made = _moved(image, points, goal, rng) if content != "own" else image
    if content == "moment" and other is not None:
        made = _taken_over(made, goal, *other, rng)
    mask = lip_mask(image.shape[:2], points, goal, outline, rng)
    if content == "own" or rng.random() >= _UNTOUCHED:
        if reconstruct is not None and rng.random() < _RECONSTRUCTED:
            made = reconstruct(made)
        else:
            recipe = _draw_side(image, points, 0.7 if content == "own" else 0.95, rng)
            if rng.random() < _SOFT_SURROUNDINGS:
                image = round_trip(image, *recipe)
            else:
                made = round_trip(made, *recipe)
        if rng.random() < _SHARPENED:
            made = _sharpened(made, points, rng)
    if content == "own" or rng.random() < 0.6:  # nothing else may tell such a one where the picture is soft
        made = shift_colours(made, rng, strength=0.4)
    return paste(image, made, mask)


def mouth_opening(points: Points) -> float:
    """The gap between the lips over the nose's length, which speech does not change: 0 is shut. points: (68, 2)."""
    return float(np.linalg.norm(points[66] - points[62]) / _nose(points))


def opened(points: Points, opening: float, follow: float) -> Points:
    """The landmarks with the mouth opened or shut to `opening`, or as far towards it as a warp can; follow: how much of
    it the chin goes along with.
    """
    down = points[8] - points[27]
    down = down / max(float(np.linalg.norm(down)), 1e-6)
    by = float(np.clip(opening - mouth_opening(points), -_FURTHEST, _FURTHEST)) * _nose(points)
    by = min(by, 0.6 * max(float((points[8] - points[57]) @ down), 0.0))  # the lower lip stays above the chin
    goal = points.astype(np.float32)
    goal[48:68] += by * _LIPS[:, None] * down
    goal[:17] += by * _LOWER * follow * _CHIN[:, None] * down
    return goal


def spoken(points: Points, other: Points, follow: float) -> Points:
    """The landmarks with the lips of another moment, carried over by an affine map between all that speech leaves in
    place; the chin goes along as far as `follow` says.
    """
    rigid = np.concatenate([other[_RIGID], np.ones((len(_RIGID), 1), np.float32)], 1)
    affine = np.linalg.lstsq(rigid, points[_RIGID], rcond=None)[0]  # (3, 2)
    moved = np.concatenate([other, np.ones((68, 1), np.float32)], 1) @ affine - points
    far = 0.2 * face_width(points)  # beyond it the pose is too unlike, or a landmark is astray
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    moved *= np.minimum(1, far / np.maximum(length, 1e-6))
    goal = points.astype(np.float32)
    goal[48:68] += moved[48:68]
    goal[:17] += follow * _CHIN[:, None] * moved[:17]
    return goal


def lip_mask(shape: tuple[int, int], points: Points, goal: Points, outline: Outline, rng: np.random.Generator) -> Mask:
    """What is replaced, (H, W) float32 in [0, 1]: the face's box below a drawn line between eyes and nose ("box") or
    from the brows down ("face-box"), what lies between nose and jaw ("jaw"), or an ellipse around the lips of both
    `points` and `goal` ("mouth").
    """
    mask = np.zeros(shape, np.uint8)
    width = max(face_width(points), 8.0)
    both = np.concatenate([points, goal])
    if outline in ("box", "face-box"):
        left, right = points[:17, 0].min(), points[:17, 0].max()
        left, right = left - rng.uniform(-0.06, 0.1) * width, right + rng.uniform(-0.06, 0.1) * width
        bottom = float(both[:, 1].max()) + rng.uniform(0.0, 0.1) * width
        eyes, nose = float(points[36:48, 1].max()), float(points[33, 1])
        top = eyes + rng.uniform(0.1, 0.9) * (nose - eyes)
        if outline == "face-box":
            top = float(points[17:27, 1].min()) - rng.uniform(0.0, 0.15) * width
        corners = np.rint([left, top, right, bottom]).astype(int)
        cv2.rectangle(mask, corners[:2].tolist(), corners[2:].tolist(), 1, cv2.FILLED)
    elif outline == "jaw":
        below = points[31:36] + rng.uniform(-0.1, 0.5) * (points[51] - points[33])
        hull = np.concatenate([points[2:15] if rng.random() < 0.5 else points[3:14], below])
        hull = hull.mean(0) + (hull - hull.mean(0)) * rng.uniform(0.85, 1.04)
        cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(hull).astype(np.int32)), 1)
    else:
        _fill_ellipse(mask, both[np.r_[48:60, 116:128]], points, rng)
    mask_bent = mask.astype(np.float32)
    if rng.random() < (0.2 if outline in ("box", "face-box") else 0.7):
        mask_bent = bend(mask_bent, rng)
    if rng.random() < (0.5 if outline in ("box", "face-box") else 0.15):  # a hard edge
        return mask_bent
    return _faded(mask_bent, width * float(rng.uniform(0.02, 0.2)))


def _fill_ellipse(mask: NDArray[np.uint8], lips: Points, points: Points, rng: np.random.Generator) -> None:
    """1 in an ellipse around the lips, (n, 2) px, that ends below the nose's tip."""
    across = points[54] - points[48]
    across = across / max(float(np.linalg.norm(across)), 1e-6)
    upright = np.array([-across[1], across[0]], np.float32)
    axes = np.stack([across, upright])  # (2, 2)
    low, high = (lips @ axes.T).min(0), (lips @ axes.T).max(0)
    centre, half = (low + high) / 2 @ axes, (high - low) / 2
    half = np.maximum(half, [1.0, 0.5 * half[0]]) * rng.uniform(1.2, 1.8, 2)
    half[1] = min(half[1], abs(float((centre - points[30]) @ upright)))
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    cv2.ellipse(mask, (centre.tolist(), (2 * half).tolist(), angle), 1, cv2.FILLED)


def _faded(mask: Mask, width: float) -> Mask:
    """The edge fading inwards over `width` px, and over no more than half of what there is. Nothing beyond it."""
    depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    ramp = np.clip(depth / max(min(width, 0.5 * float(depth.max())), 1.0), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)  # without a kink, which would be a line of its own


def _moved(image: Image, points: Points, goal: Points, rng: np.random.Generator) -> Image:
    """The picture with its landmarks moved to `goal`, and something in a mouth that opened; all beside the face
    stays.
    """
    rows, columns = window = _window(image.shape[:2], np.concatenate([points, goal]))
    height, width = image[window].shape[:2]
    if min(height, width) < 2:
        return image
    corner = np.array([columns.start, rows.start])
    x, y = np.meshgrid(np.linspace(0, width - 1, 4), np.linspace(0, height - 1, 4))
    edge = [number for number in range(16) if number not in (5, 6, 9, 10)]  # of the sixteen, those on the border
    frame = np.stack([x, y], -1).reshape(-1, 2)[edge]
    there, here = points.astype(np.float64) - corner, goal.astype(np.float64) - corner
    inside = ((there > 0) & (there < [width - 1, height - 1])).all(1)  # no triangle may reach beyond the border
    made = image.copy()
    made[window] = warp_mesh(
        image[window], np.concatenate([there[inside], frame]), np.concatenate([here[inside], frame]), (height, width)
    )
    opens = mouth_opening(points) < _SHUT and mouth_opening(goal) > mouth_opening(points) + 0.05
    return _with_inside(made, goal, rng) if opens else made


def _window(shape: tuple[int, int], points: Points) -> tuple[slice, slice]:
    """Rows and columns of the picture that hold the face with a rim of a fifth of its width."""
    rim = 0.2 * face_width(points)
    (left, top), (right, bottom) = np.floor(points.min(0) - rim).astype(int), np.ceil(points.max(0) + rim).astype(int)
    return slice(*np.clip([top, bottom], 0, shape[0]).tolist()), slice(*np.clip([left, right], 0, shape[1]).tolist())


def _with_inside(image: Image, points: Points, rng: np.random.Generator) -> Image:
    """A shut mouth that opened shows a stretched line; nets put a dark hollow there, with blurry teeth above."""
    inner = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(inner, [np.rint(points[60:68]).astype(np.int32)], 1)
    if not inner.any():
        return image
    lips = inner.copy()
    cv2.fillPoly(lips, [np.rint(points[48:60]).astype(np.int32)], 1)
    skin = image[(lips > 0)].astype(np.float32).mean(0)
    hollow = np.broadcast_to(skin * rng.uniform(0.25, 0.65), image.shape).copy()
    if rng.random() < 0.6:
        shown = points[60:68].copy()
        shown[5:8] = shown[[3, 2, 1]] + rng.uniform(0.15, 0.5) * (shown[5:8] - shown[[3, 2, 1]])
        teeth = np.zeros_like(inner)
        cv2.fillPoly(teeth, [np.rint(shown).astype(np.int32)], 1)
        hollow[teeth > 0] = rng.uniform(1.0, 1.7) * (skin.mean() + rng.uniform(0.2, 0.6) * (skin - skin.mean()))
    unit = max(face_width(points), 8.0) / 150
    hollow = cv2.GaussianBlur(hollow, (0, 0), 1.2 * unit)
    weight = np.asarray(cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 1.0 * unit), np.float32)
    return paste(image, np.clip(hollow, 0, 255).astype(np.uint8), weight).fake


def _taken_over(image: Image, goal: Points, other: Image, points: Points, rng: np.random.Generator) -> Image:
    """The lower face of the other moment laid over `image`, at `goal`, in its colours, its edge faded."""
    rows, columns = window = _window(image.shape[:2], goal)
    here = goal - np.array([columns.start, rows.start], np.float32)
    hull = np.zeros(image[window].shape[:2], np.uint8)
    if not hull.size:
        return image
    outline = np.concatenate([here[2:15], 0.5 * (here[29] + here[30])[None]])
    cv2.fillConvexPoly(hull, cv2.convexHull(np.rint(outline).astype(np.int32)), 1)
    target = image[window]
    face = warp_face(other, points, here, target.shape[:2])
    face = transfer_colours(face, target, hull > 0, "none" if rng.random() < 0.15 else "lab")
    made = image.copy()
    made[window] = paste(target, face, _faded(hull.astype(np.float32), 0.15 * face_width(goal))).fake
    return made


def _draw_side(image: Image, points: Points, most: float, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Width, height and the two interpolations of a round trip that leaves the face at a side of `_SIDES`, and at no
    more than the share `most` of its own.
    """
    width = max(face_width(points), 8.0)
    widest = most * width
    low, high = min(_SIDES[0], 0.75 * widest), min(_SIDES[1], widest)
    scale = float(np.exp(rng.uniform(np.log(low), np.log(high)))) / width
    height, across = image.shape[:2]
    return round(across * scale), round(height * scale), int(rng.integers(3)), int(rng.integers(2))


def _sharpened(image: Image, points: Points, rng: np.random.Generator) -> Image:
    """An unsharp mask as wide as the face asks for."""
    soft = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.8, 2.0)) * max(face_width(points), 40.0) / 150)
    amount = float(rng.uniform(0.3, 1.0))
    return np.asarray(cv2.addWeighted(image, 1 + amount, soft, -amount, 0), np.uint8)


def _nose(points: Points) -> float:
    return max(float(np.linalg.norm(points[33] - points[27])), 1.0)


def _draw(shares: tuple[tuple[Drawn, float], ...], rng: np.random.Generator) -> Drawn:
    weights = np.array([share for _, share in shares])
    return shares[int(rng.choice(len(shares), p=weights / weights.sum()))][0]
