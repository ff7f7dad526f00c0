"""The manifest of a generated video: what it is, by which model, from whose portrait and which motion.

In: `GeneratedFacts`. Out: a manifest definition for the C2PA builder and the portraits as ingredients. Follows the C2PA
specification 2.4: claim version 2, `c2pa.actions.v2` with `c2pa.created` first and its digitalSourceType, all actions
included, portraits as `inputTo` ingredients, and one assertion of our own, `org.sfumato.generation`.

The C2PA library signs a manifest with an invented digitalSourceType, or one that was created and has a parent too,
without a word; `check_manifest` refuses them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato import __version__
from sfumato.errors import SealError

if TYPE_CHECKING:
    from provenance.manifests.soft_binding import SoftBinding
    from sfumato.media.video import GeneratedFacts

SPECIFICATION = "2.4.0"
GENERATION_LABEL = "org.sfumato.generation"  # a custom label needs a dot
GENERATION_SCHEMA = 1
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
C2PA = "http://c2pa.org/digitalsourcetype/"
_IPTC_NAMES = (
    *("algorithmicMedia", "algorithmicallyEnhanced", "composite", "compositeCapture", "compositeSynthetic"),
    *(
        "compositeWithTrainedAlgorithmicMedia",
        "computationalCapture",
        "dataDrivenMedia",
        "digitalArt",
        "digitalCapture",
    ),
    *(
        "digitalCreation",
        "humanEdits",
        "minorHumanEdits",
        "multiFrameComputationalCapture",
        "negativeFilm",
        "positiveFilm",
    ),
    *("print", "screenCapture", "softwareImage", "trainedAlgorithmicMedia", "virtualRecording"),
)
SOURCE_TYPES = frozenset({*(IPTC + name for name in _IPTC_NAMES), C2PA + "empty", C2PA + "trainedAlgorithmicData"})
GENERATED = IPTC + "trainedAlgorithmicMedia"
MAGIC = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
BRANDS = {
    b"avif": "image/avif",
    b"heic": "image/heic",
    b"mif1": "image/heif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}
_LARGEST = 2**63  # the library stores integers as 64 bits with a sign


@dataclass(frozen=True)
class IngredientFile:
    """One file as an ingredient: `reference` names it inside the manifest; its file name stays private.

    relationship: inputTo (a model was given it), componentOf (it is in the picture), parentOf (the asset is an edit of
    it).
    """

    path: Path
    reference: str
    media_type: str
    digest: str = ""  # sha256, hex, where the manifest states it
    relationship: str = "inputTo"

    def definition(self) -> dict[str, str]:
        return {"title": self.reference, "relationship": self.relationship, "label": self.reference}


def portrait_ingredients(portraits: Sequence[Path], known_digests: Sequence[str] = ()) -> list[IngredientFile]:
    """Reads the type of each portrait and (streaming) its digest; `known_digests`: those taken already, one each.
    Raises SealError if one cannot be read.
    """
    found = []
    known = dict(zip(portraits, known_digests, strict=True)) if known_digests else {}
    for number, path in enumerate(portraits, start=1):
        try:
            with path.open("rb") as file:
                media_type = media_type_of_bytes(file.read(32))
                file.seek(0)
                digest = known.get(path) or hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise SealError(
                f"Cannot read the portrait {path}: {error.strerror}", "Keep it in place until the video is done."
            ) from error
        reference = "portrait" if len(portraits) == 1 else f"portrait-{number}"
        found.append(IngredientFile(path, reference, media_type, digest))
    return found


def ingredient_file(path: Path, reference: str, relationship: str) -> IngredientFile:
    """One ingredient; only its first bytes are read. Raises SealError if they cannot be."""
    try:
        with path.open("rb") as file:
            return IngredientFile(path, reference, media_type_of_bytes(file.read(32)), "", relationship)
    except OSError as error:
        raise SealError(
            f"Cannot read the ingredient {path}: {error.strerror}", "Give a file that can be read."
        ) from error


def file_digest(path: Path) -> str:
    """SHA-256 in hex, streaming. Raises SealError if the file cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SealError(f"Cannot read {path}: {error.strerror}", "Give a file that can be read.") from error


def generated_manifest(
    facts: GeneratedFacts,
    portraits: Sequence[IngredientFile],
    media_type: str = "video/mp4",
    when: datetime | None = None,
    soft_binding: SoftBinding | None = None,
) -> dict[str, Any]:
    """The manifest definition of a generated video. `when`: time of creation (now), stated by the signer.
    `soft_binding`: its watermark.

    Raises SealError for facts that JSON or CBOR cannot hold (a number that is not finite) or an empty digest.
    """
    created: dict[str, Any] = {
        "action": "c2pa.created",
        "digitalSourceType": GENERATED,
        "when": (when or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "softwareAgent": {"name": "sfumato", "version": __version__},
        "parameters": {"ingredientIds": [portrait.reference for portrait in portraits]},
    }
    if not portraits:
        del created["parameters"]
    manifest: dict[str, Any] = {
        "claim_version": 2,
        "claim_generator_info": [{"name": "sfumato", "version": __version__, "specVersion": SPECIFICATION}],
        "title": facts.title,
        "format": media_type,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created], "allActionsIncluded": True}},
            {"label": GENERATION_LABEL, "data": generation_assertion(facts, portraits)},
        ],
    }
    if soft_binding is not None:
        actions = manifest["assertions"][0]["data"]["actions"]
        actions.append(soft_binding.action(created["when"], created["softwareAgent"]))
        manifest["assertions"].append(soft_binding.assertion())
    check_manifest(manifest, [portrait.definition() for portrait in portraits])
    return manifest


