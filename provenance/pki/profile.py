"""The certificate profile that every C2PA verifier tried accepted, for development chains: root, intermediate, leaf.

In: a role, a name, a public key, who issues. Out: a certificate: key usage digitalSignature + nonRepudiation
(critical), extended usage claim signing AND emailProtection, the C2PA certificate policy, OCSP address, key
identifiers, at most 366 days for a leaf.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")  # c2pa-kp-claimSigning
CERTIFICATE_POLICY = ObjectIdentifier("1.3.6.1.4.1.62558.1.1")  # the C2PA certificate policy
OCSP_ADDRESS = "http://ocsp.sfumato.invalid"  # the profile wants one; .invalid never resolves, so nobody is ever asked
LIFETIMES = {"root": timedelta(days=3650), "intermediate": timedelta(days=1825), "leaf": timedelta(days=365)}
ROLES = tuple(LIFETIMES)


def development_name(role: str, mark: str) -> x509.Name:
    common = "sfumato development signer" if role == "leaf" else f"sfumato development {role} {mark}"
    organisation = "sfumato development (anybody can make one)"
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def certificate(
    role: str,
    subject: x509.Name,
    key: CertificatePublicKeyTypes,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    leaf = role == "leaf"
    start = now - timedelta(hours=1)  # clocks differ
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFETIMES[role])
        .add_extension(
            x509.BasicConstraints(ca=not leaf, path_length={"root": 1, "intermediate": 0, "leaf": None}[role]),
            critical=True,
        )
        .add_extension(_key_usage(leaf), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if leaf:
        address = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(OCSP_ADDRESS)
        )
        builder = (
            builder.add_extension(
                x509.ExtendedKeyUsage([CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
            )
            .add_extension(x509.CertificatePolicies([x509.PolicyInformation(CERTIFICATE_POLICY, None)]), critical=False)
            .add_extension(x509.AuthorityInformationAccess([address]), critical=False)
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(leaf: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=leaf,
        content_commitment=leaf,  # nonRepudiation
        key_cert_sign=not leaf,
        crl_sign=not leaf,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
