"""`sfumato fakes`: whom it fakes and by whom, refusals, and the whole way to files with drawn faces: every fake beside
its real twin.
"""

import dataclasses
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from generator.config import ModelConfig
from generator.motion.track import Motion
from generator.networks.checkpoint import Checkpoint
from provenance.signing.seal import development_signer
from provenance.verifying.verify import verify
from sfumato.app.fakes import make as making
from sfumato.app.fakes.footage import _frames
from sfumato.app.fakes.make import make_fakes, request_key
from sfumato.app.fakes.makers import TakeMaker, another_expression, expression, normalised
from sfumato.app.fakes.plan import KINDS, FakesConfig, Job, plan
from sfumato.app.fakes.sheet import write_sheet
from sfumato.errors import ConfigError, MediaError, NoFaceError, UsageError
from sfumato.media.clips import ClipRow, check_disjoint
from sfumato.media.faces import Face
from sfumato.media.images import read_image
from sfumato.media.video import VideoReader
from tests.detector_fixtures import clip_row, face_picture, landmarks
from tests.media_fixtures import make_video

SMALL = FakesConfig(share=0.1, frames=3, stride=2, sizes=(64, 96), candidates=4)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    from generator.networks.embedder import Embedder
    from generator.networks.families import build_generator

    config = ModelConfig(family="zakharov2019-warp", size=64, width=8, max_width=32)
    return Checkpoint(config, Embedder(config).eval(), build_generator(config).eval(), digest="ab" * 32)


@pytest.fixture(scope="module")
def autoencoder():
    from detector.data.fakes.autoencoder import Autoencoder, AutoencoderConfig, build

    config = AutoencoderConfig(width=4, bottleneck=4)
    return Autoencoder(config, build(config).eval(), digest="cd" * 32)


def rows() -> list[ClipRow]:
    made = []
    for split in ("train", "validation", "test"):
        made += [clip_row(f"{split}{i}.mp4", split=split) for i in range(3)] + [
            clip_row(f"{split}{i}.png", split=split) for i in range(7)
        ]
    return [*made, *(clip_row(f"calibration{i}.png", split="calibration") for i in range(5))]


