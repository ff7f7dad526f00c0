"""One signature by the library: the manifest goes in, the signer is asked, and what has a credential is known."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from c2pa import C2paError

from provenance.formats.containers import media_type_of
from provenance.library.embed import Order, carries_credential, embed
from provenance.manifests.ingredients import ingredient_file
from provenance.pki.keys import DevelopmentKeys
from provenance.signers import Signer
from provenance.signing.seal import development_signer
from provenance.verifying.verify import verify
from sfumato.errors import SealError


@pytest.fixture
def signer(keys: DevelopmentKeys) -> Signer:
    return development_signer(keys.folder.parent)


@pytest.fixture
def order(created: dict[str, Any], signer: Signer) -> Callable[..., Order]:
    def make(*ingredients: Any, assertion: dict[str, Any] = created) -> Order:
        return Order({"claim_version": 2, "title": "t", "assertions": [assertion]}, ingredients, signer, "video/mp4")

    return make


def _embed(source: Path, order: Order) -> bytes:
    output = io.BytesIO()
    with source.open("rb") as file:
        embed(file, source.stat().st_size, output, order, None)
    return output.getvalue()


def test_the_manifest_is_in_the_file_signed_by_the_signer(
    unsealed: Path, order: Callable[..., Order], root: bytes, tmp_path: Path
) -> None:
    (tmp_path / "out.mp4").write_bytes(_embed(unsealed, order()))
    found = verify(tmp_path / "out.mp4", [root])
    assert (found.outcome, found.title, found.declares) == ("trusted", "t", ("digitalCapture",))


def test_a_credential_is_known_and_the_file_stands_at_its_beginning_again(sealed: Path, unsealed: Path) -> None:
    for path, carries in ((sealed, True), (unsealed, False)):
        with path.open("rb") as file:
            file.seek(7)
            assert carries_credential(file, media_type_of(path)) is carries
            assert file.tell() == 0


def test_what_cannot_be_read_counts_as_a_credential(sealed: Path) -> None:
    data = sealed.read_bytes()
    at = data.index(b"jumb")
    assert carries_credential(io.BytesIO(data[:at] + b"jumk" + data[at + 4 :]), "video/mp4")


@pytest.mark.parametrize("relationship", ["parentOf", "componentOf"])
def test_a_parent_or_part_that_the_library_refuses_stops_everything(
    unsealed: Path, order: Callable[..., Order], tmp_path: Path, relationship: str
) -> None:
    (tmp_path / "lies.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    part = ingredient_file(tmp_path / "lies.png", "part", relationship)
    with pytest.raises(SealError, match="cannot be taken in with its credential"):
        _embed(unsealed, order(part))


def test_an_ingredient_that_is_gone_is_named(unsealed: Path, order: Callable[..., Order], portrait: Path) -> None:
    gone = ingredient_file(portrait, "part", "inputTo")
    object.__setattr__(gone, "path", portrait.with_name("gone.jpg"))
    with pytest.raises(SealError, match=r"Cannot read the part .*gone\.jpg"):
        _embed(unsealed, order(gone))


def test_the_librarys_own_refusal_passes_as_it_is(unsealed: Path, order: Callable[..., Order]) -> None:
    with pytest.raises(C2paError):
        _embed(unsealed, order(assertion={"label": "c2pa.actions.v2", "data": {"actions": "none"}}))
