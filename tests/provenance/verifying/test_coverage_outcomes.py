"""What is decided when a signature leaves something out: every whole file stays trusted, every other one does not."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from provenance.formats.coverage import uncovered
from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify
from tests.provenance.excluding import MEDIA_TYPES, made, shown
from tests.provenance.resealing import binding, sign, with_boxes, with_ranges, written
from tests.provenance.stamping import Entity, issue, signer

INCOMPLETE = "org.sfumato.coverage.incomplete"


@pytest.fixture(scope="module")
def authority() -> Entity:
    return issue("Root", authority=True)


@pytest.fixture(scope="module")
def leaf(authority: Entity) -> Entity:
    return signer("Ada", authority)


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_no_file_of_the_library_leaves_out_what_is_shown(name: str, leaf: Entity) -> None:
    data = sign(leaf, made(name, 1), MEDIA_TYPES[name])
    assert not any(part.essential for part in uncovered(*binding(data, MEDIA_TYPES[name]), io.BytesIO(data)))


@pytest.mark.parametrize("name", [name for name in MEDIA_TYPES if name != "svg"])
def test_every_file_of_the_library_stays_trusted(name: str, leaf: Entity, authority: Entity, tmp_path: Path) -> None:
    path = written(tmp_path / f"signed.{name}", sign(leaf, made(name, 1), MEDIA_TYPES[name]))
    assert (verify(path, [authority.pem]).outcome, verify(path, [authority.pem]).codes) == ("trusted", ())


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".avi", ".jpg", ".png", ".webp"])
def test_every_file_of_ours_stays_trusted(suffix: str, keys: DevelopmentKeys, root: bytes, tmp_path: Path) -> None:
    name = {".m4v": "mp4"}.get(suffix, suffix[1:])
    source, once, twice = (tmp_path / f"{step}{suffix}" for step in ("source", "once", "twice"))
    written(source, made(name, 1))
    sign_file(source, once, Declaration(), development_signer(keys.folder.parent))
    sign_file(once, twice, Declaration("edited"), development_signer(keys.folder.parent))
    for path in (once, twice):
        assert (verify(path, [root]).outcome, verify(path, [root]).codes) == ("trusted", ())


def test_another_picture_behind_a_harmless_segment_is_not_trusted(
    leaf: Entity, authority: Entity, tmp_path: Path
) -> None:
    """The exclusion begins at a comment and reaches over the picture, which is another one since."""
    output = io.BytesIO()
    Image.open(io.BytesIO(made("jpg", 1))).save(output, "JPEG", comment=b"harmless" * 20)
    data = sign(leaf, output.getvalue(), "image/jpeg")
    ((start, length),) = [(entry["start"], entry["length"]) for entry in binding(data, "image/jpeg")[1]["exclusions"]]
    comment, end = data.index(b"\xff\xfe", start + length), len(data) - 2
    forged = with_ranges(leaf, data, [(start, length), (comment, end - comment)])
    other = made("jpg", 2)[20:-2]
    room = end - comment - len(other) - 4
    changed = forged[:comment] + b"\xff\xfe" + (room + 2).to_bytes(2, "big") + bytes(room) + other + forged[end:]
    assert len(changed) == len(data)
    assert shown("jpg", changed) == shown("jpg", made("jpg", 2))
    found = verify(written(tmp_path / "forged.jpg", changed), [authority.pem])
    assert (found.outcome, found.codes) == ("untrusted", (INCOMPLETE,))
    assert [(part.place, part.essential) for part in found.uncovered] == [(f"bytes {comment} to {end - 1}", True)]


@pytest.mark.parametrize("name", ["tif", "gif", "flac", "wav", "mp3", "png", "webp", "avi", "pdf"])
def test_one_byte_beside_the_store_is_enough(name: str, leaf: Entity, authority: Entity, tmp_path: Path) -> None:
    data = sign(leaf, made(name, 1), MEDIA_TYPES[name])
    own = [(entry["start"], entry["length"]) for entry in binding(data, MEDIA_TYPES[name])[1]["exclusions"]]
    start, length = own[-1]
    place = start - 1 if name in ("wav", "webp", "avi", "tif") else start + length  # where the store is the last part
    path = written(tmp_path / f"forged.{name}", with_ranges(leaf, data, [*own, (place, 1)]))
    found = verify(path, [authority.pem])
    assert (found.outcome, found.codes) == ("untrusted", (INCOMPLETE,))


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        ({"xpath": "/free"}, "trusted"),
        ({"xpath": "/mfra"}, "trusted"),
        ({"xpath": "/mdat"}, "untrusted"),
        ({"xpath": "/mdat", "subset": [{"offset": 100, "length": 1}]}, "untrusted"),
        ({"xpath": "/moov"}, "untrusted"),
        ({"xpath": "/moov", "subset": [{"offset": 8, "length": 0}]}, "untrusted"),
    ],
    ids=str,
)
def test_boxes_of_a_film_that_may_be_left_out(
    entry: dict[str, Any], outcome: str, leaf: Entity, authority: Entity, tmp_path: Path
) -> None:
    data = sign(leaf, made("mp4", 1), "video/mp4")
    found = verify(written(tmp_path / "film.mp4", with_boxes(leaf, data, [entry])), [authority.pem])
    assert (found.outcome, found.codes) == (outcome, (INCOMPLETE,) if outcome == "untrusted" else ())


def test_it_is_shown_without_a_root_too(leaf: Entity, tmp_path: Path) -> None:
    data = sign(leaf, made("png", 1), "image/png")
    ((start, length),) = [(entry["start"], entry["length"]) for entry in binding(data, "image/png")[1]["exclusions"]]
    found = verify(written(tmp_path / "forged.png", with_ranges(leaf, data, [(start, length), (start + length, 50)])))
    assert (found.outcome, found.codes) == ("untrusted", ("signingCredential.untrusted",))
    assert [(part.size, part.essential) for part in found.uncovered] == [(50, True)]
