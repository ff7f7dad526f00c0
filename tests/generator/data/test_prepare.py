"""Preparing footage: crops, landmarks and identities of what has a face, a list of what has not, and no work done
twice.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from generator.data import prepare as module
from generator.data import reading
from generator.data.dataset import open_dataset
from generator.data.prepare import TWICE, prepare, read_journal
from generator.data.reading import PrepareConfig, median_box
from sfumato.errors import OutputError, UsageError
from sfumato.execution.find_files import find_media
from sfumato.media.faces import Face
from sfumato.media.images import write_image
from tests.generator_fixtures import astronaut, moving, portrait
from tests.media_fixtures import make_video

SMALL = PrepareConfig(size=64, frames=4)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of the astronaut, a picture of the Mona Lisa, a clip without a face, a text file named .mp4, notes."""
    folder = tmp_path_factory.mktemp("footage")
    make_video(folder / "astronaut.mp4", frames=6, width=512, height=512, images=moving(astronaut(), 6))
    (folder / "old").mkdir()
    write_image(folder / "old" / "mona.jpg", portrait())
    make_video(folder / "bars.mp4", frames=4)
    (folder / "text.mp4").write_text("this is no video")
    (folder / "notes.txt").write_text("not footage")
    return folder


@pytest.fixture(scope="module")
def prepared(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, module.Prepared]:
    out = tmp_path_factory.mktemp("prepared") / "set"
    return out, prepare([footage], out, SMALL)


def test_media_are_found_below_folders_and_other_files_left(footage: Path) -> None:
    assert [p.name for p in find_media([footage])] == ["astronaut.mp4", "bars.mp4", "mona.jpg", "text.mp4"]


def test_a_folder_without_media_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No video or picture"):
        find_media([tmp_path])


def test_what_has_a_face_is_made_and_the_rest_refused_with_a_reason(prepared: tuple[Path, module.Prepared]) -> None:
    _, result = prepared
    assert (result.made, result.kept) == (2, 0)
    reasons = {path.name: reason for path, reason in result.refused}
    assert set(reasons) == {"bars.mp4", "text.mp4"}
    assert "No face" in reasons["bars.mp4"]


def test_frames_are_limited_and_the_crop_holds_the_face(prepared: tuple[Path, module.Prepared]) -> None:
    clips = {clip.name: clip for person in open_dataset([prepared[0]], "mesh").people for clip in person.clips}
    assert len(clips["astronaut.mp4"]) == 4 and not clips["astronaut.mp4"].picture
    assert len(clips["mona.jpg"]) == 1 and clips["mona.jpg"].picture
    for clip in clips.values():
        image, points = clip.frame(0, 64)
        assert image.shape == (64, 64, 3)
        assert ((points > 0) & (points < 64)).all()
        assert 0.35 < np.ptp(points[:, 1]) / 64 < 0.75  # brows to chin: most of the 60 % the face fills


def test_two_people_are_two(prepared: tuple[Path, module.Prepared]) -> None:
    assert len(open_dataset([prepared[0]]).people) == 2


def test_a_second_run_keeps_what_is_there(footage: Path, prepared: tuple[Path, module.Prepared]) -> None:
    out, _ = prepared
    before = {p: p.stat().st_mtime_ns for p in (out / "shards").iterdir()}
    again = prepare([footage], out, SMALL)
    assert (again.made, again.kept, len(again.refused)) == (0, 2, 2)
    assert {p: p.stat().st_mtime_ns for p in (out / "shards").iterdir()} == before


