"""A manifest definition of somebody's own: a JSON file in, an `OwnManifest` out, or a refusal that says what to do.

The form is that of c2patool and the C2PA library: `title`, `claim_generator_info`, `assertions`, `ingredients`,
`ingredient_paths`. The file may come from anybody, so what is not known is refused by its name, and nothing in it says
who signs, with what, where a time-stamp comes from, or what is fetched. Paths lead to files in its folder, or below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provenance.formats.untrusted import cut
from provenance.manifests.own.actions import ACTIONS_LABELS, OwnActions, read_actions
from provenance.manifests.own.labels import check_label
from provenance.manifests.own.mining import TRAINING_MINING_LABEL, check_mining
from provenance.manifests.own.paths import file_inside
from sfumato.errors import MediaError, UsageError, choose_from
from sfumato.limits import ASSERTIONS, INGREDIENTS, MANIFEST
from sfumato.regular_file import read_regular
from sfumato.structure.json_text import parse_json

KNOWN = ("title", "claim_generator_info", "assertions", "ingredients", "ingredient_paths", "claim_version", "$schema")
_SIGNER = "Who signs is said on the command line: --signer, --chain and --algorithm."
_OURS = "The program writes it itself; leave it out."
NOT_TAKEN = {  # keys that the library or c2patool know, and why they are not taken out of a file
    **dict.fromkeys(("alg", "private_key", "sign_cert", "signer", "cawg_x509_signer"), _SIGNER),
    "ta_url": "A time-stamp authority is named on the command line: --tsa.",
    "tsa_url": "A time-stamp authority is named on the command line: --tsa.",
    "thumbnail": "A foreign picture may show something else. --allow-thumbnail makes one of the file itself.",
    "claim_generator": "Write it as claim_generator_info, a list of one object with name and version.",
    "base_path": "Paths are relative to the folder of the manifest, and stay in it.",
    "remote_url": "The manifest is written into the file, or beside it with --sidecar; nothing points to the network.",
    "no_embed": "Give --sidecar to keep the manifest beside the file.",
    "redactions": "Nothing is taken out of the credential that a file has.",
    "metadata": "Write it as an assertion, for example c2pa.metadata.",
    "credentials": "Write it as an assertion of your own domain.",
    "intent": "Say it with --kind.",
    **dict.fromkeys(("format", "instance_id", "label", "vendor", "hash_alg", "resources"), _OURS),
}
_GENERATOR = ("name", "version", "operating_system")
_INGREDIENT = ("path", "title", "relationship", "label")
_RELATIONSHIPS = ("componentOf", "inputTo")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_KINDS = ("Cbor", "Json")


@dataclass(frozen=True)
class OwnIngredient:
    """A file as an ingredient. title, relationship, label: empty where the definition leaves them to us."""

    path: Path
    title: str = ""
    relationship: str = ""
    label: str = ""


@dataclass(frozen=True)
class OwnManifest:
    """What a definition says, checked as far as that can be without the file that is signed.

    generator: name, version and operating_system of the program that made the claim; empty: sfumato alone.
    assertions: as the C2PA builder takes them, actions excepted.
    """

    title: str = ""
    generator: Mapping[str, str] = field(default_factory=dict)
    actions: OwnActions = field(default_factory=OwnActions)
    assertions: tuple[dict[str, Any], ...] = ()
    ingredients: tuple[OwnIngredient, ...] = ()

    @property
    def labels(self) -> set[str]:
        return {assertion["label"] for assertion in self.assertions}


def load_manifest(path: Path) -> OwnManifest:
    """Reads a manifest definition.

    Raises MediaError for a file that is none (not JSON, too large, too deep, a key twice) and for a missing ingredient,
    UsageError for what such a definition may not say.
    """
    try:
        values = parse_json(read_regular(path, MANIFEST))
    except OSError as error:
        raise MediaError(f"Cannot read the manifest {path}: {error.strerror}", "Give a JSON file.") from error
    except ValueError as error:
        raise MediaError(f"The manifest {path} cannot be read: {error}", "Give one manifest as JSON.") from error
    where = f"the manifest {path.name}"
    values = _object(values, where, KNOWN, NOT_TAKEN)
    if values.get("claim_version", 2) != 2:
        raise UsageError(f"claim_version is {cut(values['claim_version'])} in {where}", "Claims of version 2 are made.")
    actions, assertions = _assertions(values.get("assertions", []), where)
    return OwnManifest(
        _text(values, "title", where),
        _generator(values.get("claim_generator_info", []), where),
        actions,
        assertions,
        _ingredients(values, path.parent, where),
    )


def _assertions(listed: Any, where: str) -> tuple[OwnActions, tuple[dict[str, Any], ...]]:
    actions: OwnActions | None = None
    found: list[dict[str, Any]] = []
    for number, value in enumerate(_list(listed, "assertions", where, ASSERTIONS.most), start=1):
        place = f"assertion {number} of {where}"
        entry = _object(value, place, ("label", "data", "kind", "created"))
        label = _text(entry, "label", place, needed=True)
        check_label(label, place)
        if "data" not in entry:
            raise UsageError(f"{label} has no data in {where}", "Say what it asserts under data.")
        if entry.get("kind", "Cbor") not in _KINDS:
            raise UsageError(f"Unknown kind {cut(entry['kind'])!r} of {label}", f"Choose one of: {', '.join(_KINDS)}.")
        if not isinstance(entry.get("created", False), bool):
            raise UsageError(f"created of {label} is neither true nor false", "true: the signer states it.")
        if label == TRAINING_MINING_LABEL:
            if any(other["label"] == label for other in found):
                raise UsageError(f"{where} has {label} twice", "Put all into one assertion.")
            check_mining(entry["data"], where)
        if label not in ACTIONS_LABELS:
            found.append(dict(entry))
        elif actions is not None:
            raise UsageError(f"{where} has actions twice", "Put all into one assertion.")
        else:
            actions = read_actions(entry["data"], where)
    return actions or OwnActions(), tuple(found)


def _generator(listed: Any, where: str) -> dict[str, str]:
    entries = _list(listed, "claim_generator_info", where, 1)
    if not entries:
        return {}
    place = f"claim_generator_info of {where}"
    entry = _object(entries[0], place, _GENERATOR, {"icon": "A foreign picture is not put into a manifest."})
    _text(entry, "name", place, needed=True)
    return {key: _text(entry, key, place) for key in entry}


def _ingredients(values: Mapping[str, Any], folder: Path, where: str) -> tuple[OwnIngredient, ...]:
    listed = _list(values.get("ingredients", []), "ingredients", where, INGREDIENTS.most)
    paths = _list(values.get("ingredient_paths", []), "ingredient_paths", where, INGREDIENTS.most - len(listed))
    found = []
    for number, value in enumerate(listed, start=1):
        place = f"ingredient {number} of {where}"
        entry = _object(value, place, _INGREDIENT, _NOT_TAKEN_OF_INGREDIENTS)
        if "path" not in entry:
            raise UsageError(f"path is missing in {place}", "Name its media file, from the folder of the manifest.")
        path = file_inside(folder, _text(entry, "path", place), place)
        relationship = _text(entry, "relationship", place)
        if relationship == "parentOf":
            advice = "The parent is the file itself, or the one that --parent names."
            raise UsageError(f"{place} would be a parent", advice)
        if relationship and relationship not in _RELATIONSHIPS:
            advice = choose_from(relationship, _RELATIONSHIPS)
            raise UsageError(f"Unknown relationship {relationship!r} of {place}", advice)
        reference = _text(entry, "label", place)
        if reference and not _REFERENCE.fullmatch(reference):
            raise UsageError(f"{reference!r} is no label of {place}", "Use letters, digits, dots, - and _.")
        found.append(OwnIngredient(path, _text(entry, "title", place), relationship, reference))
    for number, value in enumerate(paths, start=1):
        place = f"path {number} of ingredient_paths in {where}"
        if not isinstance(value, str):
            raise UsageError(f"{place} is no text", "Give the name of a file beside the manifest.")
        found.append(OwnIngredient(file_inside(folder, value, place)))
    return tuple(found)


_NOT_TAKEN_OF_INGREDIENTS = {
    **dict.fromkeys(("thumbnail", "manifest_data", "data", "icon"), "It is taken out of the file that path names."),
    **dict.fromkeys(("format", "instance_id", "document_id", "hash", "active_manifest"), "The file itself says it."),
    **dict.fromkeys(("validation_status", "validation_results"), "The program looks at the file itself."),
}


def _object(
    value: Any, where: str, known: tuple[str, ...], not_taken: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """`value`, if it is an object with known keys."""
    if not isinstance(value, dict):
        raise UsageError(f"{where[:1].upper()}{where[1:]} is no object", f"It may have: {', '.join(known)}.")
    reasons = {key: not_taken[key] for key in value if not_taken and key in not_taken}
    if reasons:
        verb = "is" if len(reasons) == 1 else "are"
        advice = " ".join(dict.fromkeys(reasons.values()))
        raise UsageError(f"{', '.join(reasons)} {verb} not taken out of {where}", advice)
    for key in value:
        if key not in known:
            raise UsageError(f"Unknown key {cut(key)!r} in {where}", choose_from(cut(key), known))
    return value


def _text(entry: Mapping[str, Any], key: str, where: str, *, needed: bool = False) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str) or ((key in entry or needed) and not value.strip()):
        raise UsageError(f"{key} is no text in {where}" if key in entry else f"{key} is missing in {where}", "Give it.")
    if cut(value) != value:
        raise UsageError(f"{key} is {len(value)} characters long in {where}", "Nobody would be shown all of it.")
    return value


def _list(value: Any, key: str, where: str, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise UsageError(f"{key} is no list in {where}", "Write it with [ and ].")
    if len(value) > most:
        raise UsageError(f"{key} has {len(value)} entries in {where}; the limit is {most}", "Leave some out.")
    return value
