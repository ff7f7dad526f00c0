"""What a manifest store says, taken out of the library's reports: one view of the active manifest, and the ingredients below it.

In: a `c2pa.Reader`. Out: `ManifestView` and `Ingredient`s, flat, each with its depth. Everything in a report may be of any
shape and size: missing or wrong parts become None or nothing, strings are cut, lists are capped, circles are walked once.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provenance.manifest import C2PA, GENERATION_LABEL, IPTC, SOURCE_TYPES

LONGEST = 1000  # characters of one foreign string
MOST = 100  # entries of one foreign list
DEEPEST = 8  # levels of ingredients, and of nested facts
# Failures that leave a manifest valid: nobody vouches for a signer, a time-stamp authority, or an identity in it.
NOT_VOUCHED = ("signingCredential.untrusted", "timeStamp.untrusted", "cawg.")


@dataclass(frozen=True)
class Ingredient:
    """Something the file was made from. `state`: trusted, untrusted, invalid, or none (it has no credential of its own).

    `depth`: 0 for the file's own ingredients, 1 for theirs. `codes`: failures, recorded at signing or found now.
    """

    title: str | None
    relationship: str | None
    media_type: str | None
    state: str
    codes: tuple[str, ...] = ()
    declares: tuple[str, ...] = ()
    depth: int = 0


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
    notes: tuple[str, ...] = ()  # codes that are neither failure nor success
    bindings: dict[str, dict[str, Any]] = field(default_factory=dict)  # the assertions that bind the manifest to the media


def read_views(reader: Any) -> tuple[ManifestView, tuple[Ingredient, ...]]:
    """The active manifest and all ingredients. Raises ValueError, TypeError or KeyError if there is no report to speak of."""
    report = json.loads(reader.json())
    label = report["active_manifest"]
    manifest = report["manifests"][label]
    results = _dict(_dict(report.get("validation_results")).get("activeManifest"))
    failures, successes = _codes(results.get("failure")), _codes(results.get("success"))
    full = _full_manifests(reader)
    signature = _dict(_dict(full.get(label)).get("signature"))
    subject, issuer = (_dict(_dict(signature.get("certificateInfo")).get(name)) for name in ("subject", "issuer"))
    information = _dict(manifest.get("signature_info"))
    time, time_source = _time(manifest, signature, information, successes)
    view = ManifestView(
        label=label,
        failures=failures,
        successes=successes,
        signer=_text(subject.get("CN")) or _text(information.get("common_name")),
        organisation=_text(subject.get("O")) or _text(information.get("issuer")),
        issuer=_text(issuer.get("CN")) or _text(issuer.get("O")),
        development=any("development" in str(value).lower() for value in (*subject.values(), information.get("common_name"))),
        time=time,
        time_source=time_source,
        declares=_declares(manifest),
        title=_text(manifest.get("title")),
        generator=_generator(manifest),
        facts=_facts(manifest),
        notes=_codes(results.get("informational")),
        bindings=_bindings(report, full, label),
    )
    return view, tuple(_ingredients(report, label))


def cut(text: object) -> str:
    """At most LONGEST characters of a foreign string; the rest is counted."""
    source = str(text)
    return source if len(source) <= LONGEST else f"{source[:LONGEST]}... ({len(source) - LONGEST} characters more)"


def source_type_name(uri: object) -> str | None:
    """The last part of a known digitalSourceType; anything else stays whole, so that a look-alike address is not taken for one."""
    if not isinstance(uri, str) or not uri:
        return None
    plain = uri.replace("https://", "http://", 1)
    if plain in SOURCE_TYPES or f"{IPTC}{uri}" in SOURCE_TYPES:
        return plain.removeprefix(IPTC).removeprefix(C2PA)
    return cut(uri)


def _full_manifests(reader: Any) -> dict[str, dict[str, Any]]:
    """The CR-JSON report by label: only there are the full names of signer and issuer, the time-stamp, and the hard bindings."""
    from c2pa import C2paError

    try:
        manifests = [_dict(manifest) for manifest in _list(json.loads(reader.crjson()).get("manifests"))]
    except (C2paError, ValueError, AttributeError, RecursionError):
        return {}
    return {manifest["label"]: manifest for manifest in reversed(manifests) if isinstance(manifest.get("label"), str)}


def _bindings(report: Mapping[str, Any], full: Mapping[str, dict[str, Any]], label: str) -> dict[str, dict[str, Any]]:
    """The hard bindings of a manifest; an update manifest has none and leans on its parent's."""
    for _ in range(DEEPEST):
        assertions = _dict(_dict(full.get(label)).get("assertions"))
        found = {name: _dict(data) for name, data in assertions.items() if name.startswith("c2pa.hash.")}
        parents = [
            _dict(entry).get("active_manifest")
            for entry in _list(_dict(_dict(report.get("manifests")).get(label)).get("ingredients"))
            if _dict(entry).get("relationship") == "parentOf"
        ]
        if found or len(parents) != 1 or not isinstance(parents[0], str):
            return found
        label = parents[0]
    return {}


