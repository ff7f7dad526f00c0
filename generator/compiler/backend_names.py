"""The names of what can run a generator, and where each is found. Light: commands read it for their options.

In: nothing. Out: the registry of backends, which loads one only on use, and its names in the order in which they are
told and measured.
"""

from __future__ import annotations

from sfumato.registry import Registry

_ENTRIES = {
    "torch": "generator.compiler.backends:TorchBackend",
    "onnxruntime": "generator.compiler.backends:OnnxRuntimeBackend",
    "openvino": "generator.compiler.backends:OpenVinoBackend",
    "openvino-bf16": "generator.compiler.backends:OpenVinoHalfBackend",
    "openvino-int8": "generator.compiler.backends:OpenVinoByteBackend",
}
REGISTRY = Registry("backend", _ENTRIES)
NAMES = tuple(_ENTRIES)
