"""Development keys: a root, an intermediate and a leaf (ES256), made on first use, named "development" in every
subject.

In: a folder (argument, else the variable SFUMATO_KEYS, else the user's data folder). Out: `DevelopmentKeys`, the paths
of the leaf's private key and its chain, and the root to hand to a verifier. The folder `development` appears whole, by
one rename, so that two first users at once end up with the same keys. A leaf close to its end gets a new certificate
for the same key. A key that lies elsewhere, in a token or a key service, can get a development certificate too.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from provenance.pki.profile import ROLES, certificate, development_name
from sfumato.atomic import write_bytes
from sfumato.errors import SealError, UsageError

RENEW_BEFORE = timedelta(days=30)  # a seal made today should not expire next week


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
        """Leaf first, then the intermediate: what is embedded in a seal. The root stays out, verifiers bring their
        own.
        """
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

    `now` is for tests. Raises SealError if the folder cannot be written, a key may be read by others, or a file is
    damaged.
    """
    now = now or datetime.now(UTC)
    home = key_folder(folder)
    keys = DevelopmentKeys(home / "development")
    _make_once(home, keys.folder, now)
    for role in ROLES:
        require_private(keys.folder / f"{role}.key")
    _renew(keys.folder, now)
    return keys


def development_chain_for(
    public_key: CertificatePublicKeyTypes, folder: Path | None = None, now: datetime | None = None
) -> str:
    """A development leaf for a key that lies elsewhere, and the intermediate: PEM. Raises what `development_keys`
    raises.
    """
    keys = development_keys(folder, now)
    issuing = _certificate_of(keys.folder / "intermediate.pem")
    issuer_key = _private_key(keys.folder / "intermediate.key")
    leaf = certificate(
        "leaf", development_name("leaf", ""), public_key, issuing.subject, issuer_key, now or datetime.now(UTC)
    )
    return pem_of(leaf) + pem_of(issuing)


def read_public_key(path: Path) -> ec.EllipticCurvePublicKey:
    """A public key in PEM. Raises UsageError if it is none, or not an elliptic-curve key."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} holds no public key: {error}", "Give PEM, as from: openssl pkey -pubout.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise UsageError(f"{path} holds a key of another kind", "Give an elliptic-curve key, for example on P-256.")
    return key


def expiry_warnings(chain_pem: str, now: datetime | None = None) -> list[str]:
    """One line for each certificate that ends within 30 days, has ended, or has not begun."""
    now = now or datetime.now(UTC)
    found = []
    for held in x509.load_pem_x509_certificates(chain_pem.encode("ascii")):
        name, end = held.subject.rfc4514_string(), held.not_valid_after_utc
        if now < held.not_valid_before_utc:
            found.append(f"The certificate of {name} is not valid before {held.not_valid_before_utc:%Y-%m-%d}.")
        elif end <= now:
            found.append(f"The certificate of {name} expired on {end:%Y-%m-%d}.")
        elif end - now < RENEW_BEFORE:
            found.append(f"The certificate of {name} ends in {(end - now).days} days, on {end:%Y-%m-%d}.")
    return found


def certificates_in(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file, in its order. Raises UsageError if there is none."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} holds no readable certificate: {error}", "Give PEM.") from error


def pem_of(held: x509.Certificate) -> str:
    return held.public_bytes(serialization.Encoding.PEM).decode("ascii")


def is_development(held: x509.Certificate) -> bool:
    """True for a certificate that says so in its subject, as every one made here does."""
    return "development" in held.subject.rfc4514_string().lower()


def require_private(key: Path) -> None:
    """Refuses a private key that is missing or that anybody but its owner may read. Raises SealError."""
    try:
        mode = key.stat().st_mode
    except OSError as error:
        raise SealError(f"Cannot read the private key {key}: {error.strerror}", _advice(key)) from error
    if os.name == "posix" and mode & 0o077:
        raise SealError(
            f"The private key {key} may be read by others (mode {mode & 0o777:04o})", f"Run: chmod 600 '{key}'."
        )


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
        names = {role: development_name(role, mark) for role in ROLES}
        for role, issuer in zip(ROLES, ("root", "root", "intermediate"), strict=True):
            issued = certificate(role, names[role], keys[role].public_key(), names[issuer], keys[issuer], now)
            _write_private(draft / f"{role}.key", keys[role])
            (draft / f"{role}.pem").write_bytes(issued.public_bytes(serialization.Encoding.PEM))
        draft.rename(final)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        if not (final / "leaf.pem").exists():
            raise _cannot_make(home, error) from error


def _renew(folder: Path, now: datetime) -> None:
    """A new certificate for the same key: one file changes, atomically, so that key and certificate always belong
    together.
    """
    root = _certificate_of(folder / "root.pem")
    if root.not_valid_after_utc <= now:
        raise SealError(
            f"The development root in {folder} has expired", "Move that folder away; the next seal makes new keys."
        )
    for role, issuer in (("intermediate", "root"), ("leaf", "intermediate")):
        path = folder / f"{role}.pem"
        old = _certificate_of(path)
        if old.not_valid_before_utc <= now < old.not_valid_after_utc - RENEW_BEFORE:
            continue
        issuing = _certificate_of(folder / f"{issuer}.pem")
        key, issuer_key = _private_key(folder / f"{role}.key"), _private_key(folder / f"{issuer}.key")
        new = certificate(role, old.subject, key.public_key(), issuing.subject, issuer_key, now)
        write_bytes(path, new.public_bytes(serialization.Encoding.PEM))


def _write_private(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    data = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
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
    return SealError(
        f"Cannot make development keys in {home}: {error.strerror}", "Set SFUMATO_KEYS to a folder you may write to."
    )


def _advice(path: Path) -> str:
    return f"Move the folder {path.parent} away; the next seal makes new development keys."
