"""The certificates that a signer puts into a signature: in order, without the root, and fit for it.

In: PEM as people have it: in any order, with a root or without, with other text between the certificates (openssl
writes "Bag Attributes" there, in any encoding). Out: PEM, the leaf first, then whoever issued it, up to an authority
that nobody in the file issued, or below its root (C2PA specification 2.4, section 14.5: certificates but for the
anchor's). What is missing is named here: the library says no more than that a certificate is invalid, and signs with a
chain that leads nowhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provenance.pki.certificates import is_issuer, ordered
from provenance.pki.paths import SIGNING, UNREADABLE_CERTIFICATE
from sfumato.errors import SealError

Kind = TypeVar("Kind", bound=x509.ExtensionType)

LONGEST_NAME = 200  # characters of a name in a message
PROFILE = "Have it issued anew by the certificate profile of C2PA (specification 2.4, section 14.5.1)."


def signing_chain(text: str) -> str:
    """Raises SealError if there is no certificate, no leaf among them, the leaf's issuer is missing, or the leaf is not
    of the kind that may sign claims.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old roots have odd serial numbers
            found = list(dict.fromkeys(x509.load_pem_x509_certificates(text.encode("utf-8", "surrogatepass"))))
        leaf = _leaf(found)
        missing = next(_missing(leaf), "")
    except UNREADABLE_CERTIFICATE as error:
        raise SealError(f"The certificate chain cannot be read: {error}", "Give PEM, the leaf first.") from error
    if missing:
        raise SealError(f"The signer's certificate, {_name(leaf.subject)}, {missing}", PROFILE)
    chain = ordered(leaf, found)
    if len(chain) == 1:
        raise SealError(
            f"The certificate of the signer's issuer, {_name(leaf.issuer)}, is missing from the chain",
            "Add it to the file of the chain, also if it is a root.",
        )
    shown = [each for each in chain if not is_issuer(each, each)]  # a verifier brings its own root
    return "".join(each.public_bytes(Encoding.PEM).decode("ascii") for each in shown)


def _leaf(found: Sequence[x509.Certificate]) -> x509.Certificate:
    """The first certificate, or the only one that is no authority where the first one is."""
    leaves = [each for each in found if not _may_issue(each)]
    if leaves and (found[0] in leaves or len(leaves) == 1):
        return leaves[0]
    what = "several certificates of signers, none of them first" if leaves else "only certificates of authorities"
    raise SealError(f"The certificate chain holds {what}", "Give PEM, the signer's own certificate first.")


def _missing(leaf: x509.Certificate) -> Iterator[str]:
    """What a leaf needs and has not, as the library asks for it."""
    if leaf.version is not x509.Version.v3:
        yield "is not of version 3"
    if is_issuer(leaf, leaf):
        yield "was issued by itself; it needs an authority that vouches for it"
    usage = _extension(leaf, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        yield "has no key usage digitalSignature"
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    if purposes is None or not SIGNING.usages & set(purposes):
        yield "has no extended key usage for signing (emailProtection, documentSigning or the C2PA's claim signing)"
    if _extension(leaf, x509.AuthorityKeyIdentifier) is None:
        yield "has no AuthorityKeyIdentifier"


def _may_issue(certificate: x509.Certificate) -> bool:
    constraints = _extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _extension(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _name(name: x509.Name) -> str:
    return name.rfc4514_string()[:LONGEST_NAME]
