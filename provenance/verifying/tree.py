"""The manifest tree of a file: what every manifest in it says, who signed it, how its checks came out, and what it was
made from.

In: a media file (with a sidecar, perhaps). Out: a `ManifestNode` with its assertions and ingredients, nested. It is
what the file says: nothing is compared with a trust list here, that is `verify`. Every value is foreign, bounded in
size and depth, and not escaped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provenance.formats.jumbf import boxes, descend, label_of
from provenance.formats.untrusted import DEEPEST, MOST, bounded, codes_of, cut, dict_of, list_of, text_of
from provenance.library.settings import reading
from provenance.library.store import manifest_store, open_reader
from provenance.manifests.claims import full_manifests, generator_of, ingredient_deltas, ingredient_state
from provenance.manifests.identities import Identity, identities_in
from sfumato.errors import MediaError
from sfumato.regular_file import open_regular


@dataclass(frozen=True)
class AssertionNode:
    """One assertion. `size`: bytes in the store, None if it is not found there. `created`: stated by the signer, not
    gathered.
    """

    label: str
    size: int | None
    created: bool
    data: Any


@dataclass(frozen=True)
class IngredientNode:
    """One ingredient. `state`: valid, invalid, or none (it has no credential).

    `manifest`: None if it has none, or if the manifest stands elsewhere in the tree (`repeated`).
    """

    title: str | None
    relationship: str | None
    media_type: str | None
    state: str
    codes: tuple[str, ...]
    manifest: ManifestNode | None = None
    repeated: bool = False


@dataclass(frozen=True)
class ManifestNode:
    """One manifest. `signature`: algorithm, certificate and time-stamp as the library reports them."""

    label: str
    size: int
    title: str | None
    media_type: str | None
    generator: str | None
    claim_version: int
    update: bool
    signature: dict[str, Any]
    failures: tuple[str, ...]
    successes: tuple[str, ...]
    notes: tuple[str, ...]
    assertions: tuple[AssertionNode, ...] = ()
    ingredients: tuple[IngredientNode, ...] = ()
    identities: tuple[Identity, ...] = ()


@dataclass(frozen=True)
class ManifestTree:
    """The active manifest with everything below it. `elsewhere`: manifests in the store that nothing in the tree
    names.
    """

    path: Path
    manifest_from: str
    state: str
    active: ManifestNode
    elsewhere: tuple[str, ...] = ()
    remote_manifest: str | None = None


@dataclass
class _Store:
    """The reports on all manifests of one file, and which of them were opened already."""

    reader: Any
    report: dict[str, Any]
    full: dict[str, dict[str, Any]]
    deltas: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    opened: set[str] = field(default_factory=set)


def read_tree(path: Path, sidecar: Path | None = None) -> ManifestTree:
    """Raises MediaError if the file cannot be read, holds no credential, or one that cannot be made sense of."""
    from c2pa import C2paError

    try:
        with open_regular(path) as file:
            found = open_reader(path, file, reading(), sidecar, None)
            if found.reader is None:
                address = f" ({found.address})" if found.address else ""
                raise MediaError(f"{path}: {found.reason}{address}", "There is nothing to show.")
            with found.reader as reader:
                report = json.loads(reader.json())
                store = _Store(reader, report, full_manifests(reader), ingredient_deltas(report))
                active = _manifest(store, str(report["active_manifest"]), 0)
                elsewhere = tuple(
                    cut(label) for label in list(dict_of(report.get("manifests")))[:MOST] if label not in store.opened
                )
                state = str(reader.get_validation_state())
        return ManifestTree(path, found.manifest_from, state, active, elsewhere, found.address)
    except (C2paError, OSError) as error:
        raise MediaError(
            f"{path}: {getattr(error, 'strerror', None) or cut(error)}", "Name a media file of a known kind."
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise MediaError(f"{path}: the manifest cannot be read: {cut(error)}", "Run: sfumato verify.") from error


def _manifest(store: _Store, label: str, depth: int) -> ManifestNode:
    store.opened.add(label)
    manifest, full = dict_of(dict_of(store.report.get("manifests")).get(label)), dict_of(store.full.get(label))
    content = manifest_store(store.reader, label)
    results = dict_of(full.get("validationResults"))
    return ManifestNode(
        label=cut(label),
        size=sum(len(part) for part in descend(content, (None, label))),
        title=text_of(manifest.get("title")),
        media_type=text_of(manifest.get("format")),
        generator=generator_of(manifest),
        claim_version=2 if "claim.v2" in full else 1,
        update=full.get("isUpdateManifest") is True,
        signature=bounded(dict_of(full.get("signature"))),
        failures=_without_trust(results.get("failure")),
        successes=_without_trust(results.get("success")),
        notes=codes_of(results.get("informational")),
        assertions=_assertions(full, content, label),
        ingredients=_ingredients(store, manifest, label, depth),
        identities=identities_in(manifest),
    )


def _without_trust(results: Any) -> tuple[str, ...]:
    """Trust is left to `verify`: nothing is compared with a root here, and the library trusts any time-stamp of an
    older claim.
    """
    return _not_about_trust(codes_of(results))


def _not_about_trust(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code for code in codes if not code.endswith((".trusted", ".untrusted")))


def _assertions(full: Mapping[str, Any], content: bytes, label: str) -> tuple[AssertionNode, ...]:
    sizes = _sizes(content, label)
    claim = dict_of(full.get("claim.v2"))
    created = {
        str(dict_of(entry).get("url", "")).rpartition("/")[2] for entry in list_of(claim.get("created_assertions"))
    }
    said = dict_of(full.get("assertions"))
    names = list(dict.fromkeys([*said, *sizes]))[:MOST]
    return tuple(AssertionNode(cut(name), sizes.get(name), name in created, bounded(said.get(name))) for name in names)


def _sizes(content: bytes, label: str) -> dict[str, int]:
    """Bytes of each assertion's box, by its label in the store."""
    sizes = {}
    for assertions in descend(content, (None, label, "c2pa.assertions")):
        for kind, inside in boxes(assertions):
            first = next(boxes(inside), None)
            if kind == b"jumb" and first is not None and first[0] == b"jumd":
                sizes[label_of(first[1])] = len(inside) + 8
    return sizes


def _ingredients(store: _Store, manifest: Mapping[str, Any], label: str, depth: int) -> tuple[IngredientNode, ...]:
    nodes = []
    for entry in map(dict_of, list_of(manifest.get("ingredients"))[:MOST]):
        below = entry.get("active_manifest")
        named = isinstance(below, str)
        state, codes = ingredient_state(entry, named, store.deltas.get(f"{label}/{entry.get('label')}", ((), ())))
        if state in (
            "trusted",
            "untrusted",
        ):  # recorded by whoever took it in, or compared with no root: not for us to repeat
            state = "valid"
        codes = _not_about_trust(codes)
        repeated = named and below in store.opened
        node = None
        if isinstance(below, str) and not repeated and depth + 1 < DEEPEST and len(store.opened) < MOST:
            node = _manifest(store, below, depth + 1)
        title, relationship = text_of(entry.get("title")), text_of(entry.get("relationship"))
        nodes.append(IngredientNode(title, relationship, text_of(entry.get("format")), state, codes, node, repeated))
    return tuple(nodes)
