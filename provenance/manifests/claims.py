"""What a manifest store says, taken out of the library's reports: one view of the active manifest, and the ingredients
below it.

In: a `c2pa.Reader`. Out: `ManifestView` and `Ingredient`s, flat, each with its depth. Everything in a report may be of
any shape and size: missing or wrong parts become None or nothing, strings are cut, lists are capped, circles are walked
once.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provenance.formats.untrusted import DEEPEST, MOST, bounded, codes_of, dict_of, list_of, text_of
from provenance.manifests.generation_assertion import GENERATION_LABEL
from provenance.manifests.identities import Identity, identities_in
from provenance.manifests.source_types import source_type_name

# Failures that leave a manifest valid: nobody vouches for a signer, a time-stamp authority, or an identity in it.
NOT_VOUCHED = ("signingCredential.untrusted", "timeStamp.untrusted", "cawg.")
CIRCULAR = "org.sfumato.ingredient.circular"
SOURCE_TYPE = "digitalSourceType"
STAMP_PREFIX = "timeStamp."


@dataclass(frozen=True)
class ManifestView:
    """The active manifest: its label, the codes of its validation, who signed when, and what it says."""

    label: str
    failures: tuple[str, ...]
    successes: tuple[str, ...]
    signer: str | None
    organisation: str | None
    issuer: str | None
    development: bool
    time: str | None
    time_source: str
    declares: tuple[str, ...]
    title: str | None
    generator: str | None
    facts: dict[str, Any] = field(default_factory=dict)
    identities: tuple[Identity, ...] = ()
    notes: tuple[str, ...] = ()  # codes that are neither failure nor success
    bindings: dict[str, dict[str, Any]] = field(
        default_factory=dict
    )  # the assertions that bind the manifest to the media


@dataclass(frozen=True)
class Ingredient:
    """Something the file was made from. `state`: trusted, untrusted, invalid, or none (it has no credential of its
    own).

    `label`: of its manifest, if it has one. `depth`: 0 for the file's own ingredients, 1 for theirs. `codes`: failures,
    recorded at signing or found now. `declares`: what its own manifest says, and what is said of it where it was taken
    in. `reason`: why it is in that state, where it has a manifest. `view`: of that manifest, for whoever judges it.
    """

    title: str | None
    relationship: str | None
    media_type: str | None
    state: str
    codes: tuple[str, ...] = ()
    declares: tuple[str, ...] = ()
    depth: int = 0
    label: str | None = None
    reason: str = ""
    view: ManifestView | None = None


@dataclass(frozen=True)
class Codes:
    """The codes of one validation."""

    failures: tuple[str, ...] = ()
    successes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, results: Any) -> Codes:
        lists = (dict_of(results).get(name) for name in ("failure", "success", "informational"))
        return cls(*map(codes_of, lists))

    def __or__(self, other: Codes) -> Codes:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Codes(*(tuple(dict.fromkeys((*one, *two))) for one, two in pairs))


def read_views(reader: Any) -> tuple[ManifestView, tuple[Ingredient, ...]]:
    """The active manifest and all ingredients. Raises ValueError, TypeError or KeyError if there is no report to speak
    of.
    """
    report = json.loads(reader.json())
    label = report["active_manifest"]
    manifest = report["manifests"][label]
    full = full_manifests(reader)
    found = Codes.of(dict_of(report.get("validation_results")).get("activeManifest"))
    return _view(report, full, label, manifest, found), tuple(_ingredients(report, full, label))


def _view(
    report: Mapping[str, Any], full: Mapping[str, dict[str, Any]], label: str, manifest: Any, found: Codes
) -> ManifestView:
    signature = dict_of(dict_of(full.get(label)).get("signature"))
    subject, issuer = (dict_of(dict_of(signature.get("certificateInfo")).get(name)) for name in ("subject", "issuer"))
    information = dict_of(manifest.get("signature_info"))
    time, time_source = _time(manifest, signature, information, found.successes)
    return ManifestView(
        label=label,
        failures=found.failures,
        successes=found.successes,
        signer=text_of(subject.get("CN")) or text_of(information.get("common_name")),
        organisation=text_of(subject.get("O")) or text_of(information.get("issuer")),
        issuer=text_of(issuer.get("CN")) or text_of(issuer.get("O")),
        development=any(
            "development" in str(value).lower() for value in (*subject.values(), information.get("common_name"))
        ),
        time=time,
        time_source=time_source,
        declares=_declares(manifest),
        title=text_of(manifest.get("title")),
        generator=generator_of(manifest),
        facts=_facts(manifest),
        identities=identities_in(manifest),
        notes=found.notes,
        bindings=_bindings(report, full, label),
    )


def full_manifests(reader: Any) -> dict[str, dict[str, Any]]:
    """The CR-JSON report by label: only there are the full names of signer and issuer, the time-stamp, and the hard
    bindings.
    """
    from c2pa import C2paError

    try:
        manifests = [dict_of(manifest) for manifest in list_of(json.loads(reader.crjson()).get("manifests"))]
    except (C2paError, ValueError, AttributeError, RecursionError):
        return {}
    return {manifest["label"]: manifest for manifest in reversed(manifests) if isinstance(manifest.get("label"), str)}


def _bindings(report: Mapping[str, Any], full: Mapping[str, dict[str, Any]], label: str) -> dict[str, dict[str, Any]]:
    """The hard bindings of a manifest; an update manifest has none and leans on its parent's."""
    for _ in range(DEEPEST):
        assertions = dict_of(dict_of(full.get(label)).get("assertions"))
        found = {name: dict_of(data) for name, data in assertions.items() if name.startswith("c2pa.hash.")}
        parents = [
            dict_of(entry).get("active_manifest")
            for entry in list_of(dict_of(dict_of(report.get("manifests")).get(label)).get("ingredients"))
            if dict_of(entry).get("relationship") == "parentOf"
        ]
        if found or len(parents) != 1 or not isinstance(parents[0], str):
            return found
        label = parents[0]
    return {}


