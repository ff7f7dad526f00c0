"""Where media come from: development keys, C2PA manifests, signing, verification. Imports nothing heavy by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfumato.registry import lazy_names

if TYPE_CHECKING:
    from provenance.manifests.declaration import Declaration as Declaration
    from provenance.manifests.own.definition_file import load_manifest as load_manifest
    from provenance.signers import signer_from as signer_from
    from provenance.signing.seal import development_signer as development_signer
    from provenance.signing.sign import sign_file as sign_file
    from provenance.verifying.policy import load_policy as load_policy
    from provenance.verifying.verification import Verification as Verification
    from provenance.verifying.verify import verify as verify

_PUBLIC = {
    "verify": "provenance.verifying.verify:verify",
    "Verification": "provenance.verifying.verification:Verification",
    "load_policy": "provenance.verifying.policy:load_policy",
    "sign_file": "provenance.signing.sign:sign_file",
    "Declaration": "provenance.manifests.declaration:Declaration",
    "load_manifest": "provenance.manifests.own.definition_file:load_manifest",
    "development_signer": "provenance.signing.seal:development_signer",
    "signer_from": "provenance.signers:signer_from",
}
__all__ = [
    "verify",
    "Verification",
    "load_policy",
    "sign_file",
    "Declaration",
    "load_manifest",
    "development_signer",
    "signer_from",
]
__getattr__ = lazy_names(__name__, _PUBLIC)
