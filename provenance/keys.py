"""Development keys: a root, an intermediate and a leaf (ES256), made on first use, named "development" in every subject.

In: a folder (argument, else the variable SFUMATO_KEYS, else the user's data folder). Out: `DevelopmentKeys`, the paths of the
leaf's private key and its chain, and the root to hand to a verifier. The folder `development` appears whole, by one rename, so
that two first users at once end up with the same keys. A leaf close to its end gets a new certificate for the same key.

The certificate profile is the one that every C2PA verifier tried accepted: key usage digitalSignature + nonRepudiation (critical),
extended usage claim signing AND emailProtection, the C2PA certificate policy, OCSP address, key identifiers, at most 366 days.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from sfumato.atomic import write_bytes
from sfumato.errors import SealError

CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")  # c2pa-kp-claimSigning
CERTIFICATE_POLICY = ObjectIdentifier("1.3.6.1.4.1.62558.1.1")  # the C2PA certificate policy
OCSP_ADDRESS = "http://ocsp.sfumato.invalid"  # the profile wants one; .invalid never resolves, so nobody is ever asked
LIFETIMES = {"root": timedelta(days=3650), "intermediate": timedelta(days=1825), "leaf": timedelta(days=365)}
RENEW_BEFORE = timedelta(days=30)  # a seal made today should not expire next week
ROLES = tuple(LIFETIMES)


@dataclass(frozen=True)
class DevelopmentKeys:
    """Where the keys of this machine lie. `folder` holds root, intermediate and leaf as .key (0600) and .pem."""

    folder: Path

    @property
    def leaf_key(self) -> Path:
        return self.folder / "leaf.key"

    @property
    def root_certificate(self) -> Path:
        """The PEM file to give to `sfumato verify --trust`."""
        return self.folder / "root.pem"

    def chain_pem(self) -> str:
        """Leaf first, then the intermediate: what is embedded in a seal. The root stays out, verifiers bring their own."""
        return _read(self.folder / "leaf.pem").decode("ascii") + _read(self.folder / "intermediate.pem").decode("ascii")

    def root_pem(self) -> bytes:
        return _read(self.root_certificate)


def key_folder(folder: Path | None = None) -> Path:
    """The folder that keys live in: `folder`, else the variable SFUMATO_KEYS, else `keys` in the user's data folder."""
    if folder is not None:
        return folder
    chosen = os.environ.get("SFUMATO_KEYS")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_dir

    return Path(user_data_dir("sfumato")) / "keys"


def development_keys(folder: Path | None = None, now: datetime | None = None) -> DevelopmentKeys:
    """Finds the development keys, makes them on first use, renews a leaf or intermediate that ends within 30 days.

    `now` is for tests. Raises SealError if the folder cannot be written, a key may be read by others, or a file is damaged.
    """
    now = now or datetime.now(UTC)
    home = key_folder(folder)
    keys = DevelopmentKeys(home / "development")
    _make_once(home, keys.folder, now)
    for role in ROLES:
        require_private(keys.folder / f"{role}.key")
    _renew(keys.folder, now)
    return keys


def require_private(key: Path) -> None:
    """Refuses a private key that is missing or that anybody but its owner may read. Raises SealError."""
    try:
        mode = key.stat().st_mode
    except OSError as error:
        raise SealError(f"Cannot read the private key {key}: {error.strerror}", _advice(key)) from error
    if os.name == "posix" and mode & 0o077:
        raise SealError(f"The private key {key} may be read by others (mode {mode & 0o777:04o})", f"Run: chmod 600 '{key}'.")


def _make_once(home: Path, final: Path, now: datetime) -> None:
    """Makes a whole set beside its place and renames it in. Whoever comes second keeps what the first one made."""
    try:
        if final.exists():
            return
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".development-", dir=home))  # 0700
    except OSError as error:
        raise _cannot_make(home, error) from error
    try:
        keys = {role: ec.generate_private_key(ec.SECP256R1()) for role in ROLES}
        mark = x509.SubjectKeyIdentifier.from_public_key(keys["root"].public_key()).digest.hex()[:8]
        names = {role: _name(role, mark) for role in ROLES}
        for role, issuer in zip(ROLES, ("root", "root", "intermediate"), strict=True):
            certificate = _certificate(role, names[role], keys[role].public_key(), names[issuer], keys[issuer], now)
            _write_private(draft / f"{role}.key", keys[role])
            (draft / f"{role}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        draft.rename(final)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        if not (final / "leaf.pem").exists():
            raise _cannot_make(home, error) from error


def _renew(folder: Path, now: datetime) -> None:
    """A new certificate for the same key: one file changes, atomically, so that key and certificate always belong together."""
    root = _certificate_of(folder / "root.pem")
    if root.not_valid_after_utc <= now:
        raise SealError(f"The development root in {folder} has expired", "Move that folder away; the next seal makes new keys.")
    for role, issuer in (("intermediate", "root"), ("leaf", "intermediate")):
        path = folder / f"{role}.pem"
        old = _certificate_of(path)
        if old.not_valid_before_utc <= now < old.not_valid_after_utc - RENEW_BEFORE:
            continue
        issuing = _certificate_of(folder / f"{issuer}.pem")
        key, issuer_key = _private_key(folder / f"{role}.key"), _private_key(folder / f"{issuer}.key")
        new = _certificate(role, old.subject, key.public_key(), issuing.subject, issuer_key, now)
        write_bytes(path, new.public_bytes(serialization.Encoding.PEM))


def _name(role: str, mark: str) -> x509.Name:
    common = "sfumato development signer" if role == "leaf" else f"sfumato development {role} {mark}"
    organisation = "sfumato development (anybody can make one)"
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation), x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(
    role: str,
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
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
        .add_extension(x509.BasicConstraints(ca=not leaf, path_length={"root": 1, "intermediate": 0, "leaf": None}[role]), critical=True)
        .add_extension(_key_usage(leaf), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if leaf:
        address = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(OCSP_ADDRESS))
        builder = (
            builder.add_extension(x509.ExtendedKeyUsage([CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
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


def _write_private(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    data = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError) as error:
        raise SealError(f"The private key {path} is damaged", _advice(path)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SealError(f"The private key {path} is not an elliptic-curve key", _advice(path))
    return key


def _certificate_of(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(_read(path))
    except ValueError as error:
        raise SealError(f"The certificate {path} is damaged", _advice(path)) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SealError(f"Cannot read {path}: {error.strerror}", _advice(path)) from error


def _cannot_make(home: Path, error: OSError) -> SealError:
    return SealError(f"Cannot make development keys in {home}: {error.strerror}", "Set SFUMATO_KEYS to a folder you may write to.")


def _advice(path: Path) -> str:
    return f"Move the folder {path.parent} away; the next seal makes new development keys."
