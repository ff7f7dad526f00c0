"""Nobody is told that sfumato runs. In: nothing. Out: libraries that keep to this machine, in this process and in those
that it starts.

Some libraries report their use to their makers unless they are told not to. ONNX Runtime then keeps a device number
below the home folder and sends what networks it runs; OpenVINO does so as soon as it is imported. What they read, they
read when they are imported, so `sfumato` says it before anything else is: every module of ours imports that package,
in workers too.
"""

from __future__ import annotations

import os
import sys

_VARIABLES = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime from 1.25 on
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, which timm brings
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray, where this program starts one
    "DO_NOT_TRACK": "1",  # others that ask for it
}
# OpenVINO has no variable, but a stand-in that does nothing for where this package is missing. None says: missing.
_MISSED = "openvino_telemetry"


def turn_off_telemetry() -> None:
    """To be called before any library is imported; children inherit the variables and call it themselves."""
    os.environ.update(_VARIABLES)
    sys.modules.setdefault(_MISSED, None)  # type: ignore[arg-type]
