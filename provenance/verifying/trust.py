"""From the library's report to our outcome: the chain, the time-stamp, revocation and coverage looked at again.

In: the library's state, the view of the active manifest, the certificates and tokens in its signature, what it leaves
out, and the roots that were given, each for its purpose. Out: a `TrustDecision`. It is never better than the library's
state; it is worse when

- the signer's chain does not lead to a root given for signers (the library takes a root given for time-stamps as well),
and its certificate is on no allowed list either;
- the certificate has expired, and only a time-stamp of an authority that nobody gave here says that it signed before;
- an acceptable answer says that the certificate was revoked;
- the manifest uses an algorithm outside the lists of C2PA;
- the signature leaves out parts that decide what a player shows (older generators leave out the table of frame
positions).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography import x509

from provenance.formats.uncovered import Uncovered
from provenance.formats.untrusted import cut
from provenance.manifests.claims import ManifestView
from provenance.pki.certificates import CertificateView, fingerprint, not_valid, ordered, outside_validity, view
from provenance.pki.cose import EmbeddedSignature, stamper_chain
from provenance.pki.paths import SIGNING, STAMPING, find_path, unfit
from provenance.pki.revocation import NOT_REVOKED, REVOKED, Revocation, ask, look
from provenance.verifying.algorithms import UNSUPPORTED, unsupported_sentence

if TYPE_CHECKING:
    from provenance.pki.remote import Remote

STATES = {"Trusted": "trusted", "Valid": "untrusted", "Invalid": "invalid"}  # the library's words
UNTRUSTED, EXPIRED, STAMP_UNTRUSTED = "signingCredential.untrusted", "signingCredential.expired", "timeStamp.untrusted"
SIGNER_TRUSTED, STAMP_TRUSTED = "signingCredential.trusted", "timeStamp.trusted"
PARTLY_COVERED = "org.sfumato.coverage.incomplete"
HAS_EXPIRED = "the signer's certificate has expired, and no recognised time-stamp says that it signed before"
LISTED = "valid, and the signer's certificate is on the allowed list"


@dataclass(frozen=True)
class TrustDecision:
    """The part of a `Verification` that is decided here."""

    outcome: str
    reason: str
    codes: tuple[str, ...]
    successes: tuple[str, ...]
    anchored: bool
    listed: bool
    time_source: str
    chain: tuple[CertificateView, ...]
    stamp_chain: tuple[CertificateView, ...]
    revocation: Revocation


def decide_trust(
    state: str,
    active: ManifestView,
    signature: EmbeddedSignature,
    left_out: Sequence[Uncovered],
    anchors: Sequence[x509.Certificate],
    stamp_anchors: Sequence[x509.Certificate],
    remote: Remote | None,
    now: datetime,
    foreign: Sequence[str] = (),
    allowed: Collection[str] = (),
) -> TrustDecision:
    """`foreign`: uses of algorithms outside the lists of C2PA, in words. `allowed`: fingerprints of signers that count
    by themselves.

    Raises KeyError for a state that the library does not have.
    """
    stamper, stamp_path = _stamp(signature, active, stamp_anchors)
    time_source = active.time_source
    if time_source in ("time-stamp", "unverified time-stamp"):
        time_source = "time-stamp" if stamp_path else "unverified time-stamp"
    when = moment_of(active.time) if stamp_path else None
    found = find_path(signature.chain, anchors, SIGNING, when or now)
    path = found.certificates
    listed = not path and _is_listed(signature, allowed)
    revocation = _revocation(path, listed, signature, when, remote, now)
    outcome, codes = STATES[state], list(active.failures)
    doubted = {
        SIGNER_TRUSTED: not (path or listed),
        STAMP_TRUSTED: not stamp_path,
        NOT_REVOKED: not revocation.good,
    }
    successes = [code for code in active.successes if not doubted.get(code)]
    if revocation.good and NOT_REVOKED not in successes:
        successes.append(NOT_REVOKED)
    if foreign and UNSUPPORTED not in codes:
        codes.append(UNSUPPORTED)
    if UNSUPPORTED in codes:
        outcome, reason = "invalid", unsupported_sentence(foreign)
    else:
        reason = LISTED if listed and outcome == "trusted" else _reason(outcome, codes)
    if revocation.state == "revoked" and outcome != "invalid":
        outcome, reason = "invalid", f"the signer's certificate was revoked ({revocation.reason})"
        codes.append(REVOKED)
    if outcome == "trusted":
        counted = signature.chain[:1] if listed else path[:-1]
        refusal = "" if path or listed else found.refusal or "no certificate of the signer can be read"
        faults = list(_faults(refusal, counted, when, now, left_out, stamped=bool(signature.tokens)))
        if faults:
            outcome, reason = "untrusted", faults[0][1]
            codes += [code for code, _ in faults if code not in codes]
    return TrustDecision(
        outcome=outcome,
        reason=reason,
        codes=tuple(codes),
        successes=tuple(successes),
        anchored=bool(path),
        listed=listed,
        time_source=time_source,
        chain=tuple(view(certificate, anchors) for certificate in path or signature.chain),
        stamp_chain=tuple(view(certificate, stamp_anchors) for certificate in stamp_path or stamper),
        revocation=revocation,
    )


def _stamp(
    signature: EmbeddedSignature, active: ManifestView, anchors: Sequence[x509.Certificate]
) -> tuple[tuple[x509.Certificate, ...], tuple[x509.Certificate, ...]]:
    """The stamper's own chain, and its path to a given root: only for a single token that the library found to fit."""
    if len(signature.tokens) != 1:
        return (), ()
    chain = stamper_chain(signature.tokens[0])
    fits = "timeStamp.validated" in active.successes and STAMP_TRUSTED in active.successes
    moment = moment_of(active.time)
    if not fits or moment is None:
        return chain, ()
    path = find_path(chain, anchors, STAMPING, moment).certificates
    if not path or outside_validity(path, moment):
        return chain, ()
    return chain, path


