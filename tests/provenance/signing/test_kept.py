"""What was in a file before it was signed is in it afterwards, or nothing is signed; and it stays whose it was."""

from __future__ import annotations

import io
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from provenance.formats.inventory import find
from provenance.formats.inventory.multi_picture import picture_list
from provenance.formats.inventory.part import Part
from provenance.formats.stores.chunks import riff
from provenance.formats.stores.span import STORE_TYPE
from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys
from provenance.signers import Signer
from provenance.signing import kept
from provenance.signing.batch import find_tasks
from provenance.signing.kept import refuse_loss, taken_for_frames, with_moved_pictures
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify
from sfumato.errors import SealError
from tests.provenance.excluding import made

EDITED = Declaration(kind="edited")


@pytest.fixture(scope="module")
def signer(keys: DevelopmentKeys) -> Signer:
    return development_signer(keys.folder.parent)


def picture(colour: str) -> Image.Image:
    return Image.new("RGB", (48, 32), colour)


def multi_picture(first_list: bool) -> bytes:
    """Three pictures in a JPEG, as cameras write them; `first_list`: the list of them in front of everything else."""
    content = io.BytesIO()
    picture("white").save(content, "MPO", save_all=True, append_images=[picture("red"), picture("blue")])
    data = content.getvalue()
    if not first_list:
        return data
    start = data.index(b"\xff\xe2", 2)
    end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    found, entries = picture_list(io.BytesIO(data)), bytearray(data[start:end])
    assert found is not None
    for entry in found.entries[1:]:  # the list goes to the front, away from its pictures
        at = entry.at + 4 - start
        entries[at : at + 4] = (entry.place + start - 2).to_bytes(4, found.order)
    return data[:2] + bytes(entries) + data[2:start] + data[end:]


def pictures(path: Path) -> Iterator[tuple[str, bytes]]:
    with Image.open(path) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            yield image.mode, image.tobytes()


@pytest.mark.parametrize("first_list", [False, True])
def test_further_pictures_of_a_jpeg_are_found_after_signing(first_list: bool, signer: Signer, tmp_path: Path) -> None:
    (tmp_path / "in.jpg").write_bytes(multi_picture(first_list))
    before = list(pictures(tmp_path / "in.jpg"))
    assert len(before) == 3
    once = sign_file(tmp_path / "in.jpg", tmp_path / "once.jpg", EDITED, signer)
    assert list(pictures(tmp_path / "once.jpg")) == before
    twice = sign_file(tmp_path / "once.jpg", tmp_path / "twice.jpg", EDITED, signer)
    assert list(pictures(tmp_path / "twice.jpg")) == before
    assert once.found.outcome == twice.found.outcome == "untrusted"
    assert not [part for part in twice.found.uncovered if part.essential]


def test_the_list_says_how_long_the_first_picture_became(signer: Signer, tmp_path: Path) -> None:
    (tmp_path / "in.jpg").write_bytes(multi_picture(first_list=True))
    sign_file(tmp_path / "in.jpg", tmp_path / "out.jpg", EDITED, signer)
    with Image.open(tmp_path / "out.jpg") as image:
        size = image.mpinfo[0xB002][0]["Size"]  # type: ignore[attr-defined]
    data = (tmp_path / "out.jpg").read_bytes()
    assert data[size - 2 : size + 2] == b"\xff\xd9\xff\xd8"


def as_jpeg(colour: str) -> io.BytesIO:
    content = io.BytesIO()
    picture(colour).save(content, "JPEG")
    return content


def test_a_list_is_moved_only_where_both_files_have_one_and_it_is_wrong() -> None:
    several, alone = io.BytesIO(multi_picture(first_list=True)), as_jpeg("white")
    assert with_moved_pictures(several, several) is None
    assert with_moved_pictures(several, alone) is None
    assert with_moved_pictures(alone, several) is None


def test_a_list_that_makes_no_sense_is_refused() -> None:
    data = bytearray(multi_picture(first_list=True))
    place = data.index(b"MPF\0") + 4
    data[place : place + 4] = b"none"
    with pytest.raises(SealError, match="its list of further pictures makes no sense"):
        with_moved_pictures(io.BytesIO(data), as_jpeg("white"))