class DrawnFaces:
    """Finds the face of `face_picture`, wherever it was drawn, without a net."""

    def detect(self, image, box=None):
        side = min(image.shape[:2])
        if box is not None:
            points = landmarks(side)
            points[[55, 56, 57, 58, 59, 65, 66, 67], 1] += (
                0.06 * side * (float(image.mean()) % 3) / 3
            )  # the brighter, the wider the mouth
            return points
        return [Face((0.22 * side, 0.2 * side, 0.56 * side, 0.64 * side), 1.0, np.zeros((5, 2), np.float32))]


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    images = [face_picture(0, 128) // 2 + np.uint8(i) for i in range(12)]
    make_video(path, images=images, frames=12, width=128, height=128, rate=25, options={"crf": "18", "bf": "0"})
    return path.read_bytes()


@pytest.fixture(scope="module")
def footage_files(film) -> dict[str, bytes]:
    """A file for every row, by its path."""
    return {
        row.path: cv2.imencode(".png", face_picture(number, 128)[:, :, ::-1])[1].tobytes()
        if row.path.endswith(".png")
        else film
        for number, row in enumerate(rows())
    }


@pytest.fixture(scope="module", autouse=True)
def drawn_faces() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sfumato.media.faces.FaceDetector", DrawnFaces)
        patch.setattr("sfumato.media.landmarks.load_backend", lambda name: DrawnFaces())
        yield


def written(files: dict[str, bytes], folder: Path) -> Path:
    """Writes a drawn picture for every row, and a film where it is a video. Returns clips.jsonl's place."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / "clips.jsonl"


@pytest.fixture
def folder(tmp_path, footage_files) -> Path:
    return written(footage_files, tmp_path)


@pytest.fixture(scope="module")
def asked(tmp_path_factory, footage_files, checkpoint, autoencoder):
    """Fakes of a kind, made once for all who only look: the list's place, their rows, the totals told, one a fake."""

    @cache
    def ask(kind: str) -> tuple[Path, list[ClipRow], list[float]]:
        counts: list[float] = []
        clips = written(footage_files, tmp_path_factory.mktemp(kind))
        scene = maker(clips, checkpoints=[checkpoint], autoencoders=[autoencoder])
        made = make_fakes(scene, rows(), kind, development_signer(), lambda amount, total: counts.append(total))
        return clips, made, counts

    return ask


def maker(clips: Path, config: FakesConfig = SMALL, checkpoints=(), autoencoders=()) -> TakeMaker:
    made = TakeMaker(clips, config, checkpoints, autoencoders)
    points = (landmarks(64) / 32 - 1).astype(np.float32)
    track = np.repeat(points[None], 12, 0) + np.linspace(0, 0.11, 12, dtype=np.float32)[:, None, None]
    track[1::2, 65:68, 1] += 0.05  # it speaks: a face at rest would be refused
    made._motion = lambda driver: Motion(track, np.arange(12) / 25, 0, "mesh", "toy")
    return made


def test_everybody_in_a_fake_is_of_one_split() -> None:
    for kind in KINDS:
        jobs = plan(rows(), FakesConfig(share=0.5), kind)
        assert len(jobs) == (15 if kind == "animated" else 17)
        for job in jobs:
            assert all(other.split == job.whom.split and other.identity != job.whom.identity for other in job.others)
            assert job.driver is None or job.driver.split == job.whom.split
        splits = {job.whom.split for job in jobs}
        assert ("calibration" in splits) == (kind != "animated")  # no video there: nobody to drive an animated one


def test_the_plan_follows_from_the_seed() -> None:
    plans = [plan(rows(), FakesConfig(seed=seed), "swap") for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]


def test_templates_drive_people_of_the_training_split_only() -> None:
    jobs = plan(rows(), FakesConfig(share=1.0, templates=1.0), "animated")
    by_template = [job.whom for job in jobs if isinstance(job.driver, str)]
    assert by_template and {whom.split for whom in by_template} == {"train"}
    assert not any(isinstance(job.driver, str) for job in plan(rows(), FakesConfig(share=1.0), "animated"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_fake_has_a_twin_of_the_same_form(kind, asked) -> None:
    folder, made, counts = asked(kind)
    twins, fakes = ([row for row in made if row.label == label] for label in ("real", "fake"))
    assert len(twins) == len(fakes) == len(counts) == counts[0] > 2
    check_disjoint([*rows(), *made])
    for twin, fake in zip(twins, fakes, strict=True):
        assert fake.pair_of == twin.path and twin.method == "twin" and twin.family == "real"
        assert (fake.identity, fake.split) == (twin.identity, twin.split)
        seen = []
        for row in (twin, fake):
            with VideoReader(folder.parent / row.path) as video:
                pictures = [frame.image for frame in video]
                seen.append((video.info.width, video.info.height, video.info.rate, len(pictures)))
        assert seen[0] == seen[1]
        ratio = (folder.parent / fake.path).stat().st_size / (folder.parent / twin.path).stat().st_size
        assert 0.7 < ratio < 1.4  # drawn faces compress to almost nothing, which leaves the search little to turn
        says = {
            "animated": "trainedAlgorithmicMedia",
            "autoencoder": "trainedAlgorithmicMedia",
            "swap": "compositeSynthetic",
        }
        assert verify(folder.parent / fake.path).declares == (says.get(kind, "compositeWithTrainedAlgorithmicMedia"),)
        credential = verify(folder.parent / twin.path)
        assert (
            credential.outcome == "untrusted" and credential.declares == ()
        )  # valid, by a development key; no AI anywhere
    wanted = {"animated": "reenact", "swap": "blend", "composite": "composite", "autoencoder": "synthesis"}[kind]
    assert {fake.family for fake in fakes} == {wanted}
    assert {fake.generator_digest for fake in fakes} == {{"swap": None, "autoencoder": "cd" * 32}.get(kind, "ab" * 32)}
    if kind == "swap":
        assert {fake.method for fake in fakes} == {"swap-alpha", "swap-poisson"} and all(
            fake.source_ids for fake in fakes
        )


def test_a_forged_fake_and_its_twin_differ_in_the_face_alone(folder) -> None:
    scene = maker(folder)
    job = next(job for job in plan(rows(), FakesConfig(share=1.0), "swap") if job.whom.path.endswith(".png"))
    take = scene.take(job, 96, np.random.default_rng(0))
    assert len(take.real) == len(take.fake) == 3
    for real, fake in zip(take.real, take.fake, strict=True):
        assert real.shape == fake.shape == (96, 96, 3)
        assert np.array_equal(real[:4], fake[:4]) and np.array_equal(real[-4:], fake[-4:])
        assert (real[40:60, 40:60] != fake[40:60, 40:60]).any()
    assert not np.array_equal(take.real[0], take.real[-1])  # the camera moves


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_job_gives_the_same_frames(kind, folder, checkpoint, autoencoder) -> None:
    """In another process too, whatever was made before: what a resumed run makes is what an undisturbed one would have
    made.
    """
    job = plan(rows(), SMALL, kind)[-1]
    takes = []
    for before in (0, 1):
        scene = maker(folder, checkpoints=[checkpoint], autoencoders=[autoencoder])
        for other in plan(rows(), SMALL, kind)[:before]:
            scene.take(other, 64, np.random.default_rng(9))
        takes.append(scene.take(job, 64, np.random.default_rng(1)))
    assert np.array_equal(takes[0].fake, takes[1].fake) and np.array_equal(takes[0].real, takes[1].real)


def test_a_photographs_twin_moves_as_the_motion_moves_the_head(folder, checkpoint) -> None:
    """The motion of the fixture shifts the head by a tenth of the half side: the twin of a still picture shifts as
    far.
    """
    scene = maker(folder, dataclasses.replace(SMALL, frames=6, stride=2), [checkpoint])
    job = next(job for job in plan(rows(), FakesConfig(share=1.0), "animated") if job.whom.path.endswith(".png"))
    take = scene.take(job, 96, np.random.default_rng(0))
    shift, _ = cv2.phaseCorrelate(*(np.float64(image[:, :, 1]) for image in (take.real[0], take.real[-1])))
    assert shift == pytest.approx((0.1 * 32 / 39 * 48, 0.1 * 32 / 39 * 48), abs=1.5)


def test_people_who_cannot_be_faked_are_passed_over_told_and_tried_again(folder) -> None:
    whom = plan(rows(), SMALL, "swap")[1].whom
    kept = (folder.parent / whom.path).read_bytes()
    (folder.parent / whom.path).write_bytes(b"damaged")
    scene = maker(folder)
    made = make_fakes(scene, rows(), "swap", development_signer())
    assert made and set(scene.refused) == {whom.path}
    (folder.parent / whom.path).write_bytes(kept)
    again = make_fakes(maker(folder), rows(), "swap", development_signer())
    assert len(again) == len(made) + 2 and whom.identity in {row.identity for row in again}


def test_nobody_to_fake_is_an_error_with_the_first_reason(folder, monkeypatch) -> None:
    monkeypatch.setattr(DrawnFaces, "detect", lambda self, image, box=None: [])
    jobs = plan(rows(), SMALL, "swap")
    with pytest.raises(UsageError, match=f"None of {len(jobs)} people.*{jobs[0].whom.path}.*no face"):
        make_fakes(maker(folder), rows(), "swap", development_signer())


def test_a_persons_own_video_is_read_from_the_time_its_motion_begins(folder) -> None:
    """Where the tracker lost the face the motion has fewer frames than the video: its time counts, not its number."""
    path = folder.parent / rows()[0].path
    with VideoReader(path) as video:
        frames = [frame.image for frame in video]
    taken = list(_frames(path, 3, 2, 0.0, 5 / 25))
    assert len(taken) == 3 and all(np.array_equal(one, frames[i]) for one, i in zip(taken, (5, 7, 9), strict=True))


def test_the_face_most_alike_is_taken(folder, monkeypatch) -> None:
    wide = (landmarks(64) * [1.4, 1.0]).astype(np.float32)
    shapes = {
        "a.png": wide,
        "b.png": landmarks(200) + 9,
        "c.png": NoFaceError("none"),
        "d.png": MediaError("a link that leads away"),
    }
    scene = maker(folder)

    def face(row):
        if isinstance(shapes[row.path], MediaError):
            raise shapes[row.path]
        return None, shapes[row.path]

    monkeypatch.setattr(scene, "_face", face)
    others = [clip_row(name) for name in shapes]
    assert scene._most_alike(landmarks(96), others).path == "b.png"
    with pytest.raises(NoFaceError):
        scene._most_alike(landmarks(96), others[2:])


def test_normalised_landmarks_know_no_place_size_or_tilt() -> None:
    points = landmarks(96)
    turn = cv2.getRotationMatrix2D((10, 20), 25, 1.7)
    assert np.abs(normalised(points @ turn[:, :2].T + turn[:, 2]) - normalised(points)).max() < 1e-4


def test_another_expression_opens_the_mouth_and_keeps_the_eyes() -> None:
    points = landmarks(96)
    moved = another_expression(points, np.random.default_rng(0))
    assert moved[57, 1] > points[57, 1] + 1
    assert np.array_equal(moved[36:48], points[36:48])


def test_pictures_alone_cannot_be_driven() -> None:
    with pytest.raises(UsageError, match="video"):
        plan([row for row in rows() if row.path.endswith(".png")], FakesConfig(), "animated")


@pytest.mark.parametrize(
    ("kind", "named"), [("animated", "--checkpoint"), ("composite", "--checkpoint"), ("autoencoder", "--autoencoder")]
)
def test_what_a_kind_is_made_with_must_be_given(kind, named, folder) -> None:
    with pytest.raises(UsageError) as error:
        make_fakes(maker(folder), rows(), kind, development_signer())
    assert named in str(error.value.advice)


@pytest.mark.parametrize(
    "change", [
        {"share": 0.0}, {"frames": 2}, {"frames": 1000}, {"sizes": (127,)}, {"best_crf": 30, "worst_crf": 20},
        {"tuned": 2.0},
        {"templates": 1.5}, {"candidates": 0},
    ],
)  # fmt: skip
def test_nonsense_is_refused(change) -> None:
    with pytest.raises(ConfigError):
        FakesConfig(**change)


def test_a_driver_whose_face_does_not_move_is_refused(folder, checkpoint, monkeypatch) -> None:
    """A head that slides, its face at rest, has no expression; one that opens its mouth has. Nobody is driven by the
    former.
    """
    still = np.stack([landmarks(64) + np.array([shift, 0]) for shift in range(8)])
    speaking = still.copy()
    speaking[::2, 65:68, 1] += 3
    assert expression(still) < 1e-5
    assert expression(speaking) == pytest.approx(
        3 / 2 / np.linalg.norm(still[0, 42:48].mean(0) - still[0, 36:42].mean(0)), rel=1e-3
    )
    filming = TakeMaker(folder, SMALL, [checkpoint])
    motion = Motion((still / 32 - 1).astype(np.float32), np.arange(8) / 25, 0, "mesh", "still")
    monkeypatch.setattr(filming, "_motion", lambda driver: motion)
    job = next(job for job in plan(rows(), SMALL, "animated") if isinstance(job.driver, ClipRow))
    with pytest.raises(NoFaceError, match="does not move"):
        filming.take(job, 64, np.random.default_rng(0))


def test_a_template_is_read_from_the_package(folder) -> None:
    assert len(TakeMaker(folder, SMALL).track("serene")) > 10


def test_a_stopped_call_goes_on_where_it_was(folder, monkeypatch) -> None:
    """Also when a fake's file is gone."""
    calls: list[int] = []

    def make(maker: TakeMaker, job: Job, key: str, signer) -> list[ClipRow]:
        calls.append(job.number)
        if len(calls) == 4:
            raise KeyboardInterrupt
        if job.number == 1:
            raise NoFaceError("nobody there")
        paths = [f"generated/{job.number}{end}.mp4" for end in ("t", "")]
        for path in paths:
            (folder.parent / "generated").mkdir(exist_ok=True)
            (folder.parent / path).write_bytes(b"fake")
        return [
            clip_row(path, split=str(job.whom.split), label=label)
            for path, label in zip(paths, ("real", "fake"), strict=True)
        ]

    monkeypatch.setattr(making, "make", make)
    arguments = (maker(folder, FakesConfig()), rows(), "swap", development_signer())
    count = len(plan(rows(), FakesConfig(), "swap"))
    with pytest.raises(KeyboardInterrupt):
        make_fakes(*arguments)
    assert calls == [0, 1, 2, 3]
    (folder.parent / "generated/0.mp4").unlink()
    made = make_fakes(*arguments)
    assert calls[4:] == [0, 1, *range(3, count)]
    assert len([row for row in made if row.label == "fake"]) == count - 1
    calls.append(-1)
    assert make_fakes(*arguments) == made and calls[-2:] == [-1, 1]


def test_a_second_request_fakes_no_twin(asked) -> None:
    folder, made, _ = asked("swap")
    assert make_fakes(maker(folder), [*rows(), *made], "swap", development_signer()) == made


def test_another_request_has_another_journal(folder) -> None:
    keys = {
        request_key(maker(folder, FakesConfig(seed=seed)), rows(), kind)
        for seed in (1, 2)
        for kind in ("swap", "composite")
    }
    assert len(keys) == 4


def test_the_sheet_shows_a_row_a_method(asked, tmp_path) -> None:
    folder, made, _ = asked("swap")
    write_sheet(tmp_path / "sheet.png", folder, made, examples=2, side=64)
    sheet = read_image(tmp_path / "sheet.png")
    assert sheet.shape == (2 * (64 + 22 + 6) + 6, 6 + 2 * (2 * 64 + 12), 3)
    assert b"compositeWithTrainedAlgorithmicMedia" in (tmp_path / "sheet.png").read_bytes()
