"""TalkingHeadBench: image, driver and generator are in the name; the reals come from elsewhere."""

import pytest

from detector.datasets.adapters.talking_head_bench import TalkingHeadBench
from tests.dataset_fixtures import by_id, tree


@pytest.fixture
def root(tmp_path):
    return tree(tmp_path, {
        "fake/Hallo/test/00012--celeb_3--Hallo.mp4": "", "fake/LivePortrait/train/00013--celeb_4--LivePortrait.mp4": "",
        "fake/additional_dataset/MAGI-1/x.mp4": "", "real/celeb_9.mp4": "", "real/071.mp4": "",
        "real/real_dataset_split.json": {"celebvhq": {"test": ["celeb_9.mp4", "celeb_10.mp4"]},
                                          "ff": {"train": ["071.mp4"]}},
    })  # fmt: skip


def test_known_answers(root) -> None:
    found = by_id("talkingheadbench", root)
    assert {key: (s.label, s.family, s.split) for key, s in found.items()} == {
        "Hallo/00012--celeb_3--Hallo": ("fake", "reenact", "test"), "MAGI-1/x": ("fake", "reenact", "test"),
        "LivePortrait/00013--celeb_4--LivePortrait": ("fake", "reenact", "train"),
        "real/celeb_9": ("real", "real", "test"), "real/071": ("real", "real", "train"),
    }  # fmt: skip
    fake = found["Hallo/00012--celeb_3--Hallo"]
    assert (fake.identity, fake.driver_id) == ("ffhq/00012", "celebv-hq/celeb_3")
    assert found["real/071"].identity == "ff++/071"


def test_verify_names_the_reals_to_fetch(root) -> None:
    assert TalkingHeadBench().verify(root).missing == ["real/celeb_10"]
