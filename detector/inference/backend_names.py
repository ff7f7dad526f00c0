"""The names of what can run an exported detector, and where each is found. Light: commands read it for their options.

In: nothing. Out: the registry of detector backends, which loads one only on use, and the default.
"""

from __future__ import annotations

from sfumato.registry import Registry

DEFAULT = "onnxruntime"
REGISTRY = Registry(
    "detector backend",
    {
        "onnxruntime": "detector.inference.backends:OnnxScorer",
        "openvino": "detector.inference.backends:OpenVinoScorer",
        "openvino-bf16": "detector.inference.backends:OpenVinoHalfScorer",
    },
)


def listed() -> str:
    """The names as a sentence lists them: "a, b or c"."""
    *others, last = REGISTRY.names()
    return f"{', '.join(others)} or {last}"
