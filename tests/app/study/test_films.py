"""What a participant could be shown of a list: size, length, the same moments known again, and what is refused."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from sfumato.app.study.films import Film, Stock
from sfumato.media.clips import ClipRow, file_digest, read_clips
from tests.media_fixtures import make_video, picture
from tests.study_fixtures import Clip, write_set


def films(folder: Path, *clips: Clip) -> list[Film]:
    rows = list(read_clips(write_set(folder, {"ada": clips}) / "clips.jsonl"))
    found = [Stock(folder / "clips.jsonl").film(row) for row in rows]
    assert all(found)
    return [film for film in found if film is not None]


def test_a_film_has_the_size_rate_and_length_of_its_file(tmp_path) -> None:
    (film,) = films(tmp_path / "set", Clip(0, width=96, frames=40, rate=20))
    assert (film.width, film.height, film.rate) == (96, 64, 20)
    assert film.seconds == pytest.approx(2.0, abs=0.01)
    assert film.size == film.file.stat().st_size
    assert film.suffix == ".mp4"


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        (Clip(1), True),
        (Clip(1, frames=15), True),
        (Clip(1, frames=14), False),
        (Clip(1, width=72), False),
        (Clip(1, height=72), False),
        (Clip(1, rate=30), False),
    ],
)
def test_films_stand_side_by_side_if_nothing_but_the_picture_differs(tmp_path, other, fits) -> None:
    first, second = films(tmp_path / "set", Clip(0), other)
    assert first.fits(second) is fits
    assert second.fits(first) is fits


def test_the_same_moments_are_known_again_in_another_compression(tmp_path) -> None:
    folder = tmp_path / "set"
    images = [picture(index, 64, 64) for index in range(30)]
    rows = []
    for name, options, shown in (("a", "18", images), ("b", "35", images), ("c", "18", images[::-1])):
        folder.mkdir(exist_ok=True)
        path = make_video(
            folder / f"{name}.mp4", images=shown, frames=30, width=64, height=64, options={"crf": options}
        )
        rows.append(ClipRow(path.name, "real", "camera", "real", "ada", file_digest(path), split="test"))
    stock = Stock(folder / "clips.jsonl")
    first, again, other = [stock.film(row) for row in rows]
    assert first and again and other
    assert first.shows_the_moments_of(again)
    assert not first.shows_the_moments_of(other)


def test_what_cannot_be_shown_is_refused_with_its_reason_and_asked_once(tmp_path) -> None:
    folder = write_set(tmp_path / "set", {"ada": [Clip(0)]})
    (row,) = read_clips(folder / "clips.jsonl")

    def refused(name: str, path: Path | None = None) -> str:
        stock = Stock(folder / "clips.jsonl")
        path = folder / name if path is None else path
        digest = file_digest(path) if path.is_file() else "0" * 64
        assert stock.film(dataclasses.replace(row, path=name, sha256=digest)) is None
        assert stock.film(dataclasses.replace(row, path=name, sha256=digest)) is None
        assert list(stock.refused) == [name]
        return stock.refused[name]

    from PIL import Image

    Image.fromarray(picture(0)).save(folder / "still.png")
    assert "is a picture" in refused("still.png")
    assert "gone.mp4" in refused("gone.mp4")
    make_video(folder / "old.avi", codec="mpeg4")
    assert "not every browser plays" in refused("old.avi")
    (folder / "text.mp4").write_text("no video")
    assert "text.mp4" in refused("text.mp4")
    make_video(folder / "brief.mp4", frames=1, rate=25)
    assert "0.0 seconds" in refused("brief.mp4")
    outside = tmp_path / "outside.mp4"
    shutil.copy(folder / row.path, outside)
    (folder / "link.mp4").symlink_to(outside)
    assert "leads outside" in refused("link.mp4")
    stock = Stock(folder / "clips.jsonl")
    assert stock.film(dataclasses.replace(row, sha256="0" * 64)) is None
    assert stock.refused[row.path] == f"{row.path} changed since it was listed"