def _time(
    manifest: Mapping[str, Any],
    signature: Mapping[str, Any],
    information: Mapping[str, Any],
    successes: tuple[str, ...],
) -> tuple[str | None, str]:
    stamped = text_of(dict_of(signature.get("timeStampInfo")).get("timestamp")) or text_of(information.get("time"))
    if stamped:
        return stamped, "time-stamp" if "timeStamp.trusted" in successes else "unverified time-stamp"
    claimed = next((when for action in _actions(manifest) if (when := text_of(action.get("when")))), None)
    return claimed, "claimed" if claimed else ""


def _actions(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for assertion in list_of(manifest.get("assertions")):
        if str(dict_of(assertion).get("label", "")).startswith("c2pa.actions"):
            yield from (dict_of(action) for action in list_of(dict_of(assertion.get("data")).get("actions"))[:MOST])


def _declares(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    names = (source_type_name(action.get(SOURCE_TYPE)) for action in _actions(manifest))
    return tuple(dict.fromkeys(name for name in names if name))


def _facts(manifest: Mapping[str, Any]) -> dict[str, Any]:
    for assertion in list_of(manifest.get("assertions")):
        if dict_of(assertion).get("label") == GENERATION_LABEL and isinstance(assertion.get("data"), dict):
            facts: dict[str, Any] = bounded(assertion["data"])
            return facts
    return {}


def generator_of(manifest: Mapping[str, Any]) -> str | None:
    for entry in list_of(manifest.get("claim_generator_info"))[:1]:
        name, version = text_of(dict_of(entry).get("name")), text_of(dict_of(entry).get("version"))
        if name:
            return f"{name} {version}" if version else name
    return text_of(manifest.get("claim_generator"))


def _ingredients(report: Mapping[str, Any], full: Mapping[str, dict[str, Any]], active: str) -> Iterator[Ingredient]:
    """Each ingredient, followed by its own; a manifest is opened once, however often it is named. What is found about a
    manifest counts wherever it is named: the library may report it in one of the places.
    """
    manifests, deltas = dict_of(report.get("manifests")), _deltas(report)
    opened = {active}
    found: dict[str, Codes] = {}
    for label in itertools.islice(manifests, MOST):
        for entry in map(dict_of, list_of(dict_of(manifests[label]).get("ingredients"))[:MOST]):
            below = entry.get("active_manifest")
            if isinstance(below, str):
                found[below] = found.get(below, Codes()) | deltas.get(f"{label}/{entry.get('label')}", Codes())

    def walk(label: str, above: tuple[str, ...]) -> Iterator[Ingredient]:
        stated = dict_of(dict_of(full.get(label)).get("assertions"))
        for entry in map(dict_of, list_of(dict_of(manifests.get(label)).get("ingredients"))[:MOST]):
            below = entry.get("active_manifest")
            named = isinstance(below, str)
            manifest = dict_of(manifests.get(below)) if isinstance(below, str) else {}
            now = deltas.get(f"{label}/{entry.get('label')}", Codes()) | found.get(str(below), Codes())
            state, codes = ingredient_state(entry, named, (now.failures, now.successes))
            if below in above:
                state, codes = "invalid", (*codes, CIRCULAR)
            recorded = Codes.of(dict_of(entry.get("validation_results")).get("activeManifest"))
            own = entry.get("digital_source_type") or dict_of(stated.get(str(entry.get("label")))).get(SOURCE_TYPE)
            yield Ingredient(
                title=text_of(entry.get("title")),
                relationship=text_of(entry.get("relationship")),
                media_type=text_of(entry.get("format")),
                state=state,
                codes=codes,
                declares=_with_source_type(_declares(manifest), own),
                depth=len(above) - 1,
                label=text_of(below),
                view=_view(report, full, str(below), manifest, _seen(codes, recorded, now)) if manifest else None,
            )
            if isinstance(below, str) and below not in opened and len(above) < DEEPEST:
                opened.add(below)
                yield from walk(below, (*above, below))

    yield from itertools.islice(walk(active, (active,)), MOST + 1)  # one more than is shown says that there are more


def _seen(failures: tuple[str, ...], recorded: Codes, now: Codes) -> Codes:
    """The codes of an ingredient's manifest. A record is the word of whoever took it in: what it says well of a
    time-stamp does not count once the library has anything else to say of it.
    """
    successes = tuple(dict.fromkeys((*recorded.successes, *now.successes)))
    stamp = [code for code in (*now.failures, *now.notes) if code.startswith(STAMP_PREFIX)]
    if stamp:
        successes = tuple(code for code in successes if not code.startswith(STAMP_PREFIX))
    return Codes(failures, successes, now.notes)


def _with_source_type(declares: tuple[str, ...], own: Any) -> tuple[str, ...]:
    name = source_type_name(own)
    return tuple(dict.fromkeys((*declares, *([name] if name else []))))


def ingredient_state(
    entry: Mapping[str, Any], has_manifest: bool, delta: tuple[tuple[str, ...], tuple[str, ...]]
) -> tuple[str, tuple[str, ...]]:
    """State and failure codes: what was recorded when the ingredient was taken in, corrected by what is found now."""
    recorded = dict_of(dict_of(entry.get("validation_results")).get("activeManifest"))
    old = entry.get("validation_status")  # the older form: failures only
    failures = dict.fromkeys((*codes_of(recorded.get("failure")), *codes_of(old), *delta[0]))
    successes = {*codes_of(recorded.get("success")), *delta[1]}
    if "signingCredential.trusted" in delta[1]:
        failures.pop("signingCredential.untrusted", None)
    codes = tuple(failures)
    if any(not code.startswith(NOT_VOUCHED) for code in codes):
        return "invalid", codes
    if not has_manifest:
        return "none", codes
    return ("trusted" if "signingCredential.trusted" in successes and not codes else "untrusted"), codes


def ingredient_deltas(report: Mapping[str, Any]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """What validation now found different about each ingredient: "manifest/assertion" -> (failures, successes)."""
    return {place: (found.failures, found.successes) for place, found in _deltas(report).items()}


def _deltas(report: Mapping[str, Any]) -> dict[str, Codes]:
    found = {}
    for entry in list_of(dict_of(report.get("validation_results")).get("ingredientDeltas"))[:MOST]:
        parts = str(dict_of(entry).get("ingredientAssertionURI", "")).split("/")
        if len(parts) >= 4:  # self#jumbf=/c2pa/<manifest>/c2pa.assertions/<assertion>
            found[f"{parts[-3]}/{parts[-1]}"] = Codes.of(dict_of(entry).get("validationDeltas"))
    return found
