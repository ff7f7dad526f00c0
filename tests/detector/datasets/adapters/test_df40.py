"""DF40: folders of frames by method and domain, families of its authors."""

import pytest

from detector.datasets.adapters.df40 import DF40, family_of
from tests.dataset_fixtures import by_id, tree


@pytest.fixture
def root(tmp_path):
    places = ["DF40/simswap/ff/frames/071_054", "DF40/simswap/ff/masks/071_054", "DF40/simswap/cdf/frames/id1_id2_0003",
              "DF40/sadtalker/ff/071", "DF40/heygen/fake/a", "DF40/heygen/real/b",
              "DF40_train/fomm/ff/frames/100_101"]  # fmt: skip
    return tree(tmp_path, {f"{place}/{n}.png": "" for place in places for n in ("0", "10", "2")})


def test_known_answers(root) -> None:
    found = {(s.method, s.path.name): s for s in by_id("df40", root).values()}
    assert {key: (s.label, s.family, s.split, s.compression) for key, s in found.items()} == {
        ("simswap", "071_054"): ("fake", "blend", "test", "ff"),
        ("simswap", "id1_id2_0003"): ("fake", "blend", "test", "cdf"),
        ("sadtalker", "071"): ("fake", "reenact", "test", "ff"),
        ("heygen", "a"): ("fake", "reenact", "test", "unknown"),
        ("heygen-real", "b"): ("real", "real", "test", "unknown"),
        ("fomm", "100_101"): ("fake", "reenact", "train", "ff"),
    }  # fmt: skip
    assert found["simswap", "071_054"].source_ids == ("ff++/071", "ff++/054")
    assert found["simswap", "id1_id2_0003"].source_ids == ("celeb-df/id1", "celeb-df/id2")


def test_families() -> None:
    names = ("BlendFace", "one-shot-free", "StyleGAN3", "e4e")
    assert [family_of(name) for name in names] == ["blend", "reenact", "synthesis", "synthesis"]


def test_verify_says_that_the_reals_are_elsewhere(root) -> None:
    found = DF40().verify(root)
    assert found.parts["simswap ff"] == (1, None)
    assert "reals of ff and cdf are not part" in found.notes[0]