def _is_listed(signature: EmbeddedSignature, allowed: Collection[str]) -> bool:
    """A signer that is on an allowed list, and may sign claims."""
    leaf = signature.chain[:1]
    return bool(leaf) and fingerprint(leaf[0]) in allowed and not unfit(SIGNING, leaf)


def _revocation(
    path: Sequence[x509.Certificate],
    listed: bool,
    signature: EmbeddedSignature,
    when: datetime | None,
    remote: Remote | None,
    now: datetime,
) -> Revocation:
    """The answer in the file counts at the time of signing, if that is known, else now; one that is asked for counts
    now. Who issued a signer of an allowed list is known by its signature alone.
    """
    if listed:
        path = ordered(signature.chain[0], signature.chain[1:])[:2]
    if len(path) < 2:
        if listed:
            reason = "the signer is on the allowed list, and its issuer's certificate is not in the file"
        else:
            reason = "the signer itself is a given root" if path else "the signer's chain leads to no root given here"
        return Revocation(reason=reason)
    leaf, issuer, *above = path
    found = look(leaf, issuer, signature.answers, when or now, "in the file", above, when)
    if found.state == "unknown" and remote is not None:
        found = ask(leaf, issuer, remote, now, above, when)
    return found


def _faults(
    refusal: str,
    counted: Sequence[x509.Certificate],
    when: datetime | None,
    now: datetime,
    left_out: Sequence[Uncovered],
    stamped: bool,
) -> list[tuple[str, str]]:
    """Why a file is not trusted that the library trusts: a code and a sentence each. `refusal`: why there is no path;
    `counted`: the certificates that must be valid.
    """
    faults = []
    if refusal:
        unanchored = "the library accepts the signer, but its certificates do not lead to a root given here for signers"
        faults.append((UNTRUSTED, cut(f"{unanchored}: {refusal}")))
    elif not_valid(counted, when or now):
        code = STAMP_UNTRUSTED if stamped and when is None else EXPIRED
        nobody = "and no time-stamp by an authority given here says that it signed before"
        late = nobody if when is None else "at the time of the time-stamp"
        faults.append((code, f"a certificate of the signer is not valid, {late}"))
    essential = [part.place for part in left_out if part.essential]
    if essential:
        faults.append(
            (PARTLY_COVERED, f"the signature leaves out parts that decide what is shown: {', '.join(essential[:5])}")
        )
    return faults


def _reason(outcome: str, failures: Sequence[str]) -> str:
    if outcome == "trusted":
        return "valid, and the signer leads to a given root"
    if outcome == "untrusted":
        if UNTRUSTED in failures:
            return "valid, but the signer is not on a trust list"
        return "valid, but not everything in it is vouched for"
    if any(code.endswith("Hash.mismatch") for code in failures):
        return "the media changed after signing"
    if EXPIRED in failures:
        return HAS_EXPIRED
    if any(code.startswith("signingCredential.") and not code.endswith("untrusted") for code in failures):
        return "the signer's certificate was not acceptable at the time"
    if "claimSignature.mismatch" in failures:
        return "the signature does not fit"
    return "the manifest does not hold together"


def moment_of(text: str | None) -> datetime | None:
    """A time with its zone; None for any other text."""
    try:
        moment = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
