"""Videos as folders of frames, for programs that read no videos.

In: samples, among them videos and pictures. Out: the same samples, each a folder of PNGs named by their place in the
video. A folder is called by the content of its file, so what is cut already is kept, and a file that changed is cut
anew. Frames of fakes say of themselves that an algorithm made them (XMP, IPTC DigitalSourceType): the seal of the video
does not come along.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.datasets.sample import Sample, content_digest
from detector.inference.frames import SampledFrames
from sfumato.errors import MediaError, OutputError

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def as_frame_folders(
    samples: Iterable[Sample], folder: Path, count: int, advance: Callable[[float], None] = lambda amount: None
) -> Iterator[Sample]:
    """Every sample as a folder of about `count` evenly spaced frames below `folder`; one that is a folder stays as it
    is. Raises MediaError for a file that cannot be read, OutputError for a folder that cannot be written.
    """
    for sample in samples:
        yield sample if sample.path.is_dir() else replace(sample, path=_cut(sample, folder, count))
        advance(1)


def _cut(sample: Sample, folder: Path, count: int) -> Path:
    """The folder of its frames: whole, or not there."""
    digest = sample.sha256 or content_digest(sample.path)
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", sample.path.stem)[:80]  # other programs read it, on other systems
    made = folder / f"{name}-{digest[:16]}-{count}"
    if made.is_dir():
        return made
    draft = folder / f".{secrets.token_hex(8)}"
    try:
        draft.mkdir(parents=True)
        frames = SampledFrames(sample.path, count)
        for frame in frames:
            _write(draft / f"{frame.index:06d}.png", frame.image, generated=sample.label == "fake")
        if not frames.sampled:
            raise MediaError(f"{sample.path} has no frame that can be decoded", "Take it out of the list.")
        draft.rename(made)
    except OSError as error:
        raise OutputError(f"Cannot write {made}: {error.strerror or error}", "Choose another folder.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def _write(path: Path, image: NDArray[np.uint8], generated: bool) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    information = PngInfo()
    if generated:
        information.add_itxt("XML:com.adobe.xmp", XMP)
    Image.fromarray(image).save(path, format="PNG", pnginfo=information)
