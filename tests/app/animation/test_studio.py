"""The studio: what is asked is checked before work begins, the motion moves the picture, seeds and facts are sealed."""

import numpy as np
import pytest

from generator.motion.track import motion_path
from provenance.verifying.verify import verify
from sfumato.app.animation.config import AnimateConfig
from sfumato.app.animation.gallery import portrait_path, shipped_portraits
from sfumato.app.animation.studio import Studio
from sfumato.errors import CheckpointError, MediaError, UsageError
from sfumato.media.video import VideoReader
from tests.media_fixtures import make_video
from tests.portrait_fixtures import make_checkpoint, make_motion, portrait_picture

PAINTING = shipped_portraits()["mona-lisa"].path


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Studio:
    return Studio(make_checkpoint(tmp_path_factory.mktemp("studio") / "tiny.safetensors"))


def test_facts_are_sealed_and_seed_repeats(studio, tmp_path) -> None:
    motion = make_motion(tmp_path / "nod.motion", frames=3)
    config = AnimateConfig(size=64, seed=11, strength=0.5)
    made = studio.animate([PAINTING], motion, tmp_path / "a.mp4", config)
    found = verify(made.path)
    assert found.declares == ("trainedAlgorithmicMedia",)
    assert found.facts["seed"] == 11
    assert found.facts["model_digest"] == studio.animator.checkpoint.digest
    assert found.facts["parameters"]["strength"] == 0.5
    assert found.facts["parameters"]["consent"] == "shipped painting, public domain"
    assert found.facts["parameters"]["motion"] == "motion file"
    assert "nod" not in str(found.facts)  # names of files that do not ship stay private
    assert "mona-lisa" in found.title
    studio.animate([PAINTING], motion, tmp_path / "b.mp4", config)
    frames = [[frame.image for frame in VideoReader(tmp_path / name)] for name in ("a.mp4", "b.mp4")]
    np.testing.assert_array_equal(*frames)


def test_motion_moves_the_picture(studio, tmp_path) -> None:
    motion = make_motion(tmp_path / "m.motion", frames=5)
    studio.animate([PAINTING], motion, tmp_path / "a.mp4", AnimateConfig(size=64))
    frames = np.stack([frame.image for frame in VideoReader(tmp_path / "a.mp4")]).astype(float)
    assert len(frames) == 5
    assert np.abs(frames[-1] - frames[0]).mean() > 2


def test_several_pictures_and_a_little_fine_tuning(studio, tmp_path) -> None:
    motion = make_motion(tmp_path / "m.motion", frames=2)
    made = studio.animate(
        [PAINTING, PAINTING], motion, tmp_path / "a.mp4", AnimateConfig(size=64, tune_seconds=0.01, faces=(1,))
    )
    assert made.others == (0, 0)
    assert len(verify(made.path).facts["portrait_digests"]) == 2
    with pytest.raises(UsageError, match="2 faces for 1"):
        studio.animate([PAINTING], motion, tmp_path / "b.mp4", AnimateConfig(faces=(1, 1)))


def test_video_is_followed_and_its_sound_copied(studio, tmp_path) -> None:
    picture = portrait_picture(240)[:, :160]
    images = [np.roll(picture, 2 * i, axis=0) for i in range(6)]
    video = make_video(tmp_path / "drive.mp4", images=images, width=160, height=240, frames=6, rate=10, sound="aac")
    counted: list[float] = []
    followed = Studio(studio.path, stage=lambda text, total: _Count(counted))
    made = followed.animate([PAINTING], video, tmp_path / "a.mp4", AnimateConfig(size=64, sound=True))
    assert made.frames == 6
    assert sum(counted) == 12  # six frames followed, six painted
    with VideoReader(made.path) as reader:
        assert reader.info.has_audio
    assert verify(made.path).facts["parameters"]["motion"] == "video"


class _Count:
    def __init__(self, counted: list[float]) -> None:
        self.counted = counted

    def __enter__(self):
        return self.counted.append

    def __exit__(self, *_: object) -> None:
        return None


def test_sound_without_sound_is_refused(studio, tmp_path) -> None:
    with pytest.raises(UsageError, match="without sound"):
        studio.animate([PAINTING], make_motion(tmp_path / "m.motion"), tmp_path / "a.mp4", AnimateConfig(sound=True))
    with pytest.raises(UsageError, match="no sound"):
        studio.animate([PAINTING], make_video(tmp_path / "v.mp4"), tmp_path / "a.mp4", AnimateConfig(sound=True))


