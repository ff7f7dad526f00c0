"""The one place that says how the C2PA library is to behave: no network, no thumbnails of its own making, trust
only what the caller gives.

In: trust anchors (PEM) and the size of the file to sign. Out: the settings dictionary of a `c2pa.Context`.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from typing import Any

# Extended key usages of a signer: emailProtection, documentSigning, C2PA claim signing. The last one is refused unless
# listed here.
KEY_USAGES = "1.3.6.1.5.5.7.3.4\n1.3.6.1.5.5.7.3.36\n1.3.6.1.4.1.62558.2.1\n"
LARGE = 32 * 1024 * 1024  # bytes; a larger file is hashed in pieces, so that a part of it can be checked
PIECE_KB = 1024
# the library works in memory up to 512 MB by default, and holds a file twice: 645 MB for one of 300; with this, 48
MEMORY_MB = 16
CREATED_ASSERTIONS = [  # stated by the signer, not merely gathered
    *("c2pa.actions", "c2pa.ingredient", "org.sfumato.generation", "cawg.training-mining", "c2pa.soft-binding"),
    *("org.sfumato.durable", "c2pa.thumbnail.claim"),
]


def reading(
    trust: Sequence[bytes] = (), stamps: Sequence[bytes] = (), allowed: Collection[str] = (), *, unchecked: bool = False
) -> dict[str, Any]:
    """Settings to read with. `trust`, `stamps`: PEM files of roots for signers and for time-stamps; none means that
    nobody is trusted. `allowed`: SHA-256, hex, of single certificates of signers. `unchecked`: only to look at a
    manifest that cannot be checked; nothing it says is vouched for.

    The library does not keep the two kinds apart; provenance.verifying.trust does. It never opens a connection:
    provenance.pki.remote does, if told to.
    """
    anchors = [
        {
            "trust_anchors": pem.decode("utf-8", "replace"),
            "trust_uri": f"urn:sfumato:{kind}:{number}",
            "trust_kind": kind,
        }
        for kind, pems in (("manifest", trust), ("tsa", stamps))
        for number, pem in enumerate(pems)
    ]
    if allowed:  # wanted as part of an anchor, though it has none; in the place that is documented it does nothing
        listed = "\n".join(base64.b64encode(bytes.fromhex(digest)).decode() for digest in sorted(allowed))
        anchors.append(
            {"trust_anchors": "", "trust_uri": "urn:sfumato:allowed", "trust_kind": "manifest", "allowed_list": listed}
        )
    settings: dict[str, Any] = {
        "version": 1,
        "trust": {"trust_config": KEY_USAGES},
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
        "core": {"allowed_network_hosts": [], "allow_redirects": False},
    }
    if unchecked:
        settings["verify"]["verify_after_reading"] = False
    if anchors:
        settings["trust"]["anchors"] = anchors
    return settings


def signing(size: int) -> dict[str, Any]:
    """Settings to sign a file of `size` bytes with. The signed file is read back by our own code, so not twice by the
    library.
    """
    settings = reading()
    settings["verify"]["verify_after_sign"] = False
    settings["core"]["backing_store_memory_threshold_in_mb"] = MEMORY_MB
    settings["builder"] = {"thumbnail": {"enabled": False}, "created_assertion_labels": CREATED_ASSERTIONS}
    if size > LARGE:
        settings["core"]["merkle_tree_chunk_size_in_kb"] = PIECE_KB
    return settings
