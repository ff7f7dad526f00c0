"""A whole set: every fake beside its twin, all sealed and covered by one manifest; stopped, resumed, shared out and
signed by another key it has the same digest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from provenance.verifying.signed_sums import verify_sums
from provenance.verifying.verify import verify
from sfumato.app.sets.layout import MANIFEST, RIGHTS, SUMS, read_set, set_digest
from sfumato.app.sets.making import make_pairs
from sfumato.app.sets.making.make_pairs import PairMaker
from sfumato.app.sets.making.make_set import make_set
from sfumato.app.sets.making.models import models_of
from sfumato.app.sets.making.recipe import FakeRule, GivenRecipe, Recipe, SourceRule
from sfumato.errors import MissingFileError, NoFaceError, OutputError, SfumatoError, UsageError
from sfumato.media.clips import check_disjoint
from sfumato.media.faces import Face
from sfumato.media.video import VideoReader
from tests.detector_fixtures import landmarks
from tests.portrait_fixtures import make_motion

PAINTINGS = ("mona-lisa", "la-velata", "lady-agnew")
WARP = ("landmark-warp",)


def recipe(*rules: FakeRule, **more: Any) -> GivenRecipe:
    asked = Recipe(
        "paintings", "Three paintings.", "1", "CC0", (SourceRule(portraits=PAINTINGS),), rules,
        **{"frames": 3, "stride": 2, "sizes": (64,), "candidates": 2, **more},
    )  # fmt: skip
    return GivenRecipe(asked, repr(asked).encode())


SWAPS = recipe(FakeRule("swap", pairs=3))
EVERY_CASE = recipe(
    FakeRule("animated", generators=WARP, motions=("serene",), pairs=1),
    FakeRule("swap", case="several-faces", pairs=1),
    FakeRule("swap", case="light", pairs=1),
    FakeRule("composite", generators=WARP, case="compressed", ladder=(0, 40), pairs=2),
)


class DrawnFaces:
    """Finds a face in the middle of whatever it is shown."""

    name = "mesh"

    def detect(self, image: Any, box: Any = None) -> Any:
        side = min(image.shape[:2])
        if box is not None:
            return landmarks(side)
        return [Face((0.22 * side, 0.2 * side, 0.56 * side, 0.64 * side), 1.0, np.zeros((5, 2), np.float32))]


@contextmanager
def drawn() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sfumato.media.faces.FaceDetector", DrawnFaces)
        patch.setattr("sfumato.media.landmarks.load_backend", lambda name: DrawnFaces())
        yield


@pytest.fixture
def drawn_faces() -> Iterator[None]:
    with drawn():
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of every case but that of poses, made once for all who only look."""
    folder = tmp_path_factory.mktemp("made") / "SET"
    with drawn():
        make_set(EVERY_CASE, folder)
    return folder


def test_every_fake_lies_beside_its_twin(made: Path) -> None:
    found = read_set(made)
    assert len(found.rows) == 10
    check_disjoint(row.clip for row in found.rows)
    for twin, fake in zip(found.rows[::2], found.rows[1::2], strict=True):
        assert (twin.clip.label, fake.clip.label, fake.clip.pair_of) == ("real", "fake", twin.clip.path)
        shapes = []
        for row in (twin, fake):
            with VideoReader(made / row.clip.path) as video:
                frames = [frame.image for frame in video]
            shapes.append({image.shape for image in frames})
            said = row.details
            assert (len(frames), *frames[0].shape[:2]) == (said.frames, said.height, said.width)
            assert (made / row.clip.path).stat().st_size == said.bytes
            assert verify(made / row.clip.path).outcome == "untrusted"  # valid, by a development key
        assert shapes[0] == shapes[1]
        assert verify(made / twin.clip.path).declares == ()
        assert verify(made / fake.clip.path).declares


