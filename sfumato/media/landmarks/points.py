"""The 68 points of a face as 300-W numbers them, from the left of the picture to the right: jaw 0 to 16, brows 17 to
26, nose 27 to 35, eyes 36 to 47, outer lips 48 to 59, inner lips 60 to 67.
"""

import numpy as np

MIRROR = np.array(
    [
        *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37,
        36, 41, 40,
        *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
    ]
)  # fmt: skip
"""(68,): each point's counterpart. Of a mirrored picture, `points[MIRROR]` are numbered as ever."""
