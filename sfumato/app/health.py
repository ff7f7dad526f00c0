"""What works on this machine: every part is tried, none is believed. In: nothing. Out: findings with advice, for
`sfumato doctor`.

A part counts by what it can do (a codec encodes, a net loads, a weights file opens), not by its version. Nothing is
written, downloaded or made, except one temporary file that is removed again.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import io
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from sfumato.errors import MissingPartError, SfumatoError, install_extra
from sfumato.media.x264 import x264_options
from sfumato.version import __version__

State = Literal["ok", "missing", "broken"]
REINSTALL = "Install sfumato again: its packaged files are incomplete."


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `required`: without it a default command fails; otherwise only what the advice names
    does.
    """

    group: str
    name: str
    state: State
    detail: str
    advice: str = ""
    required: bool = True

    @property
    def spoils(self) -> bool:
        return self.required and self.state != "ok"


# Distribution to import name, where they differ.
_MODULES = {"c2pa-python": "c2pa", "opencv-python": "cv2", "pillow": "PIL", "scikit-learn": "sklearn"}
_LOOKED_UP = {  # and not imported, which takes seconds ...
    "timm",
    "face_alignment",
    "sklearn",
    "torchmetrics",
    "onnxscript",
    "ray",  # ... or tries a socket
    "s3fs",
}


def examine() -> Iterator[Finding]:
    """Yields one finding after another. A check that fails in an unforeseen way becomes a finding itself; nothing is
    raised.
    """
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("python", _python),
        ("packages", _packages),
        ("devices", _devices),
        ("codecs", _codecs),
        ("nets", _nets),
        ("landmarks", _landmarks),
        ("backends", _backends),
        ("shipped", _shipped),
        ("folders", _folders),
        ("signing", _signing),
    ]
    for group, check in checks:
        try:
            yield from check()
        except Exception as error:  # whatever it is, the other checks still have something to say
            yield Finding(
                group, group, "broken", f"{type(error).__name__}: {error}", getattr(error, "advice", "") or REINSTALL
            )


def _python() -> Iterator[Finding]:
    fine = sys.version_info >= (3, 11)
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding("python", "python", "ok" if fine else "broken", detail, "" if fine else "Use Python 3.11 or later.")
    yield Finding("python", "sfumato", "ok", __version__)


def _packages() -> Iterator[Finding]:
    try:
        requirements = importlib.metadata.requires("sfumato") or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding("packages", "sfumato", "broken", "runs from a folder, is not installed", "Run: pip install -e .")
        return
    for requirement in requirements:
        match = re.match(r"([A-Za-z0-9._-]+)(?:.*?>=\s*([0-9.]+))?", requirement)
        extra = re.search(r"extra\s*==\s*['\"](\w+)['\"]", requirement)
        if match is None or (extra is not None and extra.group(1) == "dev"):
            continue
        yield _package(match.group(1), match.group(2) or "0", extra.group(1) if extra else None)


def _package(distribution: str, least: str, extra: str | None) -> Finding:
    module = _MODULES.get(distribution, distribution.replace("-", "_"))
    advice = install_extra(extra) if extra else f"Run: pip install '{distribution}>={least}'"
    required = extra is None
    if importlib.util.find_spec(module) is None:
        return Finding("packages", distribution, "missing", "not installed", advice, required)
    version = _version_of(distribution)
    if version and _numbers(version) < _numbers(least):
        return Finding("packages", distribution, "broken", f"{version} is older than {least}", advice, required)
    if module not in _LOOKED_UP:
        try:
            importlib.import_module(module)
        except Exception as error:  # a native library fails in many ways
            if module == "cv2":
                advice = "Install libgl1 and libglib2.0-0, or put opencv-python-headless in the place of opencv-python."
            if module == "torchvision":
                advice = "torch and torchvision must match: run pip install --upgrade torch torchvision."
            return Finding(
                "packages", distribution, "broken", f"{version or '?'}: {_first_line(error)}", advice, required
            )
    return Finding("packages", distribution, "ok", version or "installed under another name", "", required)


def _devices() -> Iterator[Finding]:
    import torch

    yield Finding("devices", "cpu", "ok", f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()} threads")
    if torch.cuda.is_available():
        torch.empty(1, device="cuda")
        yield Finding("devices", "gpu", "ok", torch.cuda.get_device_name(0), "", False)
    else:
        yield Finding(
            "devices", "gpu", "missing", "no CUDA device", "Everything works without; training takes longer.", False
        )


