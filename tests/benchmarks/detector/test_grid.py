"""The robustness grid: every treatment gives a video that can be judged, of the right size, rate and loss."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.attacks.reencoding import encode
from benchmarks.detector.grid import DF1, GRID, TREATMENTS, chosen, treat
from detector.inference.frames import SampledFrames
from sfumato.errors import MediaError, UsageError
from sfumato.media.images import read_image, write_image
from sfumato.media.video import VideoReader
from tests.watermark_fixtures import encode as encode_scene
from tests.watermark_fixtures import scene

FRAMES = 5


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return encode_scene(list(scene(1, FRAMES, (144, 192))), tmp_path_factory.mktemp("clip") / "a.mp4", 10)


def frames(path):
    with VideoReader(path) as video:
        return [frame.image for frame in video]


def psnr(a, b) -> float:
    return 10 * math.log10(255**2 / max(float(np.mean((a.astype(float) - b) ** 2)), 1e-9))


def test_the_sets_are_those_of_the_protocol() -> None:
    by_set = {name: [n for n, treated in TREATMENTS.items() if treated.set_name == name] for name in (GRID, DF1)}
    assert len(by_set[DF1]) == 35
    assert len(by_set[GRID]) == 31
    assert {
        "JPEG 30",
        "crf 40",
        "half size, crf 33",
        "VP9 crf 33",
        "half the frames",
        "crf 28, resize 0.5, crf 28",
    } <= set(by_set[GRID])


@pytest.mark.parametrize("name", [n for n in TREATMENTS if not n.startswith("df1") or n.endswith(("1", "5"))])
def test_every_treatment_gives_a_video(clip, tmp_path, name: str) -> None:
    before, after = frames(clip), frames(treat(TREATMENTS[name].steps, clip, tmp_path))
    share = 0.5 if name.startswith("half size") else 0.9 if "crop" in name else 1.0
    assert after[0].shape[0] == pytest.approx(share * 144, abs=2) and after[0].shape[1] == pytest.approx(
        share * 192, abs=2
    )
    assert len(after) == (3 if name == "half the frames" else FRAMES)
    if share == 1.0:
        loss = psnr(before[0], after[0])
        assert loss > 42 if name == "near-lossless" else loss < 45


def test_heavier_compression_loses_more(clip, tmp_path) -> None:
    first = frames(clip)[0]
    losses = [psnr(first, frames(treat(TREATMENTS[f"crf {crf}"].steps, clip, tmp_path))[0]) for crf in (18, 28, 40)]
    assert losses == sorted(losses, reverse=True)


def test_a_still_stays_a_still_and_a_folder_of_frames_becomes_a_video(tmp_path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, image in enumerate(scene(2, 4, (97, 129))):
        write_image(folder / f"{number}.png", image)
    still = treat(TREATMENTS["crf 28"].steps, folder / "0.png", tmp_path)
    assert still.suffix == ".png" and read_image(still).shape == (96, 128, 3)
    assert len(list(SampledFrames(treat(TREATMENTS["crf 28"].steps, folder, tmp_path), 32))) == 4


def test_colours_of_high_definition_survive_the_encoder(tmp_path) -> None:
    image = np.full((600, 800, 3), (200, 60, 40), np.uint8)
    encode(tmp_path / "hd.mp4", [(image, 0.0)], 3, 25)
    assert np.abs(frames(tmp_path / "hd.mp4")[0][300, 300].astype(int) - (200, 60, 40)).max() <= 3


def test_names_and_sets_are_chosen_in_the_grids_order() -> None:
    assert chosen((), ("crf 40", "JPEG 90")) == ("JPEG 90", "crf 40")
    assert len(chosen()) == len(TREATMENTS) + 4
    assert chosen(("controls",), ("crf 18",)) == ("crf 18", "match-blur", "match-upscale", "writer", "portrait-crop")
    for wrong in (((), ("crf 99",)), (("none",), ())):
        with pytest.raises(UsageError):
            chosen(*wrong)


def test_what_is_no_video_is_refused(tmp_path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(MediaError):
        treat(TREATMENTS["crf 18"].steps, tmp_path / "a.mp4", tmp_path)