def generation_assertion(facts: GeneratedFacts, portraits: Sequence[IngredientFile]) -> dict[str, Any]:
    """Our assertion. Digests are SHA-256 in hex; `portrait_digests` has the order of the ingredients; pictures that are
    not at hand follow. Raises SealError."""
    for name, digest in (("model", facts.model_digest), ("motion", facts.motion_digest)):
        if not digest:
            raise SealError(f"The seal has no {name} digest", "Give the SHA-256 of the file that was used.")
    return {
        "schema_version": GENERATION_SCHEMA,
        "model_name": facts.model_name,
        "model_digest": facts.model_digest,
        "seed": plain("seed", facts.seed),
        "portrait_digests": [*(portrait.digest for portrait in portraits), *facts.portrait_digests],
        "motion_digest": facts.motion_digest,
        "parameters": {str(name): plain(str(name), value) for name, value in facts.parameters.items()},
    }


def check_manifest(manifest: Mapping[str, Any], ingredients: Sequence[Mapping[str, Any]]) -> None:
    """What the C2PA library does not look at. Raises SealError for the first fault.

    One actions assertion, opening with created or opened; a known digitalSourceType wherever one stands and always for
    created; no parent beside created; custom labels with a dot; a watermark that is bound has its soft binding.
    """
    labels = [str(assertion["label"]) for assertion in manifest["assertions"]]
    undotted = [label for label in labels if "." not in label]
    if undotted:
        raise SealError(
            f"The assertion label {undotted[0]!r} has no dot", "Use a name of your own domain, as org.example.facts."
        )
    stated = [
        assertion["data"]["actions"]
        for assertion in manifest["assertions"]
        if assertion["label"].startswith("c2pa.actions")
    ]
    actions = [action for part in stated for action in part]
    if not actions or actions[0]["action"] not in ("c2pa.created", "c2pa.opened"):
        raise SealError("The first action of a manifest must be c2pa.created or c2pa.opened")
    if any(action["action"] in ("c2pa.created", "c2pa.opened") for action in actions[1:]):
        raise SealError("Only the first action of a manifest may be c2pa.created or c2pa.opened")
    if any(action["action"] == "c2pa.watermarked.bound" for action in actions) and "c2pa.soft-binding" not in labels:
        raise SealError("A bound watermark is stated, but not which one", "Add the c2pa.soft-binding assertion.")
    for action in actions:
        source_type = action.get("digitalSourceType")
        if source_type not in SOURCE_TYPES and (source_type is not None or action["action"] == "c2pa.created"):
            raise SealError(
                f"{source_type!r} is not a digitalSourceType of the IPTC list", f"For example: {GENERATED}."
            )
    parents = sum(ingredient.get("relationship") == "parentOf" for ingredient in ingredients)
    if actions[0]["action"] == "c2pa.created" and parents:
        raise SealError("A created asset cannot have a parent", "Name what it was made from as inputTo or componentOf.")
    if parents > 1:
        raise SealError("An asset has at most one parent", "Name the others as componentOf.")


def source_type_name(address: str) -> str:
    """The last part of a known digitalSourceType address."""
    return address.removeprefix(IPTC).removeprefix(C2PA)


def plain(name: str, value: str | int | float | bool) -> str | int | float | bool:
    """A value as the manifest can hold it: an integer beyond 64 bits becomes its decimal digits."""
    if isinstance(value, float) and not math.isfinite(value):
        raise SealError(f"The parameter {name!r} is {value}", "Only finite numbers can be sealed.")
    if not isinstance(value, str | int | float):
        raise SealError(
            f"The parameter {name!r} is of type {type(value).__name__}", "Give text, a number, or true or false."
        )
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return str(value)
    return value


def media_type_of_bytes(head: bytes) -> str:
    """By the first bytes, not by the name: the library trusts what it is told and fails on a PNG called .jpg."""
    if head[4:8] == b"ftyp":
        return BRANDS.get(head[8:12], "video/mp4")
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"AVI ": "video/avi"}.get(head[8:12], "application/octet-stream")
    if head[4:8] in (b"moov", b"wide", b"mdat"):  # QuickTime before it had ftyp
        return "video/quicktime"
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "application/octet-stream")
