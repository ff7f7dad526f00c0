"""Identity: SFace (Apache-2.0) as a torch module through which gradients flow, and the alignment it was trained with.

The vendored ONNX file stores 8-bit blocks. They are unpacked here into an ordinary chain of torch layers, because the
identity loss needs gradients and CSIM needs the same network.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sfumato.errors import MissingPartError

SIDE = 112
DIMENSIONS = 128
# Where ArcFace-type networks expect eyes, nose and mouth corners in a 112 x 112 picture.
_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)


class SFace(nn.Module):
    """Face recognition: 128 numbers a face; the cosine of two of them is CSIM."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_layers())
        self.requires_grad_(False).eval()

    def forward(self, faces: Tensor) -> Tensor:
        """faces: (B, 3, 112, 112) aligned, RGB in [-1, 1]. Returns (B, 128) unit vectors; differentiable in `faces`."""
        features: Tensor = self.layers(faces * (127.5 / 128))  # the net's own scale: (0..255 - 127.5) / 128
        return nn.functional.normalize(features, dim=1)


def sface_file() -> Path:
    """Where its weights lie."""
    return Path(str(files("sfumato.media") / "models" / "face_recognition_sface_2021dec_int8bq.onnx"))


@cache
def sface() -> SFace:
    """The one shared, frozen copy on the CPU; a copy of it is made in a thirtieth of the time that unpacking takes. No
    random number is drawn for it, whoever asks first.
    """
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        return SFace()


def five_points(landmarks: NDArray[Any]) -> NDArray[np.float32]:
    """(68, 2) landmarks to the five ArcFace points (5, 2): eye centres, nose tip, mouth corners."""
    points = np.asarray(landmarks, np.float32)
    return np.stack([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])


def alignment(landmarks: NDArray[Any]) -> NDArray[np.float64]:
    """The similarity (2, 3) that maps pixels of the picture with these (68, 2) landmarks onto the 112 px template."""
    return similarity(five_points(landmarks), _TEMPLATE)


