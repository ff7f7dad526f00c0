"""The robustness grid: names of treatments in, treated copies of whole videos out, before anybody has looked for a face
in them.

Two sets: `grid`, what uploads and editors do, and `df1`, the seven distortions of DeeperForensics-1.0 at its five
levels. What is no codec is written at crf 3, near enough to lossless; "near-lossless" is that alone. A still picture is
a video of one frame and is written as PNG again, so that it stays what it was to the detector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.attacks import distortions as d
from benchmarks.attacks.reencoding import crop_tenth, encode, half_size
from sfumato.errors import MediaError, UsageError

NEAR_LOSSLESS = 3  # crf: about 50 dB, ten times the size of crf 23
GRID, DF1, CONTROL_SET = "grid", "df1", "controls"
CONTROLS = ("match-blur", "match-upscale", "writer", "portrait-crop")  # what benchmarks/detector/controls.py does


@dataclass(frozen=True)
class Step:
    """`change` of the frames, then an encoder. preset: x264's; medium for what is judged as H.264, the fastest for what
    is not.
    """

    change: d.Change = d.even
    crf: int = NEAR_LOSSLESS
    codec: str = "libx264"

    @property
    def options(self) -> dict[str, str]:
        """Of the encoder."""
        if self.codec == "libvpx-vp9":
            return {"crf": str(self.crf), "b": "0", "deadline": "good", "cpu-used": "4"}
        return {"crf": str(self.crf), "preset": "veryfast" if self.crf == NEAR_LOSSLESS else "medium"}


@dataclass(frozen=True)
class Treated:
    """A treatment: its steps one after the other, each through a file."""

    set_name: str
    steps: tuple[Step, ...]


def _grid() -> dict[str, tuple[Step, ...]]:
    pictures = {
        **{f"JPEG {q}": d.each(partial(d.jpeg, quality=q)) for q in (90, 70, 50, 30)},
        **{f"resize {share:g}": d.each(d.scaled(share)) for share in (0.75, 0.5, 0.25)},
        **{f"blur {sigma}": d.each(d.blurred(sigma)) for sigma in (1, 2, 3)},
        **{f"noise {sigma}": d.each_numbered(d.noisy(sigma)) for sigma in (5, 10, 20)},
        "brightness -40": d.each(d.brightness(-40)),
        "brightness +40": d.each(d.brightness(40)),
        "contrast 0.6": d.each(d.contrast(0.6)),
        "contrast 1.5": d.each(d.contrast(1.5)),
        "saturation 0": d.each(d.saturation(0)),
        "saturation 1.6": d.each(d.saturation(1.6)),
        "10 % crop": crop_tenth,
        "half the frames": d.every_second,
        "overlay": d.each(d.overlaid),
    }
    found: dict[str, tuple[Step, ...]] = {
        "near-lossless": (Step(),),
        **{name: (Step(change),) for name, change in pictures.items()},
    }
    found |= {f"crf {crf}": (Step(crf=crf),) for crf in (18, 23, 28, 35, 40)}
    found["half size, crf 33"] = (Step(half_size, 33),)
    found["VP9 crf 33"] = (Step(crf=33, codec="libvpx-vp9"),)
    found["crf 28, resize 0.5, crf 28"] = (Step(crf=28), Step(d.each(d.scaled(0.5)), 28))
    return found


def _df1() -> dict[str, tuple[Step, ...]]:
    """Levels 1 to 5, from light to heavy."""
    kinds: dict[str, list[Step]] = {
        "CS": [Step(d.each(d.df1_saturation(factor))) for factor in (0.4, 0.3, 0.2, 0.1, 0.0)],
        "CC": [Step(d.each(d.df1_contrast(factor))) for factor in (0.85, 0.725, 0.6, 0.475, 0.35)],
        "BW": [Step(d.each_numbered(d.df1_blocks(count))) for count in (16, 32, 48, 64, 80)],
        "GNC": [Step(d.each_numbered(d.df1_noise(variance))) for variance in (0.001, 0.002, 0.005, 0.01, 0.05)],
        "GB": [Step(d.each(d.df1_blur(window))) for window in (7, 9, 13, 17, 21)],
        "JPEG": [Step(d.each(d.df1_pixelation(factor))) for factor in (2, 3, 4, 5, 6)],
        "VC": [Step(crf=crf) for crf in (30, 32, 35, 38, 40)],
    }
    return {f"df1:{kind} {level}": (step,) for kind, steps in kinds.items() for level, step in enumerate(steps, 1)}


TREATMENTS: Mapping[str, Treated] = {
    **{name: Treated(GRID, steps) for name, steps in _grid().items()},
    **{name: Treated(DF1, steps) for name, steps in _df1().items()},
}


def treat(steps: tuple[Step, ...], source: Path, folder: Path) -> Path:
    """`source`, a video, a folder of frames or a still picture, after `steps`; the file lies in `folder`.

    Streams: a frame at a time is held. Raises MediaError for a source that cannot be read or a frame too small for the
    encoder.
    """
    from sfumato.execution.find_files import is_picture

    current = source
    for number, step in enumerate(steps):
        destination = folder / f"treated-{number}.{'mkv' if step.codec == 'libvpx-vp9' else 'mp4'}"
        _apply(step, current, destination)
        current = destination
    return first_frame(current, folder / "treated.png") if is_picture(source) else current


def chosen(sets: tuple[str, ...] = (), names: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Treatments of these sets and names, in the grid's order; all without either. Raises UsageError for a name that is
    none.
    """
    known = {
        **{name: treatment.set_name for name, treatment in TREATMENTS.items()},
        **dict.fromkeys(CONTROLS, CONTROL_SET),
    }
    if odd := [name for name in names if name not in known]:
        raise UsageError(f"There is no treatment {odd[0]!r}", f"There are: {', '.join(known)}.")
    if odd := [name for name in sets if name not in known.values()]:
        raise UsageError(f"There is no set {odd[0]!r}", f"There are: {', '.join(dict.fromkeys(known.values()))}.")
    return tuple(name for name, group in known.items() if (not sets and not names) or group in sets or name in names)


def frames_of(source: Path) -> Any:
    """(frames and times, frames a second) of whatever the detector can judge. Raises MediaError."""
    from detector.inference.frames import SampledFrames
    from sfumato.execution.find_files import is_picture

    if source.is_dir() or is_picture(source):
        every = SampledFrames(source, 1 << 30)
        return ((frame.image, frame.time / 25 if source.is_dir() else 0.0) for frame in every), 25.0
    from sfumato.media.video import VideoReader

    with VideoReader(source) as video:
        rate = video.info.rate

    def read() -> Any:
        with VideoReader(source) as video:
            for frame in video:
                yield frame.image, frame.time

    return read(), rate or 25.0


def _apply(step: Step, source: Path, destination: Path) -> None:
    import av

    frames, rate = frames_of(source)
    try:
        encode(destination, d.even(step.change(d.even(frames))), step.crf, rate, step.codec, step.options)
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(f"{source} cannot be encoded again: {error}", "Its frames may be too small.") from error


def first_frame(video: Path, picture: Path) -> Path:
    """The first frame of `video`, written to `picture`."""
    from sfumato.media.images import write_image
    from sfumato.media.video import VideoReader

    with VideoReader(video) as frames:
        write_image(picture, next(iter(frames)).image)
    return picture
