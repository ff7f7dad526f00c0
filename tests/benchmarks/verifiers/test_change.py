"""One bit is turned, in the media and not in the manifest; a text stays a text."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.verifiers.change import with_bit_turned
from benchmarks.verifiers.signing_keys import new_signer
from benchmarks.verifiers.specimens import formats, write_specimen
from provenance.formats.boxes import walk
from provenance.formats.stores.find import store_spans
from provenance.manifests.declaration import Declaration
from provenance.signing.sign import sign_file


def turned(name: str, folder: Path) -> tuple[Path, Path, list[int]]:
    """A signed specimen, its changed copy, and where they differ."""
    kind = formats()[name]
    plain, whole, changed = (folder / f"{what}{kind.suffix}" for what in ("plain", "whole", "changed"))
    write_specimen(kind, plain)
    sign_file(plain, whole, Declaration(), new_signer("P-256", folder))
    with_bit_turned(whole, changed, kind)
    before, after = whole.read_bytes(), changed.read_bytes()
    assert len(before) == len(after)
    return whole, changed, [place for place, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]


@pytest.mark.parametrize("name", ["png", "wav", "svg"])
def test_one_byte_outside_of_the_manifest_is_another(name: str, tmp_path: Path) -> None:
    whole, _, (place,) = turned(name, tmp_path)
    with whole.open("rb") as file:
        assert not any(start <= place < end for start, end in store_spans(file))


@pytest.mark.parametrize("name", ["mp4", "heic"])
def test_of_boxes_it_lies_in_the_media(name: str, tmp_path: Path) -> None:
    whole, _, (place,) = turned(name, tmp_path)
    with whole.open("rb") as file:
        assert any(box.body <= place < box.end for box in walk(file) if box.kind == b"mdat")


def test_a_drawing_stays_one(tmp_path: Path) -> None:
    whole, changed, _ = turned("svg", tmp_path)
    before, after = (ElementTree.parse(path).getroot() for path in (whole, changed))
    assert [part.tag for part in before.iter()] == [part.tag for part in after.iter()]
