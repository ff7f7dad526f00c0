"""The pictures of a person in two layers: who moves, and what stays still behind them. In: the portraits. Out: pixels
to move, and to lay them over.

What is behind the first portrait is behind every frame, whichever portrait is the nearest: a background does not jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.person.background import Background, find_background
from generator.person.portrait import Portrait

Array = NDArray[np.float32]


class Layers:
    """`apart`: whether person and background are to be told apart. Where one portrait's cannot be, none are: then all
    of a picture moves.
    """

    def __init__(self, portraits: Sequence[Portrait], *, apart: bool = True) -> None:
        self._squares = [portrait.large for portrait in portraits]
        self.size = len(self._squares[0])
        self._backgrounds: list[Background] = []
        for portrait in portraits if apart else ():
            found = find_background(portrait.large, portrait.landmarks)
            if found is None:
                self._backgrounds.clear()
                break
            self._backgrounds.append(found)
        self.backdrop = lru_cache(maxsize=2)(self._backdrop)

    @property
    def still(self) -> bool:
        """Whether the background stays where it is."""
        return bool(self._backgrounds)

    def person(self, index: int) -> Array:
        """Portrait `index`, (R, R, 4) in [-1, 1]: what moves of it, and its share (all of it, where nothing is still).

        Four channels also because OpenCV samples them faster than three.
        """
        square = self._squares[index]
        if self.still:
            return self._backgrounds[index].person(square)
        return np.asarray(cv2.cvtColor(square.astype(np.float32) / np.float32(127.5) - 1, cv2.COLOR_RGB2RGBA))

    def _backdrop(self, size: int) -> Array | None:
        """What stays still at `size` (size, size, 3) in [-1, 1]; None where nothing does."""
        return self._backgrounds[0].at(size) if self.still else None
