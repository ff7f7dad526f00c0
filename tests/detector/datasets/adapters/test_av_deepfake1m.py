"""AV-Deepfake1M: a faked voice is real to the eye, and only the seconds that are forged to the eye count."""

import json

import pytest

from detector.datasets.adapters import av_deepfake1m
from detector.datasets.adapters.av_deepfake1m import AVDeepfake1M
from detector.evaluation.protocol import Protocol, Scored, units
from sfumato.errors import MediaError
from tests.dataset_fixtures import by_id, tree

CLIP = "id00012/21Uxsk56VDQ/00001"


def entry(name: str, kind: str, seen=(), heard=(), clip: str = CLIP):
    return {
        "file": f"{clip}/{name}.mp4", "original": None if kind == "real" else f"{clip}/real.mp4", "split": "train",
        "modify_type": kind, "audio_model": "vits", "fake_segments": [*seen, *heard],
        "visual_fake_segments": list(seen), "audio_fake_segments": list(heard), "video_frames": 250,
        "audio_frames": 160000,
    }  # fmt: skip


TRAIN = [
    entry("real", "real"),
    entry("real_video_fake_audio", "audio_modified", seen=[[1.0, 1.5]], heard=[[1.0, 1.5]]),  # the metadata's own slip
    entry("fake_video_real_audio", "visual_modified", seen=[[3.28, 3.46], [5, 5.5]]),
    entry("fake_video_fake_audio", "both-modified", seen=[[2, 2.5]], heard=[[2, 2.5]]),
    entry("real", "real", clip="id00099/gone/00001"),
]


@pytest.fixture
def root(tmp_path):
    names = ["real", "real_video_fake_audio", "fake_video_real_audio", "fake_video_fake_audio"]
    return tree(
        tmp_path,
        {f"train/{CLIP}/{name}.mp4": name for name in names}
        | {"data/id00020/abc/00002/real.mp4": "x", "test_files.txt": "a.mp4\nb.mp4\n"}
        | {"train_metadata.json": TRAIN}
        | {"val_metadata/id00020/abc/00002/real.json": entry("real", "real", clip="id00020/abc/00002")},
    )


def test_known_answers(root) -> None:
    found = {sample.path.stem + (sample.split or ""): sample for sample in by_id("av-deepfake1m", root).values()}
    told = {key: (s.label, s.method, s.family, s.fake_segments) for key, s in found.items()}
    assert told == {
        "realtrain": ("real", "real", "real", ()),
        "real_video_fake_audiotrain": ("real", "audio_modified", "real", ()),
        "fake_video_real_audiotrain": ("fake", "visual_modified", "composite", ((3.28, 3.46), (5.0, 5.5))),
        "fake_video_fake_audiotrain": ("fake", "both_modified", "composite", ((2.0, 2.5),)),
        "realvalidation": ("real", "real", "real", ()),
    }
    fake = found["fake_video_real_audiotrain"]
    assert (fake.identity, fake.source_ids) == ("voxceleb2/id00012", ("voxceleb2/id00012/21Uxsk56VDQ",))
    assert fake.pair_of == root / "train" / CLIP / "real.mp4"


def test_verify(root) -> None:
    found = AVDeepfake1M().verify(root)
    assert found.parts == {"train": (4, 746180), "validation": (1, 57340)}
    assert found.missing == ["train/id00099/gone/00001/real.mp4"]
    assert found.notes[0] == "2 test files have no public labels, and are left out."


def test_frames_outside_the_forged_seconds_are_real(root) -> None:
    fake = next(s for s in by_id("av-deepfake1m", root).values() if s.method == "both_modified")
    item = Scored(fake, "ok", (((0.0, 0.1), (2.0, 0.9), (2.5, 0.8), (3.0, 0.2)),), faceless=2)
    assert units([item], Protocol("frame", frames=4)).labels.tolist() == [0, 1, 1, 0]
    assert units([item], Protocol("video", frames=4)).labels.tolist() == [1]
    assert set(units([item], Protocol("frame", frames=0)).labels) == {1}  # others' frames have no times


def test_a_list_larger_than_is_read_at_once(root, monkeypatch) -> None:
    whole = [sample.video_id for sample in AVDeepfake1M().samples(root)]
    for piece in (1, 7, 1000):
        monkeypatch.setattr(av_deepfake1m, "_PIECE", piece)
        assert [sample.video_id for sample in AVDeepfake1M().samples(root)] == whole


def changed(**changes):
    return [TRAIN[2] | changes]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "it is no list"),
        ("", "it is empty"),
        ("[", "Cannot read"),
        ('[{"file": "a.mp4"', "Cannot read"),
        (json.dumps([["a"]]), "is no video of AV-Deepfake1M"),
        (json.dumps(changed(modify_type="other")), "is no video of AV-Deepfake1M"),
        (json.dumps(changed(file="../../etc/x.mp4")), "leaves the folder"),
        (json.dumps(changed(file="/etc/x.mp4")), "leaves the folder"),
        (json.dumps(changed(visual_fake_segments=[[2, 1]])), "the segments of"),
        (json.dumps(changed(visual_fake_segments=[[0, "inf"]])), "the segments of"),
        (json.dumps(changed(visual_fake_segments=5)), "the segments of"),
    ],
)
def test_damaged_metadata_is_refused(root, content, message) -> None:
    (root / "train_metadata.json").write_text(content)
    with pytest.raises(MediaError, match=message):
        list(AVDeepfake1M().samples(root))


def test_nothing_there_is_no_error(tmp_path) -> None:
    found = AVDeepfake1M().verify(tmp_path)
    assert not found.complete and "labels are not known" in found.notes[0]
