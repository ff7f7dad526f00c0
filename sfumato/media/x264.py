"""What every H.264 encoder of this project is told, so that the same frames are the same bytes.

x264's AVX-512 code reads, in its plan of what later frames refer to (mb-tree), memory that nothing was written to,
unless a frame is a multiple of 128 px wide: of the same 192 px frames it makes now these bytes, now those. Without
AVX-512 it makes one of them, that of processors that have none.
"""

from __future__ import annotations

_AVX512 = 13  # cv::CpuFeatures has no names in Python


def x264_options(**options: str) -> dict[str, str]:
    """For `add_stream("libx264", options=...)`: these, and what keeps them reproducible."""
    import cv2

    return options | ({"x264-params": "asm=avx2"} if cv2.checkHardwareSupport(_AVX512) else {})