def test_rows_say_what_they_were_made_from(made: Path) -> None:
    found = read_set(made)
    fakes = {row.details.pair: row for row in found.rows if row.clip.label == "fake"}
    assert [row.details.case for row in fakes.values()] == [
        "plain",
        "several-faces",
        "light",
        "compressed",
        "compressed",
    ]
    assert (fakes["00000"].details.generator, fakes["00000"].details.motion) == ("landmark-warp", "motion:serene")
    assert fakes["00000"].details.motion_sha256 == found.facts.models["motion:serene"]
    assert fakes["00001"].details.width in (128, 192)
    assert len({name for name in fakes["00001"].clip.source_ids if name.startswith("painting:")}) >= 1
    assert [fakes[pair].clip.compression for pair in ("00003", "00004")] == ["crf0", "crf40"]
    assert [fakes[pair].details.crf for pair in ("00003", "00004")] == [0, 40]  # 0: lossless, and no "drawn"
    assert fakes["00003"].details.portrait == fakes["00004"].details.portrait
    assert fakes["00003"].details.bytes > fakes["00004"].details.bytes
    assert {row.details.rights for row in found.rows} == set(found.rights) == {"shipped-paintings"}
    assert found.facts.digest == set_digest(found.rows)
    assert not (made / ".making").exists()
    for path in made.glob("*.json*"):
        assert str(made) not in path.read_text(encoding="utf-8")  # no place of this machine goes with it


def test_one_manifest_covers_the_set(made: Path) -> None:
    found = verify_sums(made, verify)
    assert found.found.outcome == "untrusted"
    listed = {path.relative_to(made).as_posix() for path in found.held}
    everything = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert listed == everything - {SUMS, MANIFEST}
    assert found.found.declares == ("compositeWithTrainedAlgorithmicMedia",)
    assert found.found.facts["parameters"]["digest"] == read_set(made).facts.digest


class Stop(BaseException):
    """As kill -9: nothing catches it."""


@pytest.mark.usefixtures("drawn_faces")
def test_a_stopped_call_goes_on_and_the_digest_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make_set(SWAPS, tmp_path / "whole").facts
    calls: list[int] = []
    work = PairMaker.__call__

    def stopping(self: PairMaker, slot: Any) -> Any:
        calls.append(slot.number)
        if len(calls) in (2, 4):
            raise Stop
        return work(self, slot)

    monkeypatch.setattr(make_pairs.PairMaker, "__call__", stopping)
    for _ in range(2):
        with pytest.raises(Stop):
            make_set(SWAPS, tmp_path / "stopped")
    (tmp_path / "stopped" / "videos" / "00001-twin.mp4").write_bytes(b"damaged")
    (tmp_path / "stopped" / "videos" / "00009-fake.mp4").write_bytes(b"of an earlier request")
    resumed = make_set(SWAPS, tmp_path / "stopped")
    assert calls == [0, 1, 1, 2, 1, 2]
    assert resumed.facts == whole
    assert resumed.timings is not None
    assert resumed.timings.pairs == 2
    assert verify_sums(tmp_path / "stopped", verify).found.outcome == "untrusted"
    assert len(list((tmp_path / "stopped" / "videos").iterdir())) == 6


@pytest.mark.usefixtures("drawn_faces")
def test_another_key_gives_the_same_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = []
    for name in ("one", "two"):
        monkeypatch.setenv("SFUMATO_KEYS", str(tmp_path / f"keys-{name}"))
        digests.append(make_set(SWAPS, tmp_path / name).facts.digest)
    assert digests[0] == digests[1]
    assert (tmp_path / "one" / SUMS).read_bytes() != (tmp_path / "two" / SUMS).read_bytes()


def test_a_whole_set_is_left_alone_and_never_mixed_with_another(made: Path) -> None:
    before = (made / MANIFEST).read_bytes()
    again = make_set(EVERY_CASE, made)
    assert (again.timings, again.facts.digest) == (None, read_set(made).facts.digest)
    with pytest.raises(OutputError, match="another recipe"):
        make_set(SWAPS, made)
    assert (made / MANIFEST).read_bytes() == before


