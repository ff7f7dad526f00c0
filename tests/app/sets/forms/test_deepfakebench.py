"""DeepfakeBench: its shape, read back by our own reader; frames are cut once, marked where they are fake, and move
with the JSON.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from detector.datasets.deepfakebench import DeepfakeBench, label_of
from detector.inference.frames import frames_in
from sfumato.app.sets.forms.deepfakebench import bench_method, bench_name, write_bench
from sfumato.app.sets.forms.job import Job
from sfumato.errors import MediaError
from tests.set_forms_fixtures import with_clip


def listed_in(folder: Path) -> tuple[str, dict]:
    (path,) = folder.glob("*.json")
    return path.stem, json.loads(path.read_text())


def test_the_shape_is_the_documented_one(job: Job) -> None:
    write_bench(job)
    name, listed = listed_in(job.out / "deepfakebench")
    assert list(listed) == [name]  # it opens NAME.json and asks for NAME
    known = (job.out / "deepfakebench/label_dict.yaml").read_text()
    seen = 0
    for label, splits in listed[name].items():
        assert set(splits) == {"train", "val", "test"}
        assert f"  {label}: {int(label_of(label) == 'fake')}\n" in known
        for videos in splits.values():
            for entry in videos.values():  # no level of compression between: that is FaceForensics++'s alone
                assert entry["label"] == label and len(entry["frames"]) == 4
                assert all(frame.startswith(f"./datasets/rgb/{name}/frames/") for frame in entry["frames"])
                assert all(Path(frame).stem.isdigit() for frame in entry["frames"])  # it sorts by the number
                seen += 1
    assert seen == len(job.media.rows)


def test_our_reader_reads_it_where_it_was_moved_to(job: Job, tmp_path: Path) -> None:
    write_bench(job)
    shutil.move(job.out / "deepfakebench", tmp_path / "elsewhere")
    (path,) = (tmp_path / "elsewhere").glob("*.json")
    found = {sample.video_id: sample for sample in DeepfakeBench().listed(path)}
    for row in job.media.rows:
        sample = found[Path(job.names[row.clip.path]).name]
        assert (sample.label, sample.split) == (row.clip.label, row.clip.split)
        frames = frames_in(sample.path)
        assert len(frames) == 4 and tmp_path / "elsewhere" in frames[0].parents
        with Image.open(frames[0]) as image:
            assert image.size == (64, 48) and image.format == "PNG"
            assert ("trainedAlgorithmicMedia" in str(image.info)) == (row.clip.label == "fake")
    assert len({sample.path.name for sample in found.values()}) == len(found)  # it groups frames by this name


def test_frames_are_kept_and_halves_of_a_kill_go(job: Job) -> None:
    write_bench(job)
    frames = next((job.out / "deepfakebench/datasets/rgb").iterdir()) / "frames"
    before = {file: file.stat().st_mtime_ns for file in frames.rglob("*.png")}
    shutil.rmtree(sorted(frames.iterdir())[0])
    (frames / ".0123456789abcdef").mkdir()
    write_bench(job)
    after = {file: file.stat().st_mtime_ns for file in frames.rglob("*.png")}
    assert set(after) == set(before) and sum(after[file] != before[file] for file in before) == 4
    assert not [entry for entry in frames.iterdir() if entry.name.startswith(".")]


def test_a_level_of_compression_stays_out_of_it(job: Job) -> None:
    rows = [with_clip(row, compression="c23") for row in job.media.rows]
    write_bench(replace(job, media=replace(job.media, rows=rows)))
    name, listed = listed_in(job.out / "deepfakebench")
    assert all(
        "frames" in entry for splits in listed[name].values() for part in splits.values() for entry in part.values()
    )


def test_a_changed_video_is_refused(job: Job) -> None:
    rows = [with_clip(row, sha256="0" * 64) for row in job.media.rows]
    with pytest.raises(MediaError, match="not the file that the set lists"):
        write_bench(replace(job, media=replace(job.media, rows=rows)))


@pytest.mark.parametrize("method", ["swap-plain", "un-real", "The Original", "写真", "a b", "A B"])
def test_methods_are_fakes_to_it(method: str) -> None:
    assert label_of(bench_method(method)) == "fake" and bench_method(method).isascii()


def test_names_keep_apart() -> None:
    assert len({bench_method(method) for method in ("a b", "A B", "a-b", "a/b")}) == 4
    assert bench_name("FF-DF") == "sfumato-ff-df"  # its own names are read in other ways