@pytest.mark.parametrize(
    ("count", "said"), [(8, r"part 7\. "), (9, r"part 7 and 1 more\. "), (12, r"part 7 and 4 more\. ")]
)
def test_of_all_that_would_be_lost_eight_parts_are_named(count: int, said: str) -> None:
    parts = [Part(f"part {number}", "") for number in range(count)]
    with pytest.raises(SealError, match=rf"would lose or change part 0, .*{said}Nothing was written"):
        refuse_loss(parts, as_jpeg("white"), Path("a.jpg"))


def test_a_signed_file_without_a_structure_lost_it() -> None:
    with pytest.raises(SealError, match="would lose or change its structure"):
        refuse_loss([], io.BytesIO(b"no container"), Path("a.jpg"))


def test_what_would_be_lost_is_named_and_nothing_is_written(
    signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.jpg").write_bytes(multi_picture(first_list=True))
    monkeypatch.setattr("provenance.signing.sign.with_moved_pictures", lambda source, signed: None)
    with pytest.raises(SealError, match=r"would lose or change picture 2 of the file, picture 3 of the file\. Nothing"):
        sign_file(tmp_path / "in.jpg", tmp_path / "out.jpg", EDITED, signer)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jpg"]


def test_a_file_that_cannot_be_followed_is_refused_before_it_is_signed(signer: Signer, tmp_path: Path) -> None:
    picture("red").save(tmp_path / "whole.jpg")
    (tmp_path / "in.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:-2])
    with pytest.raises(SealError, match=r"cannot be followed to its end \(its scan has no end\)"):
        sign_file(tmp_path / "in.jpg", tmp_path / "out.jpg", EDITED, signer)


def test_what_follows_the_picture_is_kept(signer: Signer, tmp_path: Path) -> None:
    picture("red").save(tmp_path / "in.png")
    with (tmp_path / "in.png").open("ab") as file:
        file.write(b"a short film")
    sign_file(tmp_path / "in.png", tmp_path / "out.png", EDITED, signer)
    assert (tmp_path / "out.png").read_bytes().endswith(b"a short film")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o775, 0o200])
def test_a_replaced_file_keeps_its_mode_and_owner(mode: int, signer: Signer, unsealed: Path, tmp_path: Path) -> None:
    film = Path(shutil.copy(unsealed, tmp_path / "film.mp4"))
    if os.geteuid() == 0:
        os.chown(film, 1234, 2345)
    film.chmod(mode)
    before = film.stat()
    if os.geteuid() and mode == 0o200:
        pytest.skip("only the administrator may read such a file")
    sign_file(film, film, EDITED, signer, in_place=True)
    after = film.stat()
    assert (stat.S_IMODE(after.st_mode), after.st_uid, after.st_gid) == (mode, before.st_uid, before.st_gid)


