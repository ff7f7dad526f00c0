"""Every kind of file that `sign` writes: trusted afterwards, signed twice too, and decoded as before."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageCms

from provenance.formats.containers import FORMATS
from provenance.formats.inventory.find import inventory
from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify
from sfumato.errors import SealError
from tests.provenance.excluding import MEDIA_TYPES, made

KINDS = [kind for kind in MEDIA_TYPES if kind != "pdf"]


def decoded(path: Path) -> list[Any]:
    """What a program makes of it: pictures, packets of streams, texts."""
    if path.suffix == ".svg":
        with path.open("rb") as file:
            return list(inventory(file))
    try:
        with Image.open(path) as image:
            tags = dict(image.getexif()).keys() - {0x0111, 0xCD41}  # where a TIFF has its strips, and the store
            frames: list[Any] = [image.size, tags, image.info.get("icc_profile")]
            for number in range(getattr(image, "n_frames", 1)):
                image.seek(number)
                frames.append(hashlib.md5(image.convert("RGBA").tobytes(), usedforsecurity=False).hexdigest())
            return frames
    except OSError:
        pass
    with av.open(str(path)) as container:
        packets = [(packet.stream.index, packet.pts, bytes(packet)) for packet in container.demux() if packet.size]
        return [dict(container.metadata), [dict(stream.metadata) for stream in container.streams], packets]


def test_the_suffixes_of_all_kinds_are_tried() -> None:
    tried = {FORMATS[f".{kind}"] for kind in KINDS}
    assert set(FORMATS.values()) - tried == {"image/heic", "image/heif"}  # nothing here writes one


@pytest.mark.parametrize("kind", KINDS)
def test_a_signed_file_is_trusted_and_decoded_as_before(
    kind: str, keys: DevelopmentKeys, root: bytes, tmp_path: Path
) -> None:
    source, once, twice = (tmp_path / f"{name}.{kind}" for name in ("source", "once", "twice"))
    source.write_bytes(made(kind, 1))
    signer = development_signer(keys.folder.parent)
    sign_file(source, once, Declaration(kind="edited"), signer)
    sign_file(once, twice, Declaration(kind="edited"), signer)
    for path in (once, twice):
        found = verify(path, [root])
        assert (found.outcome, [part for part in found.uncovered if part.essential]) == ("trusted", [])
        assert decoded(path) == decoded(source)


def test_a_tiff_of_several_pages_is_refused(keys: DevelopmentKeys, tmp_path: Path) -> None:
    """The library would add a page that is nothing but a manifest, which many programs cannot show."""
    pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    pages[0].save(tmp_path / "in.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(SealError, match="would lose or change the number of pages"):
        sign_file(tmp_path / "in.tif", tmp_path / "out.tif", Declaration(), development_signer(keys.folder.parent))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_every_frame_and_its_metadata_are_kept(kind: str, keys: DevelopmentKeys, tmp_path: Path) -> None:
    frames = [Image.linear_gradient("L").convert("RGB").resize((32, 24)).rotate(angle) for angle in (0, 90, 180)]
    exif = Image.Exif()
    exif[0x0112] = 6
    content = io.BytesIO()
    rest = (
        {}
        if kind == "GIF"
        else {"exif": exif, "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    )
    frames[0].save(content, kind, save_all=True, append_images=frames[1:], duration=100, **rest)
    source, signed = tmp_path / f"a.{kind.lower()}", tmp_path / f"b.{kind.lower()}"
    source.write_bytes(content.getvalue())
    sign_file(source, signed, Declaration(), development_signer(keys.folder.parent))
    assert decoded(signed) == decoded(source)
