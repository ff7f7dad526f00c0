"""A private key in a PKCS#11 token (a smart card, an HSM, SoftHSM), which never leaves it.

In: a `pkcs11:` URI (RFC 7512) with the token and the key, `module-path` of the token's library, and the chain. Out: a
Signer. The PIN comes from the file named by `pin-source`, else from the variable SFUMATO_PIN; in the URI itself it is
refused, because the URI stands on a command line that others can read. Example:

    pkcs11:token=studio;object=leaf?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/sfumato/pin
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import pkcs11
from cryptography.hazmat.primitives import hashes

from provenance.pki.keys import require_private
from provenance.signers.algorithms import EDWARDS, Algorithm, checked_signature
from provenance.signers.certified import CertifiedSigner
from sfumato.errors import SealError, UsageError

SCHEME = "pkcs11:"
PIN_VARIABLE = "SFUMATO_PIN"
PATH_ATTRIBUTES = ("token", "serial", "object", "id", "type", "slot-id")
QUERY_ATTRIBUTES = ("module-path", "pin-source")


@dataclass(frozen=True)
class Address:
    """What a URI says. Empty or None: not said."""

    module: Path
    token: str = ""
    serial: bytes = b""
    slot: int | None = None
    label: str = ""
    key_id: bytes = b""
    pin_source: str = ""


class Pkcs11Signer(CertifiedSigner):
    """Signs with the key at `uri`. Raises UsageError for a URI that does not say enough, SealError for a token that
    does not open.
    """

    def __init__(self, uri: str, chain_pem: str, algorithm: str = "") -> None:
        self._address = parse(uri)
        super().__init__(chain_pem, algorithm)
        self._lock = threading.Lock()  # one session, one operation at a time
        try:
            self._key = _open(self._address)
        except pkcs11.exceptions.PKCS11Error as error:
            advice = "Check token, object and PIN; softhsm2-util --show-slots or pkcs11-tool -L lists tokens."
            raise SealError(f"The token cannot be used: {_why(error)}", advice) from error

    def close(self) -> None:
        """Ends the session and logs out of the token, if it is still there. Waits for a signature under way: modules
        crash otherwise.
        """
        with self._lock, suppress(pkcs11.exceptions.PKCS11Error):
            self._key.session.close()

    def sign(self, data: bytes) -> bytes:
        """data: what is to be signed; hashed here but for EdDSA, signed in the token. Returns what COSE wants. Raises
        SealError if the token fails.
        """
        message = data if self._algorithm is EDWARDS else _digest(data, self._algorithm.digest)
        try:
            with self._lock:
                signature: bytes = self._key.sign(message, **_mechanism(self._algorithm))
        except pkcs11.exceptions.PKCS11Error as error:
            raise SealError(
                f"The token failed to sign: {_why(error)}", "Nothing was written. Is it still connected?"
            ) from error
        return checked_signature(signature, data, self._algorithm, self._public)


def _digest(data: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _mechanism(algorithm: Algorithm) -> dict[str, Any]:
    """What a token is told to do with a digest, or with the data themselves (EdDSA)."""
    if algorithm is EDWARDS:
        return {"mechanism": pkcs11.Mechanism.EDDSA}
    if algorithm.size:
        return {"mechanism": pkcs11.Mechanism.ECDSA}
    name = algorithm.digest.name.upper()  # SHA256, SHA384, SHA512
    parameter = (pkcs11.Mechanism[name], pkcs11.MGF[name], algorithm.digest.digest_size)
    return {"mechanism": pkcs11.Mechanism.RSA_PKCS_PSS, "mechanism_param": parameter}


def parse(uri: str) -> Address:
    """Raises UsageError for an unknown or missing attribute."""
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    found = _attributes(path, ";", PATH_ATTRIBUTES)
    asked = _attributes(query, "&", QUERY_ATTRIBUTES)
    if "module-path" not in asked:
        advice = "Add ?module-path=FILE, for example /usr/lib/softhsm/libsofthsm2.so."
        raise UsageError("The pkcs11: URI does not say which library speaks to the token", advice)
    if not found.keys() & {"object", "id"}:
        raise UsageError("The pkcs11: URI does not name a key", "Add object=LABEL or id=%01.")
    if unquote(found.get("type", "private")) != "private":
        raise UsageError("A signer needs a private key", "Leave type out of the pkcs11: URI, or say type=private.")
    slot = unquote(found.get("slot-id", ""))
    if slot and not slot.isdecimal():
        raise UsageError(f"slot-id is no number: {slot!r}")
    return Address(
        module=Path(unquote(asked["module-path"])),
        token=unquote(found.get("token", "")),
        serial=unquote_to_bytes(found.get("serial", "")),
        slot=int(slot) if slot else None,
        label=unquote(found.get("object", "")),
        key_id=unquote_to_bytes(found.get("id", "")),
        pin_source=unquote(asked.get("pin-source", "")),
    )


def _attributes(text: str, separator: str, known: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split(separator)):
        name, _, value = part.partition("=")
        if name == "pin-value":
            raise UsageError(
                "A PIN in the pkcs11: URI can be read by everybody on this machine",
                f"Set {PIN_VARIABLE}, or use pin-source=file:.",
            )
        if name not in known:
            raise UsageError(
                f"{name!r} of the pkcs11: URI is not known here",
                f"Known: {', '.join((*PATH_ATTRIBUTES, *QUERY_ATTRIBUTES))}.",
            )
        if name in found:
            raise UsageError(f"{name!r} stands in the pkcs11: URI twice")
        found[name] = value
    return found


def _open(address: Address) -> Any:
    if not address.module.is_file():
        raise SealError(
            f"There is no PKCS#11 library at {address.module}", "On Debian, SoftHSM's comes with: apt install softhsm2."
        )
    pin = _pin(address)
    try:
        library = pkcs11.lib(str(address.module))
    except (RuntimeError, OSError) as error:
        raise SealError(f"{address.module} cannot be loaded as a PKCS#11 library: {error}") from error
    tokens = [token for slot in library.get_slots(token_present=True) if (token := _token(slot, address)) is not None]
    if len(tokens) != 1:
        raise SealError(f"{len(tokens)} tokens fit the pkcs11: URI", "Name one by token=LABEL, serial= or slot-id=.")
    try:
        session = tokens[0].open(user_pin=pin)
    except pkcs11.exceptions.UserAlreadyLoggedIn:  # a login counts for the whole process
        session = tokens[0].open()
    try:
        return _private_key(session, address)
    except BaseException:
        session.close()
        raise


def _private_key(session: Any, address: Address) -> Any:
    asked: dict[Any, Any] = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
    if address.label:
        asked[pkcs11.Attribute.LABEL] = address.label
    if address.key_id:
        asked[pkcs11.Attribute.ID] = address.key_id
    keys = list(session.get_objects(asked))
    if len(keys) != 1:
        raise SealError(f"{len(keys)} private keys fit the pkcs11: URI", "Name one by object=LABEL, id=, or both.")
    return keys[0]


def _token(slot: Any, address: Address) -> Any:
    if address.slot is not None and slot.slot_id != address.slot:
        return None
    try:
        token = slot.get_token()
    except pkcs11.exceptions.PKCS11Error:  # pulled out between the list and now, or never set up
        return None
    fits = (not address.token or token.label == address.token) and (
        not address.serial or token.serial == address.serial
    )
    return token if fits else None


def _pin(address: Address) -> str:
    if address.pin_source:
        path = Path(address.pin_source.removeprefix("file://").removeprefix("file:"))
        require_private(path)
        return path.read_text("utf-8").strip()
    pin = os.environ.get(PIN_VARIABLE)
    if not pin:
        raise UsageError(
            "The token wants a PIN", f"Set {PIN_VARIABLE}, or add pin-source=file:/path to the pkcs11: URI."
        )
    return pin


def _why(error: Exception) -> str:
    return " ".join(part for part in (type(error).__name__, str(error)) if part)