def test_landmarks_must_fit(studio, tmp_path) -> None:
    with pytest.raises(CheckpointError, match="--landmarks mesh"):
        Studio(studio.path, landmarks="face-alignment")
    motion = make_motion(tmp_path / "m.motion", backend="face-alignment")
    with pytest.raises(CheckpointError, match="sfumato motion"):
        studio.animate([PAINTING], motion, tmp_path / "a.mp4")
    assert not (tmp_path / "a.mp4").exists()


def test_bad_output_is_refused_before_the_work(studio, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(studio.detector, "detect", lambda image: pytest.fail("the work had begun"))
    motion = make_motion(tmp_path / "m.motion")
    with pytest.raises(Exception, match="also a source"):
        studio.animate([PAINTING], motion, motion)
    with pytest.raises(Exception, match="mp4"):
        studio.animate([PAINTING], motion, tmp_path / "a.webm")
    with pytest.raises(Exception, match="Cannot write"):
        studio.animate([PAINTING], motion, tmp_path / "nowhere" / "a.mp4")


def test_damaged_motion_is_one_error(studio, tmp_path) -> None:
    (tmp_path / "m.motion").write_bytes(b"not safetensors")
    with pytest.raises(MediaError, match="sfumato motion"):
        studio.animate([PAINTING], tmp_path / "m.motion", tmp_path / "a.mp4")


def test_every_video_is_marked_and_entered(studio, tmp_path, monkeypatch) -> None:
    from provenance.durable.repository import open_repository
    from provenance.formats.manifest_box import embedded_store

    monkeypatch.setenv("SFUMATO_REPOSITORY", str(tmp_path / "r.sqlite3"))
    motion = make_motion(tmp_path / "nod.motion", frames=3)
    made = studio.animate([PAINTING], motion, tmp_path / "a.mp4", AnimateConfig(size=64))
    with open_repository(must_exist=True) as repository, made.path.open("rb") as file:
        assert len(repository) == 1
        assert repository.manifest(
            repository.by_content(made.path, _fingerprint(made.path))[0].manifest_id
        ) == embedded_store(file)


def _fingerprint(path):
    from provenance.durable.fingerprint import FingerprintBuilder

    builder = FingerprintBuilder()
    for frame in VideoReader(path):
        builder.add(frame.image, frame.time)
    return builder.done()


def test_frames_painted_ahead_are_those_painted_one_by_one(studio, tmp_path) -> None:
    motion = make_motion(tmp_path / "m.motion", frames=9)
    for name, workers in (("one.mp4", 1), ("two.mp4", 2)):
        made = Studio(studio.path, workers=workers).animate([PAINTING], motion, tmp_path / name, AnimateConfig(size=64))
        assert made.frames == 9
    frames = [[frame.image for frame in VideoReader(tmp_path / name)] for name in ("one.mp4", "two.mp4")]
    np.testing.assert_array_equal(*frames)


def test_a_fault_while_painting_leaves_nothing(studio, tmp_path, monkeypatch) -> None:
    import threading

    def fail(landmarks, size, gaze=None):
        raise MediaError("no paint", "Buy some.")

    monkeypatch.setattr(studio.animator, "render", fail)
    with pytest.raises(MediaError, match="no paint"):
        studio.animate([PAINTING], make_motion(tmp_path / "m.motion"), tmp_path / "a.mp4", AnimateConfig(size=64))
    assert not (tmp_path / "a.mp4").exists()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sfumato-overlap")]


def test_the_backend_is_chosen_by_name_and_sealed(studio, tmp_path) -> None:
    from generator.compiler.backends import REGISTRY
    from sfumato.app.cli.animate import _BACKENDS

    assert set(_BACKENDS) == {"auto", *REGISTRY.names()}
    motion = make_motion(tmp_path / "m.motion", 2)
    made = Studio(studio.path, backend="torch").animate([PAINTING], motion, tmp_path / "a.mp4", AnimateConfig(size=64))
    assert verify(made.path).facts["parameters"]["backend"] == "torch"
    with pytest.raises(UsageError, match="abacus"):
        Studio(studio.path, backend="abacus")


def test_pictures_of_two_people_are_refused(studio, tmp_path) -> None:
    with pytest.raises(UsageError, match=r"mona-lisa\.jpg and la-velata\.jpg show different people"):
        studio.animate(
            [portrait_path("mona-lisa"), portrait_path("la-velata")], motion_path("serene"), tmp_path / "two.mp4"
        )
    assert not (tmp_path / "two.mp4").exists()
