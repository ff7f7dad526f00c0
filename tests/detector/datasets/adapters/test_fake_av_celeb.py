"""FakeAVCeleb: a faked voice over a real picture is real to a detector that sees no sound."""

import pytest

from detector.datasets.adapters.fake_av_celeb import FakeAVCeleb
from tests.dataset_fixtures import by_id, tree

META = """source,target1,target2,method,category,type,race,gender,path,
id1,-,-,real,A,RealVideo-RealAudio,African,men,00109.mp4,FakeAVCeleb/RealVideo-RealAudio/African/men/id1
id1,-,-,rtvc,B,RealVideo-FakeAudio,African,men,00109_fake.mp4,FakeAVCeleb/RealVideo-FakeAudio/African/men/id1
id1,id2,-,faceswap,C,FakeVideo-RealAudio,African,men,00109_1.mp4,FakeAVCeleb/FakeVideo-RealAudio/African/men/id1
id1,-,-,wav2lip,D,FakeVideo-FakeAudio,African,men,00109_2.mp4,FakeAVCeleb/FakeVideo-FakeAudio/African/men/id1
id3,-,-,wav2lip,D,FakeVideo-FakeAudio,African,men,gone.mp4,FakeAVCeleb/FakeVideo-FakeAudio/African/men/id3
"""


@pytest.fixture
def root(tmp_path):
    names = ["RealVideo-RealAudio/African/men/id1/00109", "RealVideo-FakeAudio/African/men/id1/00109_fake",
             "FakeVideo-RealAudio/African/men/id1/00109_1", "FakeVideo-FakeAudio/African/men/id1/00109_2"]  # fmt: skip
    return tree(tmp_path, {f"{name}.mp4": "" for name in names} | {"meta_data.csv": META})


def test_known_answers(root) -> None:
    found = {sample.path.stem: sample for sample in by_id("fakeavceleb", root).values()}
    assert {key: (s.label, s.method, s.family) for key, s in found.items()} == {
        "00109": ("real", "real", "real"), "00109_fake": ("real", "RealVideo-FakeAudio:rtvc", "real"),
        "00109_1": ("fake", "faceswap", "blend"), "00109_2": ("fake", "wav2lip", "reenact"),
    }  # fmt: skip
    assert found["00109_1"].source_ids == ("fakeavceleb/id1", "fakeavceleb/id2")


def test_verify(root) -> None:
    found = FakeAVCeleb().verify(root)
    assert found.parts["FakeVideo-RealAudio"] == (1, 9709)
    assert found.missing == ["FakeVideo-FakeAudio/African/men/id3/gone.mp4"]
