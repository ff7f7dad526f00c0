"""Pictures with generated faces in them leave signed, as videos do: contact sheets, heat maps, pictures of a report.

In: a Pillow picture. Out: a file, or its bytes, that says so twice: in XMP (IPTC DigitalSourceType), which many
programs read, and in a C2PA manifest signed by the development keys of this machine. It is made in a private folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.media.video.private_folder import private_folder

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

SOURCE_TYPE = "compositeWithTrainedAlgorithmicMedia"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    f' Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{SOURCE_TYPE}"/></rdf:RDF></x:xmpmeta>'
)


def save_marked(path: Path, picture: PillowImage, title: str) -> None:
    """Writes a PNG at `path`. Raises SealError without keys, OutputError."""
    from PIL.PngImagePlugin import PngInfo

    information = PngInfo()
    information.add_itxt("XML:com.adobe.xmp", XMP)
    with private_folder() as folder:
        picture.save(folder / "unsealed.png", pnginfo=information)
        _sign(folder / "unsealed.png", path, title)


def marked_jpeg(picture: PillowImage, title: str, quality: int) -> bytes:
    """A JPEG for a page. Raises SealError without keys."""
    with private_folder() as folder:
        picture.save(folder / "unsealed.jpg", quality=quality, xmp=XMP.encode())
        _sign(folder / "unsealed.jpg", folder / "sealed.jpg", title)
        return (folder / "sealed.jpg").read_bytes()


def _sign(unsealed: Path, sealed: Path, title: str) -> None:
    from provenance.manifests.declaration import Declaration
    from provenance.signing.seal import development_signer
    from provenance.signing.sign import sign_file

    declaration = Declaration("generated", title, source_type=SOURCE_TYPE)
    sign_file(unsealed, sealed, declaration, development_signer())
