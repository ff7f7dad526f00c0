"""Functions that sign: either form of a signature is taken, a wrong answer is found out."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from provenance.pki.keys import DevelopmentKeys
from provenance.signers.callable import CallableSigner
from provenance.signers.pem import PemSigner
from sfumato.errors import SealError


def test_a_callable_may_return_either_form(keys: DevelopmentKeys) -> None:
    key = serialization.load_pem_private_key(keys.leaf_key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    der = CallableSigner(lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())), keys.chain_pem())
    plain = CallableSigner(PemSigner(keys.leaf_key, keys.chain_pem()).sign, keys.chain_pem())
    assert (der.alg, len(der.sign(b"claim"))) == ("es256", 64)
    assert len(plain.sign(b"claim")) == 64


@pytest.mark.parametrize(
    ("answer", "message"),
    [(b"", "no signature"), (b"x" * 64, "does not fit"), ("text", "returned str"), (b"0" * 70, "no signature")],
)
def test_a_callable_with_a_wrong_answer_is_found_out(keys: DevelopmentKeys, answer: Any, message: str) -> None:
    with pytest.raises(SealError, match=message):
        CallableSigner(lambda data: answer, keys.chain_pem()).sign(b"claim")
