"""Signers: raw r || s over the data, keys that fit their certificate, refusals that say why."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance.pki.keys import DevelopmentKeys
from provenance.signers import REGISTRY, signer_from
from provenance.signers.callable import CallableSigner
from provenance.signers.pem import PemSigner
from sfumato.errors import SealError, UsageError


def test_every_registered_signer_loads() -> None:
    pytest.importorskip("pkcs11", reason="needs python-pkcs11 (pip install -e '.[pkcs11]')")
    assert [REGISTRY.load(name).__name__ for name in REGISTRY.names()] == [
        "CallableSigner",
        "PemSigner",
        "Pkcs11Signer",
    ]


def test_a_signer_is_found_by_its_specification(
    tmp_path: Path, keys: DevelopmentKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_text(keys.chain_pem())
    assert isinstance(signer_from(f"pem:{keys.leaf_key}", chain), PemSigner)
    module = f"sfumato_test_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(
        "class Service:\n    @staticmethod\n    def sign(data):\n        return data\nnumber = 7\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert isinstance(signer_from(f"{module}:Service.sign", chain), CallableSigner)
    for name, message in (
        (f"{module}:number", "is no function"),
        (f"{module}:absent", "cannot be loaded"),
        ("no_such_module:f", "cannot be loaded"),
    ):
        with pytest.raises(UsageError, match=message):
            signer_from(name, chain)


@pytest.mark.parametrize("name", ["", "pem", "pem:", "os; system:x", "https://kms.example/key"])
def test_a_specification_that_names_nothing_is_refused(name: str, tmp_path: Path, keys: DevelopmentKeys) -> None:
    (tmp_path / "chain.pem").write_text(keys.chain_pem())
    with pytest.raises(UsageError, match="does not name a signer"):
        signer_from(name, tmp_path / "chain.pem")


def test_a_signer_needs_its_chain(keys: DevelopmentKeys, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--chain"):
        signer_from(f"pem:{keys.leaf_key}", None)
    with pytest.raises(SealError, match=r"gone\.pem"):
        signer_from(f"pem:{keys.leaf_key}", tmp_path / "gone.pem")
    with pytest.raises(SealError, match=r"gone\.key"):
        (tmp_path / "chain.pem").write_text(keys.chain_pem())
        signer_from(f"pem:{tmp_path / 'gone.key'}", tmp_path / "chain.pem")
