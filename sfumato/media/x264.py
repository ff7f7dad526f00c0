"""What every H.264 encoder of this project is told, so that the same frames are the same bytes.

x264's AVX-512 code reads, in its plan of what later frames refer to (mb-tree), memory that nothing was written to: of
the same frames of 192 px it makes now these bytes, now those. At multiples of 128 px no other bytes were seen. Without
AVX-512 there is one result, that of processors that have none. OpenCV is asked what the processor has, so whoever
switches its optimisations off has the fault back.
"""

from __future__ import annotations

_AVX512 = 13  # cv::CpuFeatures has no names in Python


def x264_options(**options: str) -> dict[str, str]:
    """For `add_stream("libx264", options=...)`: these, and what keeps them reproducible."""
    import cv2

    if not cv2.checkHardwareSupport(_AVX512):
        return options
    return options | {"x264-params": ":".join([*filter(None, [options.get("x264-params")]), "asm=avx2"])}
