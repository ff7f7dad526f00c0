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


@dataclass(frozen=True)
class Ingredient:
    """Something the file was made from. `state`: trusted, untrusted, invalid, or none (it has no credential of its
    own).

    `label`: of its manifest, if it has one. `depth`: 0 for the file's own ingredients, 1 for theirs. `codes`: failures,
    recorded at signing or found now.
    """

    title: str | None
    relationship: str | None
    media_type: str | None
    state: str
    codes: tuple[str, ...] = ()
    declares: tuple[str, ...] = ()
    depth: int = 0
    label: str | None = None


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


def read_views(reader: Any) -> tuple[ManifestView, tuple[Ingredient, ...]]:
    """The active manifest and all ingredients. Raises ValueError, TypeError or KeyError if there is no report to speak
    of.
    """
    report = json.loads(reader.json())
    label = report["active_manifest"]
    manifest = report["manifests"][label]
    results = dict_of(dict_of(report.get("validation_results")).get("activeManifest"))
    failures, successes = codes_of(results.get("failure")), codes_of(results.get("success"))
    full = full_manifests(reader)
    signature = dict_of(dict_of(full.get(label)).get("signature"))
    subject, issuer = (dict_of(dict_of(signature.get("certificateInfo")).get(name)) for name in ("subject", "issuer"))
    information = dict_of(manifest.get("signature_info"))
    time, time_source = _time(manifest, signature, information, successes)
    view = ManifestView(
        label=label,
        failures=failures,
        successes=successes,
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
        notes=codes_of(results.get("informational")),
        bindings=_bindings(report, full, label),
    )
    return view, tuple(_ingredients(report, label))


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
    names = (source_type_name(action.get("digitalSourceType")) for action in _actions(manifest))
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


def _ingredients(report: Mapping[str, Any], active: str) -> Iterator[Ingredient]:
    """Each ingredient, followed by its own; a manifest is opened once, however often it is named."""
    manifests, deltas = dict_of(report.get("manifests")), ingredient_deltas(report)
    opened = {active}

    def walk(label: str, depth: int) -> Iterator[Ingredient]:
        for entry in map(dict_of, list_of(dict_of(manifests.get(label)).get("ingredients"))[:MOST]):
            below = entry.get("active_manifest")
            manifest = dict_of(manifests.get(below)) if isinstance(below, str) else {}
            state, codes = ingredient_state(
                entry, isinstance(below, str), deltas.get(f"{label}/{entry.get('label')}", ((), ()))
            )
            yield Ingredient(
                title=text_of(entry.get("title")),
                relationship=text_of(entry.get("relationship")),
                media_type=text_of(entry.get("format")),
                state=state,
                codes=codes,
                declares=_declares(manifest),
                depth=depth,
                label=text_of(below),
            )
            if isinstance(below, str) and below not in opened and depth + 1 < DEEPEST:
                opened.add(below)
                yield from walk(below, depth + 1)

    yield from itertools.islice(walk(active, 0), MOST + 1)  # one more than is shown says that there are more


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
    found = {}
    for entry in list_of(dict_of(report.get("validation_results")).get("ingredientDeltas"))[:MOST]:
        parts = str(dict_of(entry).get("ingredientAssertionURI", "")).split("/")
        delta = dict_of(dict_of(entry).get("validationDeltas"))
        if len(parts) >= 4:  # self#jumbf=/c2pa/<manifest>/c2pa.assertions/<assertion>
            found[f"{parts[-3]}/{parts[-1]}"] = (codes_of(delta.get("failure")), codes_of(delta.get("success")))
    return found
