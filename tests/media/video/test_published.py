"""A seal that returns has not sealed yet: what it made is looked at before it appears."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from provenance.manifests.soft_binding import SoftBinding
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_generated
from sfumato.errors import SealError
from sfumato.media.video.published import _may_be_left_out, require_sealed
from tests.media_fixtures import KEYS, box_seal, make_video, mark_seal
from tests.writer_fixtures import FACTS, write, writer

pytestmark = pytest.mark.usefixtures("own_temporary_folder")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A video and its sealed copy."""
    folder = tmp_path_factory.mktemp("pair")
    unsealed = make_video(folder / "unsealed.mp4")
    mark_seal(unsealed, folder / "sealed.mp4", FACTS)
    return unsealed, folder / "sealed.mp4"


def test_a_real_seal_passes(pair: tuple[Path, Path]) -> None:
    require_sealed(pair[1], pair[1], None, pair[0])


def test_a_box_at_the_end_is_no_seal(tmp_path: Path) -> None:
    with pytest.raises(SealError, match=r"left .*a\.mp4 unsealed: it has no credential"):
        write(tmp_path / "a.mp4", seal=box_seal)
    assert list(tmp_path.iterdir()) == []


def test_another_file_that_is_sealed_is_not_this_one(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    def seal(unsealed: Path, destination: Path, facts: Any) -> None:
        shutil.copyfile(pair[1], destination)

    with pytest.raises(SealError, match="other media than were encoded"):
        write(tmp_path / "a.mp4", seal=seal)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_changed_after_it_was_sealed(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    data = bytearray(pair[1].read_bytes())
    data[data.index(b"moov") + 200] ^= 1
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(SealError, match=r"does not hold|cannot be read"):
        require_sealed(tmp_path / "a.mp4", tmp_path / "a.mp4", None, pair[0])


def test_the_credential_names_the_mark(pair: tuple[Path, Path], tmp_path: Path) -> None:
    binding, other = SoftBinding("a.b", b"12345678"), SoftBinding("a.b", b"87654321")
    sign_generated(pair[0], tmp_path / "a.mp4", FACTS, development_signer(KEYS), binding)
    require_sealed(tmp_path / "a.mp4", tmp_path / "a.mp4", binding, pair[0])
    for sealed, named in ((tmp_path / "a.mp4", other), (pair[1], binding)):
        with pytest.raises(SealError, match="does not name its watermark"):
            require_sealed(sealed, sealed, named, pair[0])


def test_a_seal_that_marks_says_with_what(tmp_path: Path) -> None:
    class Silent:
        def mark(self, image: Any, time: float, faces: Any = None) -> Any:
            return image

        def __call__(self, unsealed: Path, destination: Path, facts: Any) -> None:
            mark_seal(unsealed, destination, facts)

    with pytest.raises(SealError, match="binding"):
        writer(tmp_path / "a.mp4", seal=Silent())


C2PA_BOX = {"offset": 8, "value": list(bytes.fromhex("d8fec3d61b0e483c92975828877ec481"))}


@pytest.mark.parametrize(
    ("exclusion", "in_pieces", "allowed"),
    [
        ({"xpath": "/uuid", "data": [C2PA_BOX]}, False, True),
        ({"xpath": "/uuid"}, False, False),
        ({"xpath": "/uuid", "data": [{"offset": 8, "value": [0] * 16}]}, False, False),
        ({"xpath": "/free"}, False, True),
        ({"xpath": "/mdat"}, True, False),
        ({"xpath": "/mdat", "subset": [{"offset": 16, "length": 0}]}, True, True),
        ({"xpath": "/mdat", "subset": [{"offset": 16, "length": 0}]}, False, False),
        ({"xpath": "/moov"}, True, False),
        ({"xpath": "/moov/trak"}, False, False),
    ],
)
def test_what_a_hard_binding_may_leave_out(exclusion: dict[str, Any], in_pieces: bool, allowed: bool) -> None:
    assert _may_be_left_out(exclusion, in_pieces) is allowed
