"""The evidence about a file as plain values for JSON, and as lines for a person.

In: a `Verification`. Out: a dictionary whose foreign strings are cut but not escaped (JSON escapes them), or lines in
which every foreign string has passed sfumato.text.printable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from sfumato.text import printable

if TYPE_CHECKING:
    from provenance.manifests.claims import Ingredient
    from provenance.pki.certificates import CertificateView
    from provenance.verifying.verification import ClauseResult, Verification

SCHEMA_VERSION = 1
SAID_OF_SOURCE = {
    "trainedAlgorithmicMedia": "made by a trained algorithm",
    "compositeWithTrainedAlgorithmicMedia": "composed with parts made by a trained algorithm",
    "compositeSynthetic": "composed of synthetic parts",
    "algorithmicMedia": "made by an algorithm",
    "algorithmicallyEnhanced": "enhanced by an algorithm",
    "digitalCapture": "captured by a camera",
    "computationalCapture": "captured by a computational camera",
    "digitalCreation": "created with software by a person",
    "humanEdits": "edited by a person",
    "screenCapture": "a recording of a screen",
}


def record(found: Verification) -> dict[str, Any]:
    """The evidence as plain values for JSON; foreign strings are cut, not escaped."""
    return {
        "schema_version": SCHEMA_VERSION,
        "file": str(found.path),
        "outcome": found.outcome,
        "reason": found.reason,
        "codes": list(found.codes),
        "success_codes": list(found.successes),
        "other_codes": list(found.notes),
        "signer": {
            "common_name": found.signer,
            "organisation": found.organisation,
            "issuer": found.issuer,
            "development": found.development,
            "anchored": found.anchored,
            "allowed_list": found.listed,
        },
        "chain": [asdict(certificate) for certificate in found.chain],
        "time": found.time,
        "time_source": found.time_source,
        "stamp_chain": [asdict(certificate) for certificate in found.stamp_chain],
        "revocation": asdict(found.revocation),
        "declares": list(found.declares),
        "ingredient_declares": list(found.ingredient_declares),
        "title": found.title,
        "generator": found.generator,
        "facts": found.facts,
        "ingredients": [_ingredient(ingredient) for ingredient in found.ingredients],
        "identities": [asdict(identity) for identity in found.identities],
        "ingredients_left_out": found.ingredients_left_out,
        "not_covered": [asdict(part) for part in found.uncovered],
        "manifest_from": found.manifest_from,
        "remote_manifest": found.remote_manifest,
        "policy": None if found.policy is None else asdict(found.policy),
    }


def _ingredient(ingredient: Ingredient) -> dict[str, Any]:
    """As the verification has it, but for the view that it was judged by."""
    shown = asdict(replace(ingredient, view=None))
    del shown["view"]
    return shown


def describe(found: Verification) -> Iterator[str]:
    """Lines for a person: the outcome and what it rests on first, then what the file says about itself."""
    parts = [found.reason]
    if found.signer:
        parts.append(
            f"signer '{printable(found.signer, 80)}'"
            + (f" of '{printable(found.organisation, 80)}'" if found.organisation else "")
        )
    if found.development:
        parts.append("a development signer: anybody can make one")
    says = [SAID_OF_SOURCE.get(kind, printable(kind, 80)) for kind in found.declares]
    if says:
        parts.append(f"says: {', '.join(says)}")
    yield f"{printable(found.path, 500)}: {found.outcome}: {printable('; '.join(parts), 1000)}"
    if found.outcome != "untrusted" or found.codes != ("signingCredential.untrusted",):
        yield from line("codes", ", ".join(found.codes))
    yield from line("address", found.remote_manifest)
    if found.manifest_from not in ("", "the file"):
        yield from line("credential", f"not in the file, but from {found.manifest_from}")
    yield from line("title", found.title)
    yield from line("made with", found.generator)
    yield from _certificates("signed by", found.chain)
    for identity in found.identities:
        yield from line("identity", identity.said())
    if found.time:
        yield from line(
            "time", f"{found.time} ({'the signer says so' if found.time_source == 'claimed' else found.time_source})"
        )
    yield from _certificates("stamped by", found.stamp_chain)
    if found.revocation.state != "unknown" or found.revocation.source:
        yield from line("revocation", f"{found.revocation.state}: {found.revocation.reason}")
    if found.facts:
        named = ", ".join(
            f"{name} {found.facts[name]}" for name in ("model_name", "model_digest", "seed") if name in found.facts
        )
        yield from line("model", named)
        parameters = found.facts.get("parameters")
        if isinstance(parameters, dict) and isinstance(parameters.get("consent"), str):
            yield from line("right to use the portrait", parameters["consent"])
    yield from _ingredients(found)
    for part in found.uncovered:
        size = f" ({part.size} bytes)" if part.size else ""
        weight = "; IT DECIDES WHAT IS SHOWN" if part.essential else ""
        yield from line("not covered", f"{part.place}{size}{f': {part.remark}' if part.remark else ''}{weight}")
    if found.policy is not None:
        yield from _policy(found.policy, 0)


def line(name: str, value: str | None, depth: int = 0) -> Iterator[str]:
    """One indented line, or none for an empty value. The value is made printable here."""
    if value:
        yield f"    {'  ' * depth}{name}: {printable(value, 400)}"


def _certificates(name: str, chain: Sequence[CertificateView]) -> Iterator[str]:
    for certificate in chain:
        who = certificate.common_name or certificate.subject or "without a name"
        of = f" of {certificate.organisation}" if certificate.organisation else ""
        given = ", given here" if certificate.anchor else ""
        valid = f"{certificate.not_before[:10]} to {certificate.not_after[:10]}"
        yield from line(name, f"{who}{of} ({valid}, sha256 {certificate.fingerprint}{given})")
        name = "  issued by"


def _ingredients(found: Verification) -> Iterator[str]:
    for ingredient in found.ingredients:
        said = "".join(f", says: {SAID_OF_SOURCE.get(kind, kind)}" for kind in ingredient.declares)
        state = "no credential" if ingredient.state == "none" else ingredient.state
        why = f" ({', '.join(ingredient.codes)})" if ingredient.codes else ""
        text = f"{ingredient.title or 'untitled'} [{ingredient.relationship}]: {state}{why}{said}"
        yield from line(f"{'  ' * ingredient.depth}from", text)
    if found.ingredients_left_out:
        yield from line("from", "more ingredients, which are not looked at")


def _policy(result: ClauseResult, depth: int) -> Iterator[str]:
    yield from line(result.clause, f"{'held' if result.held else 'FAILED'}: {result.why}", depth)
    for part in result.parts:
        yield from _policy(part, depth + 1)
