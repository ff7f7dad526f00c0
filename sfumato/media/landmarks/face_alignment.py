"""The paper's landmarks: face-alignment's FAN (BSD-3), 68 points, from weights on disk or, when allowed, downloaded.

The library fetches its weights to $TORCH_HOME/hub/checkpoints when they are missing. Nothing is fetched here unless
`download=True`; a missing file is an error that says what to do.
"""

from __future__ import annotations

import os
import pickle
import urllib.error
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sfumato.errors import MissingPartError, NoFaceError
from sfumato.media.faces import detector_file

WEIGHTS_NAME = "2DFAN4-11f355bf06.pth.tar"
WEIGHTS_URL = f"https://www.adrianbulat.com/downloads/python-fan/{WEIGHTS_NAME}"


def weights_path() -> Path:
    """Where face-alignment looks for FAN's weights on this machine."""
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS_NAME


class FaceAlignmentLandmarks:
    """FAN on boxes that our own detector found. `download`: may the library fetch its 96 MB of weights?"""

    name = "face-alignment"

    def __init__(self, device: str = "cpu", download: bool | None = None) -> None:
        """Raises MissingPartError when the weights are neither on disk nor may (or can) be downloaded."""
        allowed = os.environ.get("SFUMATO_DOWNLOAD") == "1" if download is None else download
        if not weights_path().exists() and not allowed:
            raise MissingPartError("The landmark backend 'face-alignment' has no weights on this machine", _ADVICE)
        import face_alignment

        detector = str(detector_file())
        try:
            self._aligner = face_alignment.FaceAlignment(
                face_alignment.LandmarksType.TWO_D,
                device=device,
                flip_input=False,
                compile=False,
                face_detector="yunet",  # never asked to detect; it tells FAN how YuNet's boxes relate to its own scale
                face_detector_kwargs={"path_to_detector": detector},
            )
        except (urllib.error.URLError, OSError) as error:
            raise MissingPartError(f"The weights of 'face-alignment' cannot be downloaded: {error}", _ADVICE) from error
        except (RuntimeError, EOFError, pickle.UnpicklingError, KeyError, AttributeError, TypeError) as error:
            cause = (str(error).splitlines() or [type(error).__name__])[0][:120]
            raise MissingPartError(
                f"{weights_path()} does not hold the weights of 'face-alignment': {cause}", _ADVICE
            ) from error

    def detect(self, image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.float32]:
        """image: HWC uint8 RGB; box: (x, y, width, height) px. Returns (68, 2) px. Raises NoFaceError if FAN finds
        none.
        """
        x, y, width, height = box
        found: list[Any] | None = self._aligner.get_landmarks_from_image(
            image, detected_faces=[[x, y, x + width, y + height, 1.0]]
        )
        if not found:
            raise NoFaceError(
                "face-alignment found no landmarks in the face box", "Use a clearer picture, or --landmarks mesh."
            )
        return np.asarray(found[0][:, :2], np.float32)


_ADVICE = (
    f"Put {WEIGHTS_NAME} (from {WEIGHTS_URL}) into $TORCH_HOME/hub/checkpoints, "
    "set SFUMATO_DOWNLOAD=1 to allow the download, or use --landmarks mesh."
)
