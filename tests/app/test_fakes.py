"""`sfumato fakes`: whom it animates and by whom, refusals, and the whole way with a random generator on a drawn clip."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from generator.checkpoint import Checkpoint
from generator.config import ModelConfig
from generator.motion import Motion
from sfumato.app.fakes import FakeMaker, FakesConfig, make_fakes
from sfumato.errors import ConfigError, MediaError, UsageError
from sfumato.media.clips import ClipRow, check_disjoint
from tests.detector_fixtures import clip_row, face_picture, landmarks
from tests.media_fixtures import mark_seal


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    from generator.embedder import Embedder
    from generator.families import build_generator

    config = ModelConfig(family="zakharov2019-warp", size=64, width=8, max_width=32)
    return Checkpoint(config, Embedder(config).eval(), build_generator(config).eval(), digest="ab" * 32)


def rows() -> list[ClipRow]:
    made = []
    for split in ("train", "validation", "test"):
        made += [clip_row(f"{split}{i}.mp4", split=split) for i in range(3)] + [clip_row(f"{split}{i}.jpg", split=split) for i in range(7)]
    return [*made, *(clip_row(f"calibration{i}.jpg", split="calibration") for i in range(5))]


def maker(tmp_path: Path, checkpoint: Checkpoint, **changes: object) -> FakeMaker:
    return FakeMaker(tmp_path / "clips.jsonl", rows(), [checkpoint], FakesConfig(**changes), mark_seal)


def test_driver_and_person_share_a_split(tmp_path, checkpoint) -> None:
    plan = maker(tmp_path, checkpoint, share=0.5).plan()
    assert len(plan) == 15
    assert all(whom.split == driver.split and driver.path.endswith(".mp4") for whom, driver in plan)
    assert {whom.split for whom, _ in plan} == {"train", "validation", "test"}  # no video there: nobody to drive the calibration split


def test_plan_follows_from_the_seed(tmp_path, checkpoint) -> None:
    plans = [maker(tmp_path, checkpoint, seed=seed).plan() for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]


def test_fakes_are_written_and_name_their_twins(tmp_path, checkpoint, monkeypatch) -> None:
    from generator.animate import Portrait
    from sfumato.media.faces import Crop, Face
    from sfumato.media.video import VideoReader

    points = (landmarks(64) / 32 - 1).astype(np.float32)
    portrait = Portrait(Crop(0, 0, 64), Face((10, 10, 40, 40), 1.0, np.zeros((5, 2), np.float32)), face_picture(0, 64), points)
    motion = Motion(np.repeat(points[None], 40, 0), np.arange(40) / 25, 0, "mesh", "toy")
    monkeypatch.setattr(FakeMaker, "_portraits", lambda self, row, size, rng: [dataclasses.replace(portrait, large=face_picture(0, size))])
    monkeypatch.setattr(FakeMaker, "_track", lambda self, row: motion)
    counts = []
    config = FakesConfig(share=0.1, frames=3, stride=2, sizes=(64, 96))
    made = make_fakes(tmp_path / "clips.jsonl", rows(), [checkpoint], config, mark_seal, lambda amount, total: counts.append(total))
    fakes = [row for row in made if row.label == "fake"]
    assert len(fakes) == 3
    assert counts == [3, 3, 3]
    check_disjoint(made)
    for fake in fakes:
        assert fake.family == "reenact"
        assert fake.generator_digest == "ab" * 32
        assert next(row for row in made if row.path == fake.pair_of).identity == fake.identity
        with VideoReader(tmp_path / fake.path) as video:
            assert len(list(video)) == 3
            assert video.info.width in (64, 96)


def test_the_family_without_a_network_makes_fakes_under_its_own_name(tmp_path, monkeypatch) -> None:
    from generator.animate import Portrait
    from generator.landmark_warp import landmark_warp
    from sfumato.media.faces import Crop, Face

    points = (landmarks(64) / 32 - 1).astype(np.float32)
    portrait = Portrait(Crop(0, 0, 64), Face((10, 10, 40, 40), 1.0, np.zeros((5, 2), np.float32)), face_picture(0, 64), points)
    monkeypatch.setattr(FakeMaker, "_portraits", lambda self, row, size, rng: [dataclasses.replace(portrait, large=face_picture(0, size))])
    monkeypatch.setattr(FakeMaker, "_track", lambda self, row: Motion(np.repeat(points[None], 9, 0), np.arange(9) / 25, 0, "mesh", "toy"))
    config = FakesConfig(share=0.1, frames=3, stride=2, sizes=(64,), tuned=1.0)  # there is nothing to tune, which must not end the run
    warp = dataclasses.replace(landmark_warp(), digest="cd" * 32)
    made = make_fakes(tmp_path / "clips.jsonl", rows(), [warp], config, mark_seal)
    assert {row.method for row in made if row.label == "fake"} == {"landmark-warp"}


def test_people_without_a_usable_face_are_passed_over(tmp_path, checkpoint, monkeypatch) -> None:
    def faceless(self, row, size, rng):
        raise MediaError("No face")

    monkeypatch.setattr(FakeMaker, "_portraits", faceless)
    assert make_fakes(tmp_path / "clips.jsonl", rows(), [checkpoint], FakesConfig(), mark_seal) == rows()


def test_pictures_alone_cannot_be_driven(tmp_path, checkpoint) -> None:
    stills = [row for row in rows() if row.path.endswith(".jpg")]
    with pytest.raises(UsageError, match="video"):
        make_fakes(tmp_path / "clips.jsonl", stills, [checkpoint], FakesConfig(), mark_seal)


@pytest.mark.parametrize("change", [{"share": 0.0}, {"frames": 2}, {"sizes": (127,)}, {"best_crf": 30, "worst_crf": 20}, {"tuned": 2.0}])
def test_nonsense_is_refused(change) -> None:
    with pytest.raises(ConfigError):
        FakesConfig(**change)


def test_checkpoints_are_needed(tmp_path) -> None:
    with pytest.raises(UsageError, match="Checkpoints"):
        FakeMaker(tmp_path / "clips.jsonl", rows(), [], FakesConfig(), mark_seal)


def test_templates_drive_people_of_the_training_split_only(tmp_path, checkpoint) -> None:
    plan = maker(tmp_path, checkpoint, share=1.0, templates=1.0).plan()
    by_template = [whom for whom, driver in plan if isinstance(driver, str)]
    assert by_template and {whom.split for whom in by_template} == {"train"}
    assert not any(isinstance(driver, str) for _, driver in maker(tmp_path, checkpoint, share=1.0).plan())


def test_a_template_is_read_from_the_package(tmp_path, checkpoint) -> None:
    assert len(maker(tmp_path, checkpoint)._track("serene")) > 10


def test_templates_are_a_share() -> None:
    with pytest.raises(ConfigError):
        FakesConfig(templates=1.5)


def test_a_stopped_call_goes_on_where_it_was(tmp_path, checkpoint, monkeypatch) -> None:
    """Also when the last line of the journal was cut off, and when a fake's file is gone."""
    calls: list[int] = []

    def make(self: FakeMaker, number: int, whom: ClipRow, driver: object) -> ClipRow | None:
        calls.append(number)
        if len(calls) == 4:
            raise KeyboardInterrupt
        if number == 1:
            return None
        path = f"generated/{number}.mp4"
        (tmp_path / "generated").mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"fake")
        return clip_row(path, split=str(whom.split), label="fake")

    monkeypatch.setattr(FakeMaker, "make", make)
    arguments = (tmp_path / "clips.jsonl", rows(), [checkpoint], FakesConfig(), mark_seal)
    with pytest.raises(KeyboardInterrupt):
        make_fakes(*arguments)
    assert calls == [0, 1, 2, 3]
    (journal,) = (tmp_path / "generated").glob("*.jsonl")
    journal.write_text(journal.read_text() + '{"number": 3, "ro')
    (tmp_path / "generated/0.mp4").unlink()
    made = make_fakes(*arguments)
    assert calls[4:] == [0, *range(3, len(maker(tmp_path, checkpoint).plan()))]
    assert len([row for row in made if row.label == "fake"]) == len(maker(tmp_path, checkpoint).plan()) - 1
    calls.append(-1)
    assert make_fakes(*arguments) == made and calls[-1] == -1


def test_another_request_has_another_journal(tmp_path, checkpoint) -> None:
    assert maker(tmp_path, checkpoint, seed=1).key != maker(tmp_path, checkpoint, seed=2).key
