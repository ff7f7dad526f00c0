"""A set as DeepfakeBench reads it: frames in folders, and its JSON.

In: a job. Out, below deepfakebench/: <NAME>.json for its `preprocessing/dataset_json`; datasets/rgb/<NAME>/frames/ for
its `datasets/rgb`, a folder of numbered PNGs a video; label_dict.yaml, the lines that its `label_dict` needs. Paths in
the JSON begin with "./datasets/rgb", so they hold in DeepfakeBench's own folder, and here beside the JSON. These are
whole frames: its published figures are of crops that its `preprocessing/preprocess.py` makes.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from detector.datasets.deepfakebench import label_of, write_deepfakebench
from detector.datasets.frame_folders import as_frame_folders
from detector.datasets.sample import Sample
from sfumato.app.sets.forms.job import Job, plain_word, read_checked
from sfumato.app.sets.layout import SetRow
from sfumato.atomic import make_folder, write_text

FOLDER = "deepfakebench"
_DRAFT = re.compile(r"\.[0-9a-f]{16}")  # of frames, left by a kill


def write_bench(job: Job) -> None:
    """Cuts `job.frames` frames of every video, evenly spaced; folders that are whole are kept, each appears whole or
    not at all. Raises MediaError for a video that cannot be read, OutputError.
    """
    folder = job.out / FOLDER
    name = bench_name(job.media.facts.name)
    frames = folder / "datasets" / "rgb" / name / "frames"
    make_folder(frames)
    for entry in frames.iterdir():
        if _DRAFT.fullmatch(entry.name):
            shutil.rmtree(entry)
    samples = [_sample(job, name, row) for row in job.media.rows]
    with job.stage("Cutting frames", len(samples)) as advance:
        write_deepfakebench(
            as_frame_folders(samples, frames, job.frames, advance), folder / f"{name}.json", relative=True
        )
    methods = {f"{name}_{sample.method}" if sample.label == "fake" else f"{name}_Real" for sample in samples}
    lines = (f"  {label}: {int(label_of(label) == 'fake')}\n" for label in sorted(methods))
    write_text(folder / "label_dict.yaml", "label_dict:\n" + "".join(lines))


def bench_name(name: str) -> str:
    """A name for the JSON that is none of DeepfakeBench's own, some of which it reads in other ways."""
    return f"sfumato-{plain_word(name, 40)}"


def _sample(job: Job, dataset: str, row: SetRow) -> Sample:
    clip, source = row.clip, job.source(row)
    for _ in read_checked(source, clip.sha256):
        pass  # its frames are named by this digest
    return Sample(
        dataset=dataset, video_id=Path(job.names[clip.path]).name, path=source, label=clip.label,
        method=clip.method if clip.label == "real" else bench_method(clip.method), family=clip.family,
        identity=clip.identity, split=clip.split, sha256=clip.sha256,
    )  # fmt: skip


def bench_method(method: str) -> str:
    """The method as a part of a label: plain, of its own, and not read as real."""
    plain = plain_word(method, 40)
    if plain != method:
        plain = f"{plain}-{hashlib.sha256(method.encode()).hexdigest()[:6]}"
    return plain if label_of(plain) == "fake" else f"{plain}-fake"
