"""How a face moves, in numbers: evidence that frames alone do not hold.

In: the landmarks of a face in consecutive frames, with their times. Out: one vector a track. A portrait that a network
drives moves like its driver's signal: lips at an even pace, a head that hardly turns or turns by itself, lids and brows
that follow nothing. Nothing here looks at pixels, so neither codec, size nor sharpness of a file decides.

Everything is measured in eye distances and on one clock of RATE frames a second, whatever the file's own: a rate is the
encoder's choice and says nothing about who speaks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RATE = 25.0  # frames a second that all tracks are brought to
FEWEST = 20  # of them: shorter tracks say nothing about a pace
GAP = 0.5  # seconds: how a face moved between frames that lie further apart is not known
SLOWEST = 14.0  # frames a second: between fewer, straight lines are all that would be measured
SIGNALS = ("lips", "mouth", "lids", "brows", "yaw", "pitch", "roll", "size", "x", "y")
MEASURES = ("spread", "speed", "roughness", "persistence")
TOGETHER = (("lips", "yaw"), ("lips", "pitch"), ("lips", "brows"), ("lips", "y"), ("lids", "brows"), ("yaw", "pitch"),
            ("yaw", "x"))  # fmt: skip
FEATURES = (
    *(f"{signal} {measure}" for signal in SIGNALS for measure in MEASURES),
    *(f"{first} with {second}" for first, second in TOGETHER),
    "lips widest", "lids lowest", "jitter",
)  # fmt: skip
_LEFT_EYE, _RIGHT_EYE = 36, 45  # outer corners
_STIFF = [27, 28, 29, 30, 33, 36, 39, 42, 45]  # nose and eye corners, which do not move against each other
_STILL = 1e-4  # eye distances: below it is the rounding of the landmark net
_FARTHEST = 1e6  # px: no point of a picture lies there


def motion_features(points: NDArray[np.floating], times: NDArray[np.floating]) -> Floats | None:
    """points: (T, 68, 2) px of the frame, one face in consecutive frames; times: (T,) seconds, rising; a frame whose
    time does not rise is passed over.

    Returns (len(FEATURES),), finite; None for a track shorter than FEWEST frames of RATE, with a gap longer than GAP or
    fewer frames a second than SLOWEST, for points that are none, and for a face whose eyes are not a pixel apart.
    """
    if not (np.abs(points) <= _FARTHEST).all():  # NaN is not within, either
        return None
    shapes = _on_one_clock(np.asarray(points, np.float64), np.asarray(times, np.float64))
    if len(shapes) < FEWEST:
        return None
    eyes = np.linalg.norm(shapes[:, _RIGHT_EYE] - shapes[:, _LEFT_EYE], axis=1)
    unit = float(eyes.mean())
    if unit < 1:
        return None
    middle = shapes.mean(1)
    level = _without_roll((shapes - middle[:, None]) / unit)
    signals = _signals(shapes, level, middle / unit, eyes / unit)
    found = [value for name in SIGNALS for value in _measures(signals[name])]
    found += [_together(signals[first], signals[second]) for first, second in TOGETHER]
    lids = signals["lids"]
    jitter = np.linalg.norm(np.diff(level[:, _STIFF], 2, axis=0), axis=2).mean()
    found += [
        float(np.quantile(signals["lips"], 0.9)), float(lids.min() / max(float(np.median(lids)), 1e-3)),
        float(np.log(jitter + _STILL)),
    ]  # fmt: skip
    return np.array(found, np.float64)


def _on_one_clock(points: Floats, times: Floats) -> Floats:
    """(T, 68, 2) at the file's times to (T', 68, 2) at RATE, by straight lines between neighbours; none where two of
    those are further apart than GAP, or where there are fewer a second than SLOWEST.
    """
    rising = times > np.concatenate([[-np.inf], np.maximum.accumulate(times)[:-1]])
    points, times = points[rising], times[rising]
    if len(times) < 2 or not np.diff(times).max() <= GAP or (len(times) - 1) < SLOWEST * (times[-1] - times[0]):
        return points[:0]
    clock = np.arange(times[0], times[-1] + 1e-9, 1 / RATE)
    flat = points.reshape(len(points), -1)
    return np.stack([np.interp(clock, times, column) for column in flat.T], axis=1).reshape(len(clock), 68, 2)


def _without_roll(shapes: Floats) -> Floats:
    """(T, 68, 2) centred shapes, each turned onto their mean."""
    crossed = np.einsum("tij,ik->tjk", shapes, shapes.mean(0))
    left, _, right = np.linalg.svd(crossed)
    return np.asarray(shapes @ (left @ right), np.float64)


def _signals(shapes: Floats, level: Floats, place: Floats, size: Floats) -> dict[str, Floats]:
    """{name of SIGNALS: (T,)}. shapes: (T, 68, 2) px; level: the same without place, turned onto their mean; place: (T,
    2) of the face's middle; size: (T,) from eye to eye; these three in eye distances, the mean over the track.
    """

    def apart(first: int, second: int) -> Floats:
        return np.asarray(np.linalg.norm(level[:, first] - level[:, second], axis=1), np.float64)

    corners = (level[:, _LEFT_EYE] + level[:, _RIGHT_EYE]) / 2
    across = shapes[:, _RIGHT_EYE] - shapes[:, _LEFT_EYE]
    return {
        "lips": apart(62, 66),
        "mouth": apart(48, 54),
        "lids": (apart(37, 41) + apart(38, 40) + apart(43, 47) + apart(44, 46)) / 4,
        "brows": (level[:, 19, 1] + level[:, 24, 1]) / 2 - corners[:, 1],
        "yaw": level[:, 30, 0] - corners[:, 0],
        "pitch": level[:, 30, 1] - corners[:, 1],
        "roll": np.unwrap(np.arctan2(across[:, 1], across[:, 0])),  # a face that stands on its head does not spin
        "size": size,
        "x": place[:, 0],
        "y": place[:, 1],
    }


def _measures(signal: Floats) -> tuple[float, float, float, float]:
    """signal: (T,). As MEASURES: how far it goes, how fast, how unevenly, and whether it keeps its direction; the first
    two, in units of the signal a frame of RATE, and the third are logarithms.
    """
    speed = np.diff(signal)
    pace, turns = float(np.abs(speed).mean()), float(np.abs(np.diff(speed)).mean())
    centred = speed - speed.mean()
    power = float((centred**2).sum())
    return (
        float(np.log(signal.std() + _STILL)), float(np.log(pace + _STILL)),
        float(np.log(turns + _STILL) - np.log(pace + _STILL)),
        float((centred[1:] * centred[:-1]).sum()) / power if power > 1e-12 else 0.0,
    )  # fmt: skip


def _together(first: Floats, second: Floats) -> float:
    """Whether two signals, (T,) each, move at the same time: the correlation of their speeds, in [-1, 1]."""
    one, other = np.abs(np.diff(first)), np.abs(np.diff(second))
    spread = float(one.std() * other.std())
    return float(((one - one.mean()) * (other - other.mean())).mean()) / spread if spread > 1e-12 else 0.0
