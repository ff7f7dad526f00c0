"""Faces of a still picture, small ones too. In: a picture of any size and shape (HWC uint8 RGB), and a detector. Out:
its faces in the picture's own pixels, the largest first.

A detector looks at 640 px: in a group photograph or a panorama a face is then a few pixels, and is missed. So a picture
over 1920 px is looked at again in tiles, at a third of its size and at steps of three between that and the first look;
there every face from SMALLEST px on is 16 px or more, which the net finds (16 of 16 in a test with faces of four people
at four places; 7 of 16 at 12 px). What the first look found stays as it is. Videos keep to the first look.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from sfumato.media.faces import DETECTION_SIDE, Box, Face, FaceDetector, Image, intersection_over_union, moved

SMALLEST = 48.0  # px of the picture: faces down to this size are looked for
_FINEST = 16 / SMALLEST  # of the picture's size
_STEP = 3.0  # between two sizes: what is 16 px in the one is 48 in the next, and fits into the overlap of its tiles
_TILE, _OVERLAP = 1024, 96  # px; a tile of that size takes 130 ms of a core or more, 12 megapixels .2 s, 150 some 6


def find_faces(image: Image, detector: FaceDetector) -> list[Face]:
    """Memory is that of the picture at a third of its size, and of one tile."""
    scales = _scales(max(image.shape[:2]))
    if not scales:
        return detector.detect(image)
    found = detector.look(image)
    for scale in scales:
        seen = [face for face in _in_tiles(image, scale, detector) if not _known(face.box, found)]
        for face in sorted(seen, key=lambda face: -face.score):
            if not _known(face.box, found):  # by another tile
                found.append(face)
    return sorted(found or detector.look(image, margin=0.3), key=lambda face: -face.box[2] * face.box[3])


def _scales(side: int) -> list[float]:
    """The further looks at a picture whose longer side is `side`, from the smallest."""
    scales = []
    scale = _FINEST
    while scale > DETECTION_SIDE / side:
        scales.append(scale)
        scale /= _STEP
    return scales[::-1]


def _in_tiles(image: Image, scale: float, detector: FaceDetector) -> Iterator[Face]:
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    level = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    back = (image.shape[1] / size[0], image.shape[0] / size[1])
    for top, bottom in _spans(size[1]):
        for left, right in _spans(size[0]):
            tile = level[top:bottom, left:right]
            for face in detector.look(tile, side=_TILE):
                x, y, width, height = face.box
                inside = (
                    (x > 0 or left == 0)
                    and (y > 0 or top == 0)
                    and (x + width < right - left or right == size[0])
                    and (y + height < bottom - top or bottom == size[1])
                )  # what a tile's border cuts, another tile shows whole
                if inside and face.size <= _OVERLAP:  # a larger one is for a smaller size
                    yield moved(face, (left, top), back)


def _spans(length: int) -> list[tuple[int, int]]:
    """As few tiles as cover `length`, all of about one size, each with at least _OVERLAP of the one before it."""
    count = max(1, -(-(length - _OVERLAP) // (_TILE - _OVERLAP)))
    size = -(-(length + (count - 1) * _OVERLAP) // count)
    starts = [round(number * (length - size) / max(1, count - 1)) for number in range(count)]
    return [(start, start + size) for start in starts]


def _known(box: Box, faces: list[Face]) -> bool:
    """Whether it is one of `faces`, or a part of one."""
    return any(intersection_over_union(box, face.box) > 0.3 or _share_inside(box, face.box) > 0.5 for face in faces)


def _share_inside(box: Box, other: Box) -> float:
    width = min(box[0] + box[2], other[0] + other[2]) - max(box[0], other[0])
    height = min(box[1] + box[3], other[1] + other[3]) - max(box[1], other[1])
    return max(0.0, width) * max(0.0, height) / max(box[2] * box[3], 1e-9)