def test_somebodys_own_videos_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "00000-fake.mp4").write_bytes(b"mine")
    with pytest.raises(OutputError, match="of no call that was stopped"):
        make_set(SWAPS, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["videos", "00000-fake.mp4"]


@pytest.mark.slow
def test_two_workers_make_the_set_that_one_makes(tmp_path: Path) -> None:
    """With the real nets, in processes of their own."""
    given = recipe(
        FakeRule("swap", pairs=2), FakeRule("animated", generators=WARP, motions=("serene",), pairs=1), sizes=(128,)
    )
    one, two = (make_set(given, tmp_path / str(workers), workers) for workers in (1, 2))
    assert one.facts == two.facts
    assert two.timings is not None
    shares = two.timings.values()["shares"]
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert min(shares.values()) > 0


@pytest.mark.usefixtures("drawn_faces")
def test_who_shows_no_face_is_followed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take, refused = make_pairs.SetTakeMaker.take, list[str]()

    def picky(self: Any, job: Any, size: int, rng: Any) -> Any:
        if job.whom.identity != "painting:la-velata":
            refused.append(job.whom.path)
            raise NoFaceError("no face") if len(refused) % 2 else ZeroDivisionError("of a library")
        return take(self, job, size, rng)

    monkeypatch.setattr(make_pairs.SetTakeMaker, "take", picky)
    made = make_set(recipe(FakeRule("swap", pairs=1), FakeRule("swap", pairs=3, seeds=(1,))), tmp_path / "SET")
    assert [who for who, _ in made.refused] == refused
    assert {why for _, why in made.refused} == {"no face", "ZeroDivisionError: of a library"}
    assert made.missing == 2  # of the second rule, where each painting has one chance
    assert {row.clip.identity for row in read_set(tmp_path / "SET").rows} == {"painting:la-velata"}
    monkeypatch.setattr(make_pairs.SetTakeMaker, "take", lambda *_: (_ for _ in ()).throw(NoFaceError("no face")))
    with pytest.raises(UsageError, match=r"No pair could be made.*no face"):
        make_set(SWAPS, tmp_path / "none")
    assert not (tmp_path / "none" / RIGHTS).exists()


@pytest.mark.usefixtures("drawn_faces")
def test_a_source_that_changed_since_it_was_listed_is_not_used(tmp_path: Path) -> None:
    from sfumato.app.sets.making.make_pairs import Order, SetTakeMaker
    from sfumato.app.sets.making.sources import read_sources
    from sfumato.errors import MediaError

    sources = read_sources(SWAPS.recipe)
    changed = dataclasses.replace(sources[0], file=sources[1].file)
    maker = SetTakeMaker(Order(SWAPS.recipe, (changed, *sources[1:]), tmp_path, tmp_path))
    with pytest.raises(MediaError, match="has changed since it was listed"):
        maker.first_face(changed.row)
    assert maker.first_face(sources[1].row).shape == (68, 2)


@pytest.mark.parametrize(
    ("rule", "more", "said"),
    [
        (FakeRule("composite", generators=("portrait-265",)), {}, "portrait-265"),
        (FakeRule("animated", generators=WARP, motions=("seren",)), {"motions": {"seren": "train"}}, "no motion seren"),
        (FakeRule("swap"), {"motions": {"serene": "train"}}, "'serene', which no rule follows"),
        (
            FakeRule("animated", generators=WARP, motions=("seren",)),
            {"motions": {"serene": "train"}},
            "no motion seren",
        ),
        (FakeRule("autoencoder", autoencoders=(Path("none.safetensors"),)), {}, "none.safetensors"),
        (FakeRule("swap", pairs=4), {}, "has 3 combinations"),
    ],
)
def test_what_is_not_there_is_told_before_anything_is_made(
    tmp_path: Path, rule: FakeRule, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(SfumatoError, match=said):
        make_set(recipe(rule, **more), tmp_path / "SET")
    assert not (tmp_path / "SET").exists()


def test_a_motion_that_is_too_short_makes_nothing(tmp_path: Path) -> None:
    asked = recipe(FakeRule("animated", generators=WARP, motions=("serene",), pairs=1), stride=10**9)
    with pytest.raises(UsageError, match=r"The motion serene is too short: .* frames, and 3 are needed, 1000000000"):
        make_set(asked, tmp_path / "SET")


def test_two_motions_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    paths = (make_motion(tmp_path / "calm.motion", 4), make_motion(tmp_path / "a" / "calm.motion", 6))
    rule = FakeRule("animated", generators=WARP, motions=tuple(map(str, paths)))
    with pytest.raises(UsageError, match="Two files are called calm"):
        models_of(recipe(rule).recipe)
    with pytest.raises(MissingFileError):
        models_of(recipe(dataclasses.replace(rule, motions=("nothing.motion",))).recipe)
