"""Certification paths (RFC 5280, section 6.1): from a certificate up to a trust anchor, for a purpose, at a time.

In: the certificates that came with a signature, its own first and the others in any order; the anchors that somebody
gave for a purpose (signing claims, stamping times, answering about revocation); the time that counts. Out: a
`CertificationPath`, or why there is none. Building and validation are pyHanko's: cryptography's own verifier knows no
Ed25519 authority and no constraint on directory names, both of which the C2PA certificate profile allows. Ours are the
purposes, and bounds on what a hostile chain may cost. Nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from provenance.pki.profile import CLAIM_SIGNING

if TYPE_CHECKING:
    from asn1crypto import x509 as asn1
    from pyhanko_certvalidator.authority import CertTrustAnchor, TrustQualifiers

Result = TypeVar("Result")

LONGEST_CHAIN = 10  # certificates that are looked at
MOST_SEARCHES = 60  # for an issuer, in one chain; an honest one takes as many as it has certificates
LONGEST_REFUSAL = 300  # characters
ANY_TIME = timedelta(days=365 * 500)
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
UNREADABLE_CERTIFICATE = (  # what cryptography raises; the last three are no ValueError
    ValueError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
_BAD = (
    *UNREADABLE_CERTIFICATE,
    *(TypeError, KeyError, IndexError, AttributeError, NotImplementedError, OverflowError, RecursionError),
    *(InvalidSignature, UnsupportedAlgorithm),
)


@dataclass(frozen=True)
class Purpose:
    """What a certificate is wanted for. `usages`: one of these extended key usages must be in the certificate itself,
    and in every authority below the anchor that limits its own; an authority may be limited to `through` instead.
    """

    name: str
    usages: frozenset[ObjectIdentifier]
    through: frozenset[ObjectIdentifier] = frozenset()


SIGNING = Purpose("signing claims", frozenset({CLAIM_SIGNING, DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION}))
STAMPING = Purpose("stamping times", frozenset({ExtendedKeyUsageOID.TIME_STAMPING}))
# RFC 6960 asks for OCSPSigning in the responder alone: an authority of signers names one without being allowed more.
ANSWERING = Purpose("answering about revocation", frozenset({ExtendedKeyUsageOID.OCSP_SIGNING}), SIGNING.usages)


@dataclass(frozen=True)
class CertificationPath:
    """certificates: from the first one up to an anchor, both included; empty if there is no such path. refusal: why;
    there may be foreign names in it, not escaped.
    """

    certificates: tuple[x509.Certificate, ...] = ()
    refusal: str = ""


def find_path(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], purpose: Purpose, when: datetime
) -> CertificationPath:
    """The path of `chain[0]`. One that was valid at `when` is preferred; one that fails in nothing but that is a path,
    too: the caller asks `outside_validity`, and can say what has expired.

    An anchor is trusted as it was given, whenever it ends and whatever its extended usages. But it must be an authority
    to vouch for others, and its path length and name constraints hold.
    """
    if not chain:
        return CertificationPath(refusal="there is no certificate")
    if chain[0] in anchors:
        return CertificationPath((chain[0],))
    if not anchors:
        return CertificationPath(refusal="no root is given")
    found = _path(chain, anchors, when, timedelta(0))
    if not found.certificates:
        found = _path(chain, anchors, when, ANY_TIME)
    refusal = unfit(purpose, found.certificates[:-1]) if found.certificates else ""
    return CertificationPath(refusal=refusal) if refusal else found


def _path(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], when: datetime, tolerance: timedelta
) -> CertificationPath:
    from asn1crypto import x509 as asn1
    from pyhanko_certvalidator import ValidationContext, find_valid_path
    from pyhanko_certvalidator.errors import PathBuildingError, PathError, ValidationError
    from pyhanko_certvalidator.registry import CertificateRegistry, SimpleTrustManager, TrustManager

    class Registry(CertificateRegistry):
        """Where issuers are looked for: a bounded number of times, since chains of many equal names have many paths."""

        left = MOST_SEARCHES

        def find_potential_issuers(self, cert: asn1.Certificate, trust_manager: TrustManager) -> Iterator[Any]:
            self.left -= 1
            if self.left < 0:
                raise ValueError("the certificates can be put together in too many ways")
            return super().find_potential_issuers(cert, trust_manager)

    try:
        issuers = {each.issuer for each in chain[:LONGEST_CHAIN]}
        anchors = [anchor for anchor in anchors if anchor.subject in issuers]  # a trust list has many more
        known = {each.public_bytes(Encoding.DER): each for each in (*anchors, *chain[:LONGEST_CHAIN])}
        leaf, *others = (asn1.Certificate.load(each.public_bytes(Encoding.DER)) for each in chain[:LONGEST_CHAIN])
        context = ValidationContext(
            trust_manager=SimpleTrustManager.build([_trusted(anchor) for anchor in anchors]),
            certificate_registry=Registry.build(others),
            moment=when,
            time_tolerance=tolerance,
        )
        path = _at_once(find_valid_path(leaf, context.path_builder.async_build_paths_lazy(leaf), context))
        certificates = tuple(known[each.dump()] for each in path.iter_certs(include_root=True))[::-1]
    except PathBuildingError as error:  # "Unable to build a path for ... - no issuer matching ..."
        return CertificationPath(refusal=str(error).rpartition(" - ")[2][:LONGEST_REFUSAL])
    except (PathError, ValidationError, *_BAD) as error:
        return CertificationPath(refusal=str(error)[:LONGEST_REFUSAL] or type(error).__name__)
    if certificates[0] != chain[0]:
        return CertificationPath(refusal="another certificate is given for the same name and key")
    return CertificationPath(certificates)


def _trusted(anchor: x509.Certificate) -> CertTrustAnchor:
    from asn1crypto import x509 as asn1
    from pyhanko_certvalidator.authority import CertTrustAnchor

    certificate = asn1.Certificate.load(anchor.public_bytes(Encoding.DER))
    return CertTrustAnchor(certificate, _qualifiers(certificate))


def _qualifiers(anchor: asn1.Certificate) -> TrustQualifiers:
    """What holds for everything below an anchor: path length and name constraints. Its end and its policies do not."""
    from pyhanko_certvalidator.authority import TrustedServiceType, derive_quals_from_cert

    found = derive_quals_from_cert(anchor)
    parameters = found.standard_parameters
    if parameters is not None:
        parameters = replace(
            parameters, user_initial_policy_set=frozenset({"any_policy"}), initial_explicit_policy=False
        )
    usage = anchor.key_usage_value
    may_issue = anchor.ca and (usage is None or "key_cert_sign" in usage.native)
    kind = TrustedServiceType.CERTIFICATE_AUTHORITY if may_issue else TrustedServiceType.UNSUPPORTED
    return replace(
        found,
        standard_parameters=parameters,
        max_aa_path_length=found.max_path_length,  # of attribute authorities; pyHanko 0.33 fails where only one is set
        valid_from=None,
        valid_until=None,
        trusted_service_type=kind,
    )


def unfit(purpose: Purpose, certificates: Sequence[x509.Certificate]) -> str:
    """Why certificates, leaf first and no anchor among them, are not for this purpose; empty if they are."""
    left = purpose.usages
    for index, certificate in enumerate(certificates):
        try:
            usages = frozenset(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        except x509.ExtensionNotFound:
            if index:
                continue  # an authority that does not limit itself
            usages = frozenset()
        except UNREADABLE_CERTIFICATE as error:
            return f"an extension cannot be read: {error}"[:LONGEST_REFUSAL]
        if not (index and (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages or usages & purpose.through)):
            left = left & usages
        if not left:
            who = "an authority in the chain" if index else "the certificate"
            return f"the extended key usage of {who} does not allow {purpose.name}"
    return ""


def _at_once(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that waits for nothing, as here, where nothing is fetched. Without an event loop: that
    would open sockets, and could not be had inside another.
    """
    try:
        work.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    work.close()
    raise ValueError("the validation waits for something")