def _codecs() -> Iterator[Finding]:
    import av
    import numpy as np

    advice = "Run: pip install --force-reinstall av"
    buffer = io.BytesIO()
    try:
        with av.open(buffer, "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=25, options=x264_options(preset="ultrafast"))
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            for index in range(8):
                picture = np.full((64, 64, 3), index * 30, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    except (OSError, ValueError, av.FFmpegError) as error:
        yield Finding("codecs", "H.264 encode (libx264)", "broken", _first_line(error), advice)
        return
    yield Finding("codecs", "H.264 encode (libx264)", "ok", f"8 frames in {buffer.tell()} bytes")
    buffer.seek(0)
    with av.open(buffer, "r") as source:
        decoded = len(list(source.decode(video=0)))
    yield Finding(
        "codecs",
        "H.264 decode",
        "ok" if decoded == 8 else "broken",
        f"{decoded} of 8 frames",
        "" if decoded == 8 else advice,
    )


def _nets() -> Iterator[Finding]:
    folder = Path(str(files("sfumato.media") / "models"))
    for line in (folder / "SHA256SUMS").read_text(encoding="ascii").splitlines():
        expected, name = line.split()
        path = folder / name
        if not path.is_file():
            yield Finding("nets", name, "missing", str(path), REINSTALL)
            continue
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        same = digest == expected
        yield Finding("nets", name, "ok" if same else "broken", f"sha256 {digest[:12]}", "" if same else REINSTALL)


def _landmarks() -> Iterator[Finding]:
    from sfumato.media.landmarks import REGISTRY, load_backend

    for name in REGISTRY.names():
        required = name == "mesh"  # the default; every other one is a choice
        try:
            load_backend(name, **({"download": False} if name == "face-alignment" else {}))
        except SfumatoError as error:
            yield Finding("landmarks", name, "missing", error.message, error.advice, required)
        except Exception as error:  # a damaged weights file fails inside the library that reads it
            yield Finding(
                "landmarks", name, "broken", _first_line(error), "" if required else "Use --landmarks mesh.", required
            )
        else:
            yield Finding("landmarks", name, "ok", "loads", "", required)


def _backends() -> Iterator[Finding]:
    from generator.compiler.backend_names import REGISTRY
    from generator.compiler.backends import fastest, require_backend

    chosen = fastest()
    for name in REGISTRY.names():
        required = name == chosen
        try:
            require_backend(name)
        except MissingPartError as error:
            yield Finding("backends", name, "missing", error.message, error.advice, required)
        except SfumatoError as error:
            yield Finding("backends", name, "broken", error.message, error.advice or REINSTALL, required)
        else:
            detail = "computes right" + (", what --backend auto takes" if required else "")
            yield Finding("backends", name, "ok", detail, "", required)


def _shipped() -> Iterator[Finding]:
    from sfumato.execution.find_files import PICTURES
    from sfumato.media.images import read_image

    kinds: list[tuple[str, str, dict[str, Callable[[Path], object]]]] = [
        ("generator", "weights", {".safetensors": _open_checkpoint}),
        ("generator", "motions", {".motion": _open_motion}),
        ("detector", "weights", {".onnx": _open_detector}),
        ("sfumato.app.animation", "portraits", dict.fromkeys(sorted(PICTURES), read_image)),
    ]
    for package, folder, readers in kinds:
        place = Path(str(files(package) / folder))
        found = [path for path in sorted(place.glob("*")) if path.suffix in readers]
        for path in found:
            name = f"{package}/{folder}/{path.name}"
            try:
                readers[path.suffix](path)
            except Exception as error:  # damaged files fail in as many ways as there are readers
                yield Finding("shipped", name, "broken", _first_line(error), REINSTALL)
            else:
                yield Finding("shipped", name, "ok", f"{path.stat().st_size / 1e6:.2f} MB")
        if not found:
            yield Finding(
                "shipped", f"{package}/{folder}", "missing", f"no {' or '.join(readers)} in {place}", REINSTALL
            )


def _folders() -> Iterator[Finding]:
    advice = "Set TMPDIR to a folder you may write to."
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        yield Finding("folders", "temporary folder", "broken", f"{error.strerror}", advice)
        return
    yield Finding("folders", "temporary folder", "ok", tempfile.gettempdir())


def _signing() -> Iterator[Finding]:
    from provenance.pki.keys import development_keys, key_folder

    folder = key_folder()
    if (folder / "development").exists():
        try:
            development_keys()
        except SfumatoError as error:
            yield Finding("signing", "development keys", "broken", error.message, error.advice)
        else:
            yield Finding("signing", "development keys", "ok", str(folder))
        return
    nearest = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        yield Finding("signing", "development keys", "ok", f"made on first use, in {folder}")
    else:
        advice = "Set SFUMATO_KEYS to a folder you may write to."
        yield Finding("signing", "development keys", "broken", f"cannot be made in {folder}", advice)


def _open_checkpoint(path: Path) -> None:
    from generator.networks.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(path)
    checkpoint.require(checkpoint.landmarks)  # the crop it was trained with must be the one that this version cuts


def _open_detector(path: Path) -> None:
    from detector.inference.bundle import load_shipped

    load_shipped(path.parent)


def _open_motion(path: Path) -> None:
    from generator.motion.track import read_motion

    read_motion(path)


def _version_of(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.split("+")[0])[:3])


def _first_line(error: Any) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
