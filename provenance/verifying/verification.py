"""The evidence about one file: what `verify` gives, a policy weighs and a report shows.

trusted      valid, the signer's certificates lead to a root given for signers (or the first one is on an allowed list),
             and the policy, if there is one, holds
untrusted    valid, but nothing given here vouches for the signer (or for an identity that the file names), or the
             policy fails
none         no credential in the file, or only an address of one that nobody allowed to visit
invalid      the media or the manifest changed after signing, the signature is wrong, or the manifest cannot be made
             sense of
unreadable   no such file, empty, truncated, or no media that can be looked at
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provenance.formats.uncovered import Uncovered
from provenance.manifests.claims import Ingredient
from provenance.manifests.identities import Identity
from provenance.pki.certificates import CertificateView
from provenance.pki.revocation import Revocation

OUTCOMES = ("trusted", "untrusted", "none", "invalid", "unreadable")  # from good to bad


@dataclass(frozen=True)
class ClauseResult:
    """One clause of a policy, looked at: its name, whether it held, why, and the clauses inside it."""

    clause: str
    held: bool
    why: str
    parts: tuple[ClauseResult, ...] = ()


@dataclass(frozen=True)
class Verification:
    """The evidence about one file. `codes`: failures by their C2PA names, `successes`: checks that held, `notes`: the
    rest.

    time: ISO 8601, and `time_source` says how it is known: "time-stamp" (of an authority given here), "unverified
    time-stamp", "claimed" (the signer's own word), or "". `declares` and `ingredient_declares` are the last parts of
    digitalSourceTypes.
    `identities`: who the file says stands behind it (CAWG), which is not verified.
    `facts`: our assertion about a generated video, as far as it is there. `anchored`: the chain leads to a given root;
    `listed`: it does not, but the signer's certificate is on an allowed list.
    `chain`: signer first, up to the anchor if there is one; `stamp_chain`: the same for the time-stamp authority.
    `uncovered`: parts of this file that the signature leaves out. `manifest_from`: "the file", "sidecar NAME", or an
    address.
    """

    path: Path
    outcome: str
    codes: tuple[str, ...] = ()
    successes: tuple[str, ...] = ()
    reason: str = ""
    signer: str | None = None
    organisation: str | None = None
    issuer: str | None = None
    development: bool = False
    anchored: bool = False
    time: str | None = None
    time_source: str = ""
    declares: tuple[str, ...] = ()
    ingredient_declares: tuple[str, ...] = ()
    title: str | None = None
    generator: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    ingredients: tuple[Ingredient, ...] = ()
    remote_manifest: str | None = None
    notes: tuple[str, ...] = ()
    chain: tuple[CertificateView, ...] = ()
    stamp_chain: tuple[CertificateView, ...] = ()
    revocation: Revocation = field(default_factory=Revocation)
    uncovered: tuple[Uncovered, ...] = ()
    manifest_from: str = ""
    policy: ClauseResult | None = None
    ingredients_left_out: bool = False
    listed: bool = False
    identities: tuple[Identity, ...] = ()
