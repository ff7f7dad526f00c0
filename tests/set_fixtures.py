"""A small set of fakes and their twins, made on the spot by the writers that make real ones, and what a test does to
it.

Nobody is in it: a person is a cloud of colours that drifts, and a fake has another middle than its twin.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.manifests.declaration import Declaration
from provenance.signing.sign import sign_beside
from sfumato.app.fakes.makers import Take
from sfumato.app.fakes.pairs import write_fake, write_twin
from sfumato.app.sets.check.report import Check, Report
from sfumato.app.sets.decoded import DecodedFrames
from sfumato.app.sets.layout import (
    MANIFEST,
    SUMS,
    Details,
    Rights,
    SetFacts,
    SetRow,
    counts_of,
    read_set,
    set_digest,
    write_set,
)
from sfumato.media.clips import TWIN, ClipRow, Split, file_digest
from sfumato.media.images import write_image
from sfumato.media.video import GeneratedFacts, VideoReader
from tests.made_once import folder_of_all, made_once

WIDTH, HEIGHT, FRAMES, PAIRS = 128, 96, 13, 10
RECIPE_TEXT = b"name = 'clouds'\n"
RIGHTS = {"own": Rights("Nobody", "CC0-1.0", "own", "drawn for a test", "a random number", None)}
Frames = list[NDArray[np.uint8]]


def cloud(seed: int, frames: int = FRAMES) -> Frames:
    """Nobody in particular: (HEIGHT, WIDTH, 3) each."""
    rng, wide = np.random.default_rng(seed), (WIDTH + frames, HEIGHT)
    picture = np.full((HEIGHT, wide[0], 3), 128.0)
    for octave in (4, 8, 16, 32, 64):  # ever finer and fainter, as in pictures of things
        coarse = rng.normal(0, 200 / octave, (3 * octave // 4, octave, 3))
        picture += cv2.resize(coarse, wide, interpolation=cv2.INTER_CUBIC)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    return [np.ascontiguousarray(picture[:, number : number + WIDTH]) for number in range(frames)]


def real(seed: int) -> Frames:
    """A cloud whose middle is another one's."""
    return _joined(cloud(seed), cloud(seed + 500))


def forged(seed: int) -> Frames:
    """The same with the middle of a third: as sharp and as large in bytes as the real one, more or less."""
    return _joined(cloud(seed), cloud(seed + 700))


def _joined(around: Frames, middle: Frames) -> Frames:
    mask = np.zeros((HEIGHT, WIDTH, 1), np.float32)
    mask[24:72, 36:92] = 1
    mask = cv2.GaussianBlur(mask, (0, 0), 6)[:, :, None]
    pairs = zip(around, middle, strict=True)
    return [np.round(image * (1 - mask) + other * mask).astype(np.uint8) for image, other in pairs]


def make_set(folder: Path) -> Path:
    """PAIRS pairs, each of a person, a source and a driver of their own; six to train on, two each to validate and to
    test.
    """
    from provenance.signing.seal import development_signer

    signer = development_signer()
    (folder / "videos").mkdir(parents=True)
    rows = []
    for number in range(PAIRS):
        split: Split = "train" if number < PAIRS - 4 else "validation" if number < PAIRS - 2 else "test"
        portrait = folder / "portrait.png"
        write_image(portrait, real(number)[0])
        fake, twin = f"videos/{number:05d}-fake.mp4", f"videos/{number:05d}-twin.mp4"
        take = Take(real(number), forged(number), "toy", "reenact")
        digest = file_digest(portrait)
        facts = GeneratedFacts(f"clip {number}", "toy", "a" * 64, number, (), "b" * 64)
        write_fake(folder / fake, take, portrait, 23, signer, facts)
        crf = write_twin(folder / twin, take, portrait, 23, signer, facts, (folder / fake).stat().st_size)
        portrait.unlink()
        who = f"person-{number}"
        clips = (
            ClipRow(twin, "real", TWIN, "real", who, "0" * 64, split=split),
            ClipRow(
                fake, "fake", "toy", "reenact", who, "0" * 64, (f"source-{number}",), f"driver-{number}", twin, split,
                number, "a" * 64,
            ),
        )  # fmt: skip
        for clip in clips:
            given = ("toy", f"motion-{number}", f"{number:064x}") if clip.label == "fake" else (None, None, None)
            details = Details(
                clip.path, f"{number:05d}", digest, "plain", "own", WIDTH, HEIGHT, FRAMES, 25.0, "h264",
                crf if clip.label == "real" else 23, 1, "0" * 64, *given,
            )  # fmt: skip
            rows.append(SetRow(clip, details))
    return finish(folder, rows)