def test_an_interrupted_run_continues(footage: Path, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(amount: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        prepare([footage], tmp_path / "set", SMALL, stop)
    assert len(list((tmp_path / "set" / "shards").iterdir())) == 1
    rest = prepare([footage], tmp_path / "set", SMALL)
    assert (rest.made, rest.kept) == (1, 1)


def test_nets_are_loaded_once_for_all_files(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    detector, backend = reading.FaceDetector, reading.load_backend
    monkeypatch.setattr(reading, "FaceDetector", lambda *a: loaded.append("detector") or detector(*a))  # type: ignore[func-returns-value]
    monkeypatch.setattr(reading, "load_backend", lambda name: loaded.append(name) or backend(name))  # type: ignore[func-returns-value]
    prepare([footage], tmp_path / "set", SMALL)
    assert sorted(loaded) == ["detector", "mesh"]


def test_a_file_that_changed_is_read_again_and_a_renamed_one_is_not(footage: Path, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    write_image(picture, portrait())
    assert prepare([picture], tmp_path / "set", SMALL).made == 1
    picture = picture.rename(tmp_path / "b.png")
    assert prepare([picture], tmp_path / "set", SMALL).kept == 1
    write_image(picture, portrait("la-velata"))
    assert prepare([picture], tmp_path / "set", SMALL).made == 1


def test_a_shard_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", portrait())
    prepare([tmp_path / "a.png"], tmp_path / "set", SMALL)
    next((tmp_path / "set" / "shards").iterdir()).unlink()
    assert prepare([tmp_path / "a.png"], tmp_path / "set", SMALL).made == 1


def test_what_the_journal_lacks_is_read_again(tmp_path: Path) -> None:
    for name in ("mona-lisa", "la-velata"):
        write_image(tmp_path / f"{name}.png", portrait(name))
    prepare([tmp_path], tmp_path / "set", SMALL, limit=1)
    again = prepare([tmp_path], tmp_path / "set", SMALL)
    assert (again.made, again.kept) == (1, 1)
    assert len(read_journal(tmp_path / "set")) == 2


def test_of_identical_files_the_first_counts(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_image(tmp_path / name, portrait())
    for made, kept in ((1, 0), (0, 1)):
        result = prepare([tmp_path], tmp_path / "set", SMALL)
        assert (result.made, result.kept, dict(result.reasons)) == (made, kept, {TWICE: 1})
        assert result.refused[0][0].name == "b.png"


def test_labels_of_the_layout_reach_the_data_set(tmp_path: Path) -> None:
    for person, name in (("id10001", "mona-lisa"), ("id10270", "la-velata")):
        folder = tmp_path / "vox" / person / "video"
        folder.mkdir(parents=True)
        write_image(folder / "1.png", portrait(name))
    result = prepare([tmp_path / "vox"], tmp_path / "set", SMALL)
    assert (len(result.named), result.held_out) == (2, 1)
    people = open_dataset([tmp_path / "set"]).people
    assert {(p.clips[0].person, p.held_out) for p in people} == {
        ("voxceleb id10001", False),
        ("voxceleb id10270", True),
    }


def test_other_settings_in_the_same_folder_are_refused(footage: Path, prepared: tuple[Path, module.Prepared]) -> None:
    with pytest.raises(OutputError, match="other settings"):
        prepare([footage], prepared[0], PrepareConfig(size=96, frames=4))


def test_a_damaged_description_is_refused(footage: Path, tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(OutputError, match="damaged"):
        prepare([footage], tmp_path, SMALL)


def test_a_folder_that_cannot_be_made_is_an_output_error(footage: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Cannot make"):
        prepare([footage], tmp_path / "file" / "set", SMALL)


def test_coordinates_are_cached_and_drawings_are_not(prepared: tuple[Path, module.Prepared]) -> None:
    import pyarrow.parquet

    shard = next((prepared[0] / "shards").iterdir())
    assert pyarrow.parquet.read_schema(shard).names == [
        "index", "time", "jpeg", "landmarks", "identity", "sharpness", "face_pixels", "turn",
    ]  # fmt: skip
    assert json.loads((prepared[0] / "dataset.json").read_text())["crop"] == "square60-v1"


def test_one_square_holds_nine_boxes_in_ten() -> None:
    faces = [Face((10.0 + i, 20.0, 40.0 + i, 50.0), 1.0, np.zeros((5, 2), np.float32)) for i in range(11)]
    x, _, width, _ = median_box(faces)
    assert width == pytest.approx(49)
    assert x + width / 2 == pytest.approx(np.median([f.box[0] + f.box[2] / 2 for f in faces]))
