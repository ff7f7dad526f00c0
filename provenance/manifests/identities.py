"""Who a manifest says stands behind it, beside its signer: CAWG identity assertions 1.2, as what they state.

In: one manifest of the library's report. Out: an `Identity` for each `cawg.identity`: by an X.509 certificate of its
own, or by identity claims that somebody has gathered (documents, social media, affiliations). Nothing of it is verified
here: no root for identities can be given, and no provider is asked. Every string is foreign, cut to a length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provenance.formats.untrusted import MOST, dict_of, list_of, text_of

LABEL = "cawg.identity"
X509, AGGREGATION = "cawg.x509.cose", "cawg.identity_claims_aggregation"
KINDS = {X509: "X.509 certificate", AGGREGATION: "identity claims aggregation"}


@dataclass(frozen=True)
class Claim:
    """One gathered claim. `kind`: as social_media or document_verification. `provider`: who is said to have checked it,
    `checked` when.
    """

    kind: str | None
    name: str | None
    address: str | None
    provider: str | None
    checked: str | None


@dataclass(frozen=True)
class Identity:
    """`kind`: what stands behind it, or the foreign name of another thing. `name`, `organisation`: of a certificate.

    `stated_by`: who gathered the claims. `roles`: what the named one says that it did. `verified`: never, so far.
    """

    label: str
    kind: str
    name: str | None = None
    organisation: str | None = None
    stated_by: str | None = None
    roles: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    verified: bool = False

    def said(self) -> str:
        """One line for a person; its parts are foreign."""
        parts = [self.name or "", f"of {self.organisation}" if self.organisation else ""]
        parts += [_said(claim) for claim in self.claims]
        who = "; ".join(part for part in parts if part) or "nobody named"
        roles = f", as {', '.join(self.roles)}" if self.roles else ""
        return f"{who}{roles} (stated by {self.kind}, not verified)"


def identities_in(manifest: Mapping[str, Any]) -> tuple[Identity, ...]:
    """In the order of the manifest."""
    entries = [dict_of(entry) for entry in list_of(manifest.get("assertions"))[:MOST]]
    return tuple(
        _identity(label, dict_of(entry.get("data")))
        for entry in entries
        if (label := str(entry.get("label", ""))).split("__")[0] == LABEL
    )


def _identity(label: str, data: Mapping[str, Any]) -> Identity:
    payload = dict_of(data.get("signer_payload")) or dict_of(data.get("c2paAsset"))
    form = text_of(payload.get("sig_type")) or "something unnamed"
    roles = tuple(role for entry in list_of(payload.get("role"))[:MOST] if (role := text_of(entry)))
    certificate = dict_of(data.get("signature_info"))
    issuer = data.get("issuer")
    return Identity(
        label=text_of(label) or LABEL,
        kind=KINDS.get(form, form),
        name=text_of(certificate.get("common_name")),
        organisation=text_of(certificate.get("issuer")),
        stated_by=text_of(issuer) or text_of(dict_of(issuer).get("id")),
        roles=roles,
        claims=tuple(_claim(dict_of(entry)) for entry in list_of(data.get("verifiedIdentities"))[:MOST]),
    )


def _claim(entry: Mapping[str, Any]) -> Claim:
    kind, provider = text_of(entry.get("type")), dict_of(entry.get("provider"))
    return Claim(
        kind=kind.removeprefix("cawg.") if kind else None,
        name=text_of(entry.get("name")) or text_of(entry.get("username")),
        address=text_of(entry.get("uri")) or text_of(entry.get("address")),
        provider=text_of(provider.get("name")) or text_of(provider.get("id")),
        checked=text_of(entry.get("verifiedAt")),
    )


def _said(claim: Claim) -> str:
    what = (claim.kind or "claim").replace("_", " ")
    name = " ".join(part for part in (claim.name, claim.address) if part)
    return f"{what} {name}".rstrip() + (f" according to {claim.provider}" if claim.provider else "")