def finish(folder: Path, rows: Sequence[SetRow], **changes: Any) -> Path:
    """Writes a set of what lies in `folder/videos`, with digests, sums and manifest that fit. changes: of set.json."""
    from provenance.signing.seal import development_signer

    exact = [_exact(folder, row) for row in rows]
    facts = SetFacts(
        "clouds", "Clouds that drift.", "1", "CC0-1.0", hashlib.sha256(RECIPE_TEXT).hexdigest(), "sfumato test",
        {"toy": "a" * 64}, counts_of(exact), set_digest(exact),
    )  # fmt: skip
    write_set(folder, RECIPE_TEXT, dataclasses.replace(facts, **changes), RIGHTS, exact)
    sign_sums(folder)
    (folder / MANIFEST).unlink(missing_ok=True)
    sign_beside(folder / SUMS, folder / MANIFEST, Declaration("edited", "clouds"), development_signer())
    return folder


def _exact(folder: Path, row: SetRow) -> SetRow:
    """The row with what its file has."""
    file = folder / row.clip.path
    digest = file_digest(file)
    if digest == row.clip.sha256:
        return row
    decoded, frames = DecodedFrames(), 0
    with VideoReader(file) as video:
        for frame in video:
            decoded.add(frame.image)
            frames += 1
        info = video.info
    stated = {
        "bytes": file.stat().st_size, "decoded": decoded.digest(), "frames": frames, "width": info.width,
        "height": info.height, "rate": info.rate, "codec": info.codec,
    }  # fmt: skip
    clip = dataclasses.replace(row.clip, sha256=digest)
    return SetRow(clip, dataclasses.replace(row.details, **stated))


def sign_sums(folder: Path) -> None:
    """SHA256SUMS of what is there."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{file_digest(folder / name)}  {name}\n" for name in names if name not in (SUMS, MANIFEST)]
    (folder / SUMS).write_text("".join(lines))


def changed(folder: Path, change: Callable[[list[SetRow]], list[SetRow] | None]) -> Path:
    """The set with other rows, whole again: what `change` returns, or the rows that it was given."""
    rows = list(read_set(folder).rows)
    return finish(folder, change(rows) or rows)


def encode(
    source: Path, destination: Path, *, crf: int = 23, scale: float = 1.0, rate: float = 25, codec: str = "libx264",
    frames: int | None = None, sound: bool = False,
) -> Path:  # fmt: skip
    """`source` encoded anew, without its seal."""
    from tests.media_fixtures import make_video

    with VideoReader(source) as video:
        images = [frame.image for frame in video][:frames]
    height, width = (2 * round(side * scale / 2) for side in images[0].shape[:2])
    images = [cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in images]
    return make_video(
        destination, images=images, frames=len(images), width=width, height=height, rate=rate, codec=codec,
        options={"crf": str(crf)} if codec == "libx264" else {}, sound="aac" if sound else None,
    )  # fmt: skip


def strip(source: Path, destination: Path) -> Path:
    """The same packets in a file without a credential."""
    import av

    with av.open(str(source)) as read, av.open(str(destination), "w") as write:
        stream = write.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                write.mux(packet)
    return destination


def reseal(path: Path, label: str, unsealed: Path) -> None:
    """Puts `unsealed` at `path`, sealed as a clip of that label is."""
    from provenance.signing.seal import development_signer
    from provenance.signing.sign import sign_file

    edited = Declaration("edited", "clip", actions=("c2pa.transcoded",))
    kind = Declaration("generated", "clip") if label == "fake" else edited
    path.unlink(missing_ok=True)
    sign_file(unsealed, path, kind, development_signer())


def faults(report: Report) -> dict[str, list[str]]:
    """{check: kinds of its faults} of the checks that found some."""
    return {check.name: [fault.kind for fault in check.faults] for check in report.checks if check.faults}


def find(report: Report, name: str) -> Check:
    return next(check for check in report.checks if check.name == name)


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of all checks of a process: a file is decoded once."""
    return tmp_path_factory.mktemp("seen") / "seen.sqlite3"


@pytest.fixture(scope="session")
def packed_set(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> bytes:
    """A set as a tar file, made once for all processes; beside it the root of the process that signed it."""
    from provenance.pki.keys import development_keys

    def made() -> bytes:
        folder = make_set(tmp_path_factory.mktemp("made") / "set")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(folder, "set")
            archive.add(development_keys().root_certificate, "root.pem")
        return packed.getvalue()

    return made_once(folder_of_all(tmp_path_factory, pytestconfig) / "set.tar", made)


@pytest.fixture
def clouds(tmp_path: Path, packed_set: bytes) -> Path:
    """A set of one's own to spoil."""
    with tarfile.open(fileobj=io.BytesIO(packed_set)) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "set"
