"""Pictures as people have them, whatever they are called, are footage as any jpg is: none is passed over in silence."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from generator.data.prepare import prepare
from generator.data.reading import PrepareConfig
from sfumato.app.datasets.clips import list_clips
from tests.generator_fixtures import portrait

PEOPLE = {"photo.jfif": ("JPEG", "mona-lisa"), "x.avif": ("AVIF", "la-velata"), "bare": ("WEBP", "lady-agnew")}


def test_avif_jfif_and_files_without_a_suffix_are_footage(tmp_path: Path) -> None:
    folder = tmp_path / "footage"
    folder.mkdir()
    for name, (kind, person) in PEOPLE.items():
        Image.fromarray(portrait(person, 400)).save(folder / name, kind)
    made = prepare([folder], tmp_path / "set", PrepareConfig(size=64, least_sharpness=0.0))
    assert (made.made, made.frames, made.refused) == (3, 3, [])
    assert {row.path for row in list_clips(folder).rows} == set(PEOPLE)