def test_a_copy_of_a_private_file_is_never_open_to_others(
    signer: Signer, unsealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = Path(shutil.copy(unsealed, tmp_path / "film.mp4"))
    film.chmod(0o600)
    seen = []

    def look(before: object, signed: io.BufferedRandom, path: Path) -> None:
        seen.append(stat.S_IMODE(os.fstat(signed.fileno()).st_mode))

    monkeypatch.setattr("provenance.signing.sign.refuse_loss", look)
    sign_file(film, film, EDITED, signer, in_place=True)
    assert seen == [0o600]


def test_a_group_that_cannot_be_kept_gets_no_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("old", "new"):
        (tmp_path / name).touch()
    (tmp_path / "old").chmod(0o775)

    def refuse(path: Path, user: int, group: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)
    kept.take_over_rights(tmp_path / "new", tmp_path / "old")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o705


def test_an_owner_that_cannot_be_kept_costs_the_group_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("old", "new"):
        (tmp_path / name).touch()
    (tmp_path / "old").chmod(0o664)
    kept_groups = []

    def give(path: Path, user: int, group: int) -> None:
        assert -1 in (user, group)  # one at a time: who may not change the owner may change the group
        if user != -1:  # only the administrator may give files away
            raise PermissionError
        kept_groups.append(group)

    monkeypatch.setattr(os, "chown", give)
    kept.take_over_rights(tmp_path / "new", tmp_path / "old")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o664
    assert kept_groups == [(tmp_path / "old").stat().st_gid]


def test_a_link_stays_a_link_and_its_file_is_replaced(signer: Signer, unsealed: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    film, link = Path(shutil.copy(unsealed, tmp_path / "real" / "film.mp4")), tmp_path / "link.mp4"
    link.symlink_to("real/film.mp4")
    sign_file(link, link, EDITED, signer, in_place=True)
    assert link.is_symlink()
    assert verify(film).outcome == "untrusted"
    sign_file(unsealed, link, Declaration(), signer)  # and as an output
    assert link.is_symlink()
    assert verify(film).declares == ("trainedAlgorithmicMedia",)


def test_a_file_and_its_link_are_one_file_to_sign_in_place(unsealed: Path, tmp_path: Path) -> None:
    shutil.copy(unsealed, tmp_path / "film.mp4")
    (tmp_path / "link.mp4").symlink_to("film.mp4")
    (tmp_path / "other.mp4").write_bytes(b"")
    tasks = find_tasks([str(tmp_path)], None, in_place=True)
    assert [task.output.name for task in tasks] == ["film.mp4", "other.mp4"]


def test_a_name_that_is_no_utf_8_can_be_signed(signer: Signer, unsealed: Path, tmp_path: Path) -> None:
    film = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    try:
        shutil.copy(unsealed, film)
    except OSError:
        pytest.skip("this file system takes no such name")
    sign_file(film, film, EDITED, signer, in_place=True)
    found = verify(film)
    assert (found.outcome, found.title) == ("untrusted", "caf\ufffd.mp4")


def test_other_orders_of_the_same_parts_are_a_loss() -> None:
    parts = find.inventory(io.BytesIO(multi_picture(first_list=False)))
    assert find.lost(parts, parts) == []
    assert find.lost(parts, parts[::-1]) == ["the order of its parts"]
    assert find.lost(parts, parts[:-1]) == ["picture 3 of the file"]


def test_a_manifest_that_looks_like_a_frame_is_known(signer: Signer, tmp_path: Path) -> None:
    (tmp_path / "in.avi").write_bytes(made("avi", 1))
    sign_file(tmp_path / "in.avi", tmp_path / "out.avi", Declaration(), signer)
    data = bytearray((tmp_path / "out.avi").read_bytes())
    assert not taken_for_frames(io.BytesIO(data))
    ((start, end),) = riff(io.BytesIO(data))
    middle = (start + end) // 2
    data[middle : middle + 8] = b"00dc" + (16).to_bytes(4, "little")
    assert taken_for_frames(io.BytesIO(data))
    assert not taken_for_frames(io.BytesIO(b"\xff\xd8" + bytes(data)))


def test_such_a_manifest_is_made_anew(signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [True, False]
    monkeypatch.setattr("provenance.signing.sign.taken_for_frames", lambda output: answers.pop(0))
    (tmp_path / "in.avi").write_bytes(made("avi", 1))
    sign_file(tmp_path / "in.avi", tmp_path / "out.avi", Declaration(), signer)
    assert answers == []
    assert verify(tmp_path / "out.avi").outcome == "untrusted"


def film(length: int, behind: int, kind: bytes = b"AVI ") -> io.BytesIO:
    """A store with what looks like the header of a frame of `length` bytes, and `behind` bytes after that."""
    looks = b"00dc" + length.to_bytes(4, "little")
    store = (46).to_bytes(4, "big") + b"jumb" + (30).to_bytes(4, "big") + b"jumd" + STORE_TYPE + b"\3c2pa\0" + looks
    chunks = b"C2PA" + len(store).to_bytes(4, "little") + store
    chunks += b"01wb" + (behind - 8).to_bytes(4, "little") + bytes(behind - 8)  # a frame, which is one
    return io.BytesIO(b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + kind + chunks)


def test_a_frame_may_end_where_the_film_does_and_not_behind_it() -> None:
    assert taken_for_frames(film(1000, 1000))
    assert not taken_for_frames(film(1001, 1000))


def test_nothing_longer_than_a_megabyte_is_taken_for_a_frame() -> None:
    assert taken_for_frames(film(1 << 20, 1 << 21))
    assert not taken_for_frames(film((1 << 20) + 1, 1 << 21))


def test_frames_are_looked_for_only_in_an_avi_that_can_be_followed() -> None:
    assert not taken_for_frames(film(1000, 1000, b"WAVE"))
    assert not taken_for_frames(io.BytesIO(film(1000, 1000).getvalue()[:-1]))


def test_signing_anew_has_an_end(signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []

    def always(output: object) -> bool:
        looked_at.append(output)
        return True

    monkeypatch.setattr("provenance.signing.sign.taken_for_frames", always)
    (tmp_path / "in.avi").write_bytes(made("avi", 1))
    assert sign_file(tmp_path / "in.avi", tmp_path / "out.avi", Declaration(), signer).found.outcome == "untrusted"
    assert len(looked_at) == 3
