"""Further reals, cut from a person's recordings: of the fake's size, rate and length, of several moments, sealed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from provenance.verifying.verify import verify
from sfumato.app.study.cuts import METHOD, Cutter
from sfumato.app.study.films import Film, open_film
from sfumato.app.study.key import read_key
from sfumato.app.study.make import StudyConfig, make_study
from sfumato.errors import NoFaceError, UsageError
from sfumato.media.clips import ClipRow, file_digest, read_clips, write_clips
from sfumato.media.faces import Face
from tests.detector_fixtures import face_picture, landmarks
from tests.media_fixtures import make_video
from tests.study_fixtures import PAIR, Clip, write_set


class DrawnFaces:
    """Finds the face of `face_picture`, which fills the frame, without a net."""

    def detect(self, image, box=None):
        side = min(image.shape[:2])
        if box is not None:
            return landmarks(side)
        return [Face((0.22 * side, 0.2 * side, 0.56 * side, 0.64 * side), 1.0, np.zeros((5, 2), np.float32))]


@pytest.fixture(autouse=True)
def drawn_faces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("sfumato.media.faces.FaceDetector", DrawnFaces)
    monkeypatch.setattr("sfumato.media.landmarks.load_backend", lambda name: DrawnFaces())
    yield


@pytest.fixture
def person(tmp_path: Path) -> Path:
    """A list with a fake, its twin, and two recordings of four seconds in which the light changes."""
    folder = write_set(tmp_path / "set", {"ada": PAIR})
    rows = list(read_clips(folder / "clips.jsonl"))
    for number in range(2):
        images = [face_picture(number, 128) // 2 + np.uint8(i) for i in range(100)]
        path = make_video(folder / f"film-{number}.mp4", images=images, frames=100, width=128, height=128, rate=25)
        rows.append(ClipRow(path.name, "real", "camera", "real", "ada", file_digest(path), split="test"))
    write_clips(folder / "clips.jsonl", rows)
    return folder


def parts(person: Path) -> tuple[Film, list[ClipRow]]:
    rows = list(read_clips(person / "clips.jsonl"))
    return open_film(rows[1], person / rows[1].path), rows[2:]


def test_a_cut_is_like_the_fake_and_says_what_it_is(person, tmp_path) -> None:
    fake, recordings = parts(person)
    film = Cutter(person / "clips.jsonl", tmp_path).cut(recordings[0], person / recordings[0].path, fake, 0.0)
    assert film.fits(fake)
    assert film.seconds == pytest.approx(fake.seconds, abs=0.05)
    assert film.row.method == METHOD
    assert film.row.label == "real"
    assert film.row.sha256 == file_digest(film.file)
    found = verify(film.file)
    assert found.facts == {} or "trainedAlgorithmicMedia" not in found.declares
    assert found.ingredients


def test_cuts_are_of_several_moments_and_made_once(person, tmp_path) -> None:
    fake, recordings = parts(person)
    cutter = Cutter(person / "clips.jsonl", tmp_path)
    films = list(cutter(recordings, fake))
    assert [film.row.path for film in films] == [
        f"film-{number}.mp4 from {place}" for place in ("0%", "100%", "50%") for number in range(2)
    ]
    first, other, later, *_ = films
    assert not first.shows_the_moments_of(other)
    assert not first.shows_the_moments_of(later)
    assert [film.file for film in cutter(recordings, fake)] == [film.file for film in films]


def test_what_shows_no_face_or_is_a_picture_gives_none(person, tmp_path, monkeypatch) -> None:
    fake, recordings = parts(person)
    monkeypatch.setattr(DrawnFaces, "detect", lambda self, image, box=None: [])
    cutter = Cutter(person / "clips.jsonl", tmp_path)
    assert list(cutter(recordings, fake)) == []
    with pytest.raises(NoFaceError):
        cutter.cut(recordings[0], person / recordings[0].path, fake, 0.0)


@pytest.mark.parametrize("clip", [Clip(1, width=128), Clip(1, rate=30)])
def test_beside_what_is_no_square_at_the_rate_of_twins_nothing_is_cut(person, tmp_path, clip) -> None:
    _, recordings = parts(person)
    other = write_set(tmp_path / "other", {"bo": [clip]})
    (row,) = read_clips(other / "clips.jsonl")
    assert list(Cutter(person / "clips.jsonl", tmp_path)(recordings, open_film(row, other / row.path))) == []


def test_a_study_takes_cuts_before_the_twin_and_keeps_them(person, tmp_path) -> None:
    made = make_study(person, tmp_path / "study", StudyConfig())
    (question,) = read_key(tmp_path / "study").questions
    assert sorted(clip.method for clip in question.clips) == ["animated", METHOD, METHOD]
    assert not question.same_moments
    assert made.cuts == 2
    assert all(
        file_digest(next((made.page.parent / "clips").glob(f"{clip.name}.*"))) == clip.sha256 for clip in question.clips
    )


def test_recordings_of_another_list_are_cut_for_the_same_people(person, tmp_path) -> None:
    rows = list(read_clips(person / "clips.jsonl"))
    write_clips(person / "footage.jsonl", [*rows[2:], *(row for row in rows if row.label == "fake")])
    write_clips(person / "clips.jsonl", rows[:2])
    made = make_study(person, tmp_path / "study", StudyConfig(footage=person / "footage.jsonl"))
    (question,) = read_key(tmp_path / "study").questions
    assert sorted(clip.method for clip in question.clips) == ["animated", METHOD, METHOD]
    assert made.cuts == 2
    strangers = [dataclasses.replace(row, identity="bo") for row in rows[2:]]
    write_clips(person / "footage.jsonl", strangers)
    with pytest.raises(UsageError, match="--footage"):
        make_study(person, tmp_path / "other", StudyConfig(footage=person / "footage.jsonl"))