def similarity(source: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
    """Least-squares rotation, scale and shift (2, 3) from `source` to `target` points (N, 2), without mirroring
    (Umeyama 1991).
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    a, b = source - source.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    d = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * d) @ vt
    scale = float((s * d).sum() / max((a**2).sum(), 1e-9))
    return np.hstack([scale * rotation, (target.mean(0) - scale * rotation @ source.mean(0))[:, None]])


def align(image: NDArray[np.uint8], landmarks: NDArray[Any]) -> NDArray[np.uint8]:
    """image: HWC uint8 RGB, landmarks (68, 2) px in it. Returns the aligned (112, 112, 3) face."""
    matrix = alignment(landmarks)
    shrink = float(np.hypot(matrix[0, 0], matrix[0, 1]))
    if shrink < 0.5:  # anti-alias before a strong reduction
        factor = 2 * shrink
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        matrix = np.hstack([matrix[:, :2] / factor, matrix[:, 2:]])
    return cv2.warpAffine(image, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101)  # type: ignore[return-value]


def alignment_grid(landmarks: Tensor, height: int, width: int) -> Tensor:
    """Sampling grid (B, 112, 112, 2) for `grid_sample` that aligns pictures of (height, width) with landmarks (B, 68,
    2) px.
    """
    grids = []
    ys, xs = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    for points in landmarks.detach().cpu().numpy():
        inverse = cv2.invertAffineTransform(alignment(points))
        x = inverse[0, 0] * xs + inverse[0, 1] * ys + inverse[0, 2]
        y = inverse[1, 0] * xs + inverse[1, 1] * ys + inverse[1, 2]
        grids.append(np.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], axis=-1))
    return torch.from_numpy(np.stack(grids).astype(np.float32)).to(landmarks.device)  # (B, 112, 112, 2)


def embed_image(image: NDArray[np.uint8], landmarks: NDArray[Any]) -> NDArray[np.float32]:
    """image: HWC uint8 RGB, landmarks (68, 2) px. Returns the identity (128,), a unit vector."""
    face = align(image, landmarks).astype(np.float32) / 127.5 - 1
    with torch.inference_mode():
        identity: NDArray[np.float32] = sface()(torch.from_numpy(face.transpose(2, 0, 1)[None]))[0].numpy()
    return identity


def _layers() -> list[nn.Module]:
    """Unpacks the file: a chain of Conv, BatchNormalization, PRelu, and one Gemm (stored as 8-bit blocks with
    scales).
    """
    import onnx
    from onnx import numpy_helper

    try:
        graph = onnx.load(str(sface_file())).graph
    except FileNotFoundError as error:
        raise MissingPartError("The identity network is missing from the installation", "Reinstall sfumato.") from error
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    layers: list[nn.Module] = []
    for node in graph.node:
        options = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        inputs = node.input
        if node.op_type == "DequantizeLinear":
            values[node.output[0]] = _dequantize(values, inputs, options)
        elif node.op_type == "Constant":
            values[node.output[0]] = numpy_helper.to_array(options["value"])
        elif node.op_type == "Reshape":  # parameters are stored flat; only they are reshaped
            values[node.output[0]] = values[inputs[0]].reshape(values[inputs[1]])
        elif node.op_type == "Conv":
            layers.append(_convolution(values[inputs[1]], options))
        elif node.op_type == "BatchNormalization":
            flat = any(isinstance(layer, nn.Linear) for layer in layers)
            layers.append(_norm([values[name] for name in inputs[1:5]], float(options["epsilon"]), flat))
        elif node.op_type == "PRelu":
            layers.append(_prelu(values[inputs[1]]))
        elif node.op_type == "Flatten":
            layers.append(nn.Flatten())
        elif node.op_type == "Gemm":
            layers.append(_linear(values[inputs[1]], values[inputs[2]]))
    return _fused(layers)


def _fused(layers: list[nn.Module]) -> list[nn.Module]:
    """Folds each norm into the convolution before it: the same numbers, a third less time."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    result: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d) and result and isinstance(result[-1], nn.Conv2d):
            result[-1] = fuse_conv_bn_eval(result[-1].eval(), layer.eval())
        else:
            result.append(layer)
    return result


def _dequantize(values: dict[str, NDArray[Any]], inputs: Any, options: dict[str, Any]) -> NDArray[np.float32]:
    quantised, scale, zero = (values[name] for name in inputs)
    axis, block = int(options.get("axis", 1)), int(options.get("block_size", 0))
    if block:
        count = quantised.shape[axis]
        scale, zero = (np.repeat(v, block, axis=axis).take(range(count), axis=axis) for v in (scale, zero))
    elif scale.ndim == 1:
        shape = [-1 if i == axis else 1 for i in range(quantised.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return np.asarray((quantised.astype(np.float32) - zero.astype(np.float32)) * scale, np.float32)


def _convolution(weight: NDArray[Any], options: dict[str, Any]) -> nn.Conv2d:
    groups, pads = int(options.get("group", 1)), options.get("pads", [0, 0, 0, 0])
    strides, kernel = options.get("strides", [1, 1]), (weight.shape[2], weight.shape[3])
    padding = (pads[0], pads[1])
    layer = nn.Conv2d(
        weight.shape[1] * groups, weight.shape[0], kernel, tuple(strides), padding, groups=groups, bias=False
    )
    layer.weight.data = torch.from_numpy(np.array(weight, np.float32))
    return layer


def _norm(parameters: list[NDArray[Any]], epsilon: float, flat: bool) -> nn.Module:
    gamma, beta, mean, variance = (torch.from_numpy(np.array(p, np.float32)) for p in parameters)
    layer: nn.BatchNorm1d | nn.BatchNorm2d = (nn.BatchNorm1d if flat else nn.BatchNorm2d)(len(gamma), eps=epsilon)
    layer.weight.data, layer.bias.data = gamma, beta
    layer.running_mean, layer.running_var = mean, variance
    return layer


def _prelu(slope: NDArray[Any]) -> nn.PReLU:
    layer = nn.PReLU(slope.size)
    layer.weight.data = torch.from_numpy(np.array(slope, np.float32).reshape(-1))
    return layer


def _linear(weight: NDArray[Any], bias: NDArray[Any]) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data = torch.from_numpy(np.array(weight, np.float32))
    layer.bias.data = torch.from_numpy(np.array(bias, np.float32).reshape(-1))
    return layer
