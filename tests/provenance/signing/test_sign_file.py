"""One declared file: what is handed back, what may be replaced, and who is blamed for a missing time-stamp."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import provenance.signing.sign
from provenance.library.embed import Order
from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys, development_keys
from provenance.pki.timestamp import Stamping
from provenance.signers import Signer
from provenance.signers.pem import PemSigner
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify
from sfumato.errors import MissingFileError, OutputError, SealError

NOBODY = "http://127.0.0.1:1/"


@pytest.fixture
def signer(keys: DevelopmentKeys) -> Signer:
    return development_signer(keys.folder.parent)


def test_what_was_signed_is_handed_back_as_it_was_read(signer: Signer, unsealed: Path, tmp_path: Path) -> None:
    made = sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer)
    assert (made.path, made.stamped, made.unstamped) == (tmp_path / "out.mp4", False, "")
    assert made.found.outcome == verify(made.path).outcome == "untrusted"


def test_a_source_that_is_not_there_and_one_that_cannot_be_read_are_told_apart(signer: Signer, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"no file .*gone\.mp4"):
        sign_file(tmp_path / "gone.mp4", tmp_path / "out.mp4", Declaration(), signer)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(SealError, match=r"Cannot read .*folder\.mp4: Is a directory"):
        sign_file(tmp_path / "folder.mp4", tmp_path / "out.mp4", Declaration(), signer)


def test_a_source_is_replaced_only_if_that_was_asked_for(signer: Signer, unsealed: Path, tmp_path: Path) -> None:
    film = Path(shutil.copy(unsealed, tmp_path / "film.mp4"))
    with pytest.raises(SealError, match="both source and destination"):
        sign_file(film, film, Declaration(), signer)
    assert film.read_bytes() == unsealed.read_bytes()
    sign_file(film, film, Declaration(), signer, in_place=True)
    assert verify(film).outcome == "untrusted"


@pytest.mark.parametrize("mode", [0o400, 0o444, 0o555])
def test_a_file_that_nobody_may_write_is_not_replaced(
    signer: Signer, unsealed: Path, tmp_path: Path, mode: int
) -> None:
    (tmp_path / "out.mp4").write_bytes(b"kept")
    (tmp_path / "out.mp4").chmod(mode)
    with pytest.raises(OutputError, match="marked read-only"):
        sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer)
    assert (tmp_path / "out.mp4").read_bytes() == b"kept"


@pytest.mark.parametrize("mode", [0o644, 0o464, 0o446, 0o200])
def test_a_file_that_somebody_may_write_is_replaced(signer: Signer, unsealed: Path, tmp_path: Path, mode: int) -> None:
    (tmp_path / "out.mp4").write_bytes(b"not kept")
    (tmp_path / "out.mp4").chmod(mode)
    sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer)
    assert verify(tmp_path / "out.mp4").outcome == "untrusted"


def test_a_name_that_no_file_system_takes_is_an_output_error(signer: Signer, unsealed: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        sign_file(unsealed, tmp_path / f"{'x' * 300}.mp4", Declaration(), signer)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The library signs without the time-stamp that it was to ask for. Holds what it was told of an authority."""
    told: list[str | None] = []
    real = provenance.signing.sign.embed

    def embed(source: Any, size: int, output: Any, order: Order, authority: str | None) -> None:
        told.append(authority)
        real(source, size, output, order, None)

    monkeypatch.setattr(provenance.signing.sign, "embed", embed)
    return told


def test_a_time_stamp_that_did_not_get_into_the_file_fails_the_signing(
    signer: Signer, unsealed: Path, tmp_path: Path, deaf: list[str | None]
) -> None:
    with pytest.raises(SealError, match=r"authority 127\.0\.0\.1 failed: .*did not get into the file"):
        sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer, Stamping(NOBODY))
    assert list(tmp_path.iterdir()) == []
    assert len(deaf) == 1


def test_a_time_stamp_that_did_not_get_into_the_file_can_be_done_without(
    signer: Signer, unsealed: Path, tmp_path: Path, deaf: list[str | None]
) -> None:
    made = sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer, Stamping(NOBODY, on_failure="unstamped"))
    assert not made.stamped
    assert made.unstamped == "the file does not hold with its answer: The time-stamp did not get into the file"
    assert [told is None for told in deaf] == [False, True]
    assert verify(tmp_path / "out.mp4").outcome == "untrusted"
    assert made.found.time_source == "claimed"


@pytest.mark.parametrize(
    ("proxy", "said"),
    [("", "^The file could not be sealed: .*not valid"), ("http://127.0.0.1:1", "with a time-stamp: .*Set NO_PROXY")],
)
def test_an_authority_that_was_never_asked_is_not_to_blame(
    unsealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, said: str
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    old = development_keys(tmp_path / "keys", datetime.now(UTC) - timedelta(days=400))
    expired = PemSigner(old.leaf_key, old.chain_pem())
    with pytest.raises(SealError, match=said):
        sign_file(unsealed, tmp_path / "out.mp4", Declaration(), expired, Stamping(NOBODY, on_failure="unstamped"))
    assert not (tmp_path / "out.mp4").exists()