def _time(
    manifest: Mapping[str, Any], signature: Mapping[str, Any], information: Mapping[str, Any], successes: tuple[str, ...]
) -> tuple[str | None, str]:
    stamped = _text(_dict(signature.get("timeStampInfo")).get("timestamp")) or _text(information.get("time"))
    if stamped:
        return stamped, "time-stamp" if "timeStamp.trusted" in successes else "unverified time-stamp"
    claimed = next((when for action in _actions(manifest) if (when := _text(action.get("when")))), None)
    return claimed, "claimed" if claimed else ""


def _actions(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for assertion in _list(manifest.get("assertions")):
        if str(_dict(assertion).get("label", "")).startswith("c2pa.actions"):
            yield from (_dict(action) for action in _list(_dict(assertion.get("data")).get("actions"))[:MOST])


def _declares(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    names = (source_type_name(action.get("digitalSourceType")) for action in _actions(manifest))
    return tuple(dict.fromkeys(name for name in names if name))


def _facts(manifest: Mapping[str, Any]) -> dict[str, Any]:
    for assertion in _list(manifest.get("assertions")):
        if _dict(assertion).get("label") == GENERATION_LABEL and isinstance(assertion.get("data"), dict):
            bounded: dict[str, Any] = _bounded(assertion["data"], 0)
            return bounded
    return {}


def _generator(manifest: Mapping[str, Any]) -> str | None:
    for entry in _list(manifest.get("claim_generator_info"))[:1]:
        name, version = _text(_dict(entry).get("name")), _text(_dict(entry).get("version"))
        if name:
            return f"{name} {version}" if version else name
    return _text(manifest.get("claim_generator"))


def _ingredients(report: Mapping[str, Any], active: str) -> Iterator[Ingredient]:
    """Each ingredient, followed by its own; a manifest is opened once, however often it is named."""
    manifests, deltas = _dict(report.get("manifests")), _deltas(report)
    opened = {active}

    def walk(label: str, depth: int) -> Iterator[Ingredient]:
        for entry in map(_dict, _list(_dict(manifests.get(label)).get("ingredients"))[:MOST]):
            below = entry.get("active_manifest")
            manifest = _dict(manifests.get(below)) if isinstance(below, str) else {}
            state, codes = _state(entry, isinstance(below, str), deltas.get(f"{label}/{entry.get('label')}", ((), ())))
            yield Ingredient(
                title=_text(entry.get("title")),
                relationship=_text(entry.get("relationship")),
                media_type=_text(entry.get("format")),
                state=state,
                codes=codes,
                declares=_declares(manifest),
                depth=depth,
            )
            if isinstance(below, str) and below not in opened and depth + 1 < DEEPEST:
                opened.add(below)
                yield from walk(below, depth + 1)

    yield from itertools.islice(walk(active, 0), MOST + 1)  # one more than is shown says that there are more


def _state(entry: Mapping[str, Any], has_manifest: bool, delta: tuple[tuple[str, ...], tuple[str, ...]]) -> tuple[str, tuple[str, ...]]:
    """State and failure codes: what was recorded when the ingredient was taken in, corrected by what is found now."""
    recorded = _dict(_dict(entry.get("validation_results")).get("activeManifest"))
    old = entry.get("validation_status")  # the older form: failures only
    failures = dict.fromkeys((*_codes(recorded.get("failure")), *_codes(old), *delta[0]))
    successes = {*_codes(recorded.get("success")), *delta[1]}
    if "signingCredential.trusted" in delta[1]:
        failures.pop("signingCredential.untrusted", None)
    codes = tuple(failures)
    if any(not code.startswith(NOT_VOUCHED) for code in codes):
        return "invalid", codes
    if not has_manifest:
        return "none", codes
    return ("trusted" if "signingCredential.trusted" in successes and not codes else "untrusted"), codes


def _deltas(report: Mapping[str, Any]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """What validation now found different about each ingredient: "manifest/assertion" -> (failures, successes)."""
    found = {}
    for entry in _list(_dict(report.get("validation_results")).get("ingredientDeltas"))[:MOST]:
        parts = str(_dict(entry).get("ingredientAssertionURI", "")).split("/")
        delta = _dict(_dict(entry).get("validationDeltas"))
        if len(parts) >= 4:  # self#jumbf=/c2pa/<manifest>/c2pa.assertions/<assertion>
            found[f"{parts[-3]}/{parts[-1]}"] = (_codes(delta.get("failure")), _codes(delta.get("success")))
    return found


def _codes(entries: Any) -> tuple[str, ...]:
    codes = (_text(_dict(entry).get("code")) for entry in _list(entries)[: MOST * 10])
    return tuple(dict.fromkeys(code for code in codes if code))[:MOST]


def _bounded(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return {cut(key): _bounded(item, depth + 1) for key, item in list(value.items())[:MOST]} if depth < DEEPEST else {}
    if isinstance(value, list):
        return [_bounded(item, depth + 1) for item in value[:MOST]] if depth < DEEPEST else []
    return cut(value) if isinstance(value, str) else value


def _text(value: Any) -> str | None:
    return cut(value) if isinstance(value, str) and value else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
