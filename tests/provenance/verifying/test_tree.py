"""The manifest tree: how deep and how far it goes, what it calls each manifest, and how it says that there is none."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provenance.library.settings import reading, signing
from provenance.library.store import manifest_store
from provenance.pki.keys import DevelopmentKeys
from provenance.signing.seal import development_signer
from provenance.verifying.tree import IngredientNode, ManifestNode, read_tree
from sfumato.errors import MediaError


@pytest.fixture
def sign(keys: DevelopmentKeys, unsealed: Path, created: dict[str, Any]) -> Callable[..., Path]:
    """Signs a film with any number of parts, by the library itself. `update`: only the manifest is new."""

    def signed(to: Path, *parts: Path, update: Path | None = None, **manifest: Any) -> Path:
        from c2pa import Builder, C2paBuilderIntent, C2paSigningAlg, Context, Signer

        signer = development_signer(keys.folder.parent)
        library = Signer.from_callback(signer.sign, C2paSigningAlg.ES256, signer.chain_pem)
        said = {"claim_version": 2, "title": to.stem, "assertions": [] if update else [created], **manifest}
        builder = Builder(said, Context.from_dict(signing(0), signer=library))
        if update:
            builder.set_intent(C2paBuilderIntent.UPDATE)
        for part in parts:
            ingredient = {"title": part.name, "relationship": "componentOf"}
            builder.add_ingredient(ingredient, "video/mp4", io.BytesIO(part.read_bytes()))
        with (update or unsealed).open("rb") as source, to.open("w+b") as output:
            builder.sign("video/mp4", source, output)
        return to

    return signed


@pytest.fixture
def nested(sign: Callable[..., Path], tmp_path: Path) -> Path:
    """A film made from a film made from a film made from a film."""
    film = sign(tmp_path / "film 0.mp4")
    for number in range(1, 4):
        film = sign(tmp_path / f"film {number}.mp4", film)
    return film


def _titles(node: ManifestNode | None) -> list[str | None]:
    """The titles on the way down the first ingredients."""
    return [] if node is None else [node.title, *(_titles(node.ingredients[0].manifest) if node.ingredients else [])]


def test_a_tree_goes_all_the_way_down(nested: Path) -> None:
    tree = read_tree(nested)
    assert _titles(tree.active) == ["film 3", "film 2", "film 1", "film 0"]
    assert tree.elsewhere == ()


@pytest.mark.parametrize("limit", ["DEEPEST", "MOST"])
def test_below_its_limits_a_manifest_is_named_and_not_opened(
    nested: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(f"provenance.verifying.tree.{limit}", 3)
    tree = read_tree(nested)
    assert _titles(tree.active) == ["film 3", "film 2", "film 1"]
    last = tree.active.ingredients[0].manifest
    assert last is not None
    assert last.ingredients[0].manifest is not None
    (named,) = last.ingredients[0].manifest.ingredients
    assert (named.title, named.state, named.manifest, named.repeated) == ("film 0.mp4", "valid", None, False)


def test_what_is_not_opened_is_listed_as_elsewhere(nested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provenance.verifying.tree.DEEPEST", 2)
    assert len(read_tree(nested).elsewhere) == 2


def test_a_manifest_that_is_named_twice_is_opened_once(sign: Callable[..., Path], tmp_path: Path) -> None:
    part = sign(tmp_path / "part.mp4")
    first, second = read_tree(sign(tmp_path / "film.mp4", part, part)).active.ingredients
    assert first.manifest is not None
    assert (first.repeated, second.repeated, second.manifest) == (False, True, None)


def test_an_ingredient_without_a_credential_has_no_manifest(
    sign: Callable[..., Path], unsealed: Path, tmp_path: Path
) -> None:
    (part,) = read_tree(sign(tmp_path / "film.mp4", unsealed)).active.ingredients
    assert (part.state, part.codes, part.manifest, part.repeated) == ("none", (), None, False)
    assert not IngredientNode(None, None, None, "none", ()).repeated


def test_the_version_of_the_claim_is_told(sign: Callable[..., Path], tmp_path: Path) -> None:
    assert read_tree(sign(tmp_path / "new.mp4")).active.claim_version == 2
    assert read_tree(sign(tmp_path / "old.mp4", claim_version=1)).active.claim_version == 1


def test_an_update_is_told_from_a_whole_manifest(sign: Callable[..., Path], tmp_path: Path) -> None:
    first = sign(tmp_path / "first.mp4")
    assert not read_tree(first).active.update
    assert read_tree(sign(tmp_path / "second.mp4", update=first)).active.update


def test_sizes_are_those_of_the_boxes(sealed: Path) -> None:
    from c2pa import Context, Reader

    active = read_tree(sealed).active
    with sealed.open("rb") as file, Reader("video/mp4", file, context=Context.from_dict(reading())) as reader:
        store = manifest_store(reader, active.label)
    assert len(active.assertions) > 2
    for assertion in active.assertions:
        description = store.index(assertion.label.encode() + b"\0") - 25  # 8 of its box, 16 of its kind, one of flags
        assert assertion.size == int.from_bytes(store[description - 8 : description - 4], "big")


def test_an_address_of_a_credential_is_named_where_nothing_else_is(
    sign_anything: Callable[..., Path], unsealed: Path, created: dict[str, Any], tmp_path: Path
) -> None:
    film = sign_anything(tmp_path / "film.mp4", {"assertions": [created]}, remote_url="http://a.invalid/x.c2pa")
    with pytest.raises(MediaError, match=r"it was not visited \(http://a\.invalid/x\.c2pa\)"):
        read_tree(film)
    with pytest.raises(MediaError, match=r"no content credential in the file\. There"):
        read_tree(unsealed)


def test_what_cannot_be_read_is_said_in_the_words_of_the_system_or_the_library(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"gone\.mp4: No such file or directory"):
        read_tree(tmp_path / "gone.mp4")
    (tmp_path / "text.mp4").write_bytes(b"no media at all, in many words")
    with pytest.raises(MediaError, match=r"text\.mp4: NotSupported"):
        read_tree(tmp_path / "text.mp4")


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, AttributeError, RecursionError])
def test_a_report_of_an_impossible_shape_is_no_crash(
    sealed: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(reader: Any) -> dict[str, Any]:
        raise error("shape")

    monkeypatch.setattr("provenance.verifying.tree.full_manifests", fail)
    with pytest.raises(MediaError, match="the manifest cannot be read"):
        read_tree(sealed)
