"""Any function that signs: `module:callable`, the shape of a cloud key service.

In: the name of a function that takes the bytes to be signed and returns the signature (ECDSA: r || s or
DER), and the chain. Out: a Signer.
With --workers the function may be called from several threads at once.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

from provenance.signers.algorithms import checked_signature
from provenance.signers.certified import CertifiedSigner
from sfumato.errors import SealError, UsageError

NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class CallableSigner(CertifiedSigner):
    """Signs with `function`. Raises SealError if the chain cannot be used."""

    def __init__(self, function: Callable[[bytes], bytes], chain_pem: str, algorithm: str = "") -> None:
        super().__init__(chain_pem, algorithm)
        self._function = function

    def sign(self, data: bytes) -> bytes:
        """data: what is to be signed. Returns what COSE wants. Raises what the function raises, and SealError for a
        wrong answer.
        """
        signature = self._function(data)
        if not isinstance(signature, bytes | bytearray):
            raise SealError(f"The signer returned {type(signature).__name__}, not bytes", "Return the signature.")
        return checked_signature(bytes(signature), data, self._algorithm, self._public)


def named_callable(name: str) -> Callable[[bytes], bytes]:
    """The function called `name`. Imports its module. Raises UsageError if it is not there, or is no function."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} does not name a signer", "Give pem:KEY, a pkcs11: URI, or module:callable.")
    module_name, _, attribute = name.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"The signer {name} cannot be loaded: {error}", "Is its module installed, or on PYTHONPATH?"
        ) from error
    if not callable(found):
        raise UsageError(f"The signer {name} is no function", "Name one that takes bytes and returns a signature.")
    function: Callable[[bytes], bytes] = found
    return function
