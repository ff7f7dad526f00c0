"""Trust lists as PEM: one without a certificate is refused."""

from __future__ import annotations

import pytest

from provenance.pki.certificates import load_anchors
from sfumato.errors import UsageError


@pytest.mark.parametrize(
    "pem", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_an_empty_trust_list_is_refused(pem: bytes, root: bytes) -> None:
    with pytest.raises(UsageError, match="trust list"):
        load_anchors([root, pem])
