"""What commands are given to believe: read once, for all of them, and named by the files that were given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provenance.commands.lists import list_files, read_beliefs, require_one
from provenance.pki.keys import development_keys
from sfumato.errors import UsageError

NOTHING: dict[str, Any] = {
    "trust": (), "tsa_trust": (), "trust_list": (), "tsa_trust_list": (), "allowed_list": (), "policy": None,
    "sidecar": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return development_keys(tmp_path_factory.mktemp("keys")).root_certificate


def test_roots_and_lists_of_one_purpose_are_believed_together(root: Path, tmp_path: Path) -> None:
    dated = tmp_path / "list-2026-01-31.pem"
    dated.write_text(root.read_text())
    found = read_beliefs({**NOTHING, "trust": (root,), "trust_list": (dated,), "tsa_trust_list": (dated,)})
    assert (len(found.anchors), len(found.stamps)) == (2, 1)
    assert [each.purpose for each in found.lists] == ["signers", "stamps"]
    assert (found.digests, found.policy) == (frozenset(), None)


def test_a_policy_is_read_and_refused_with_its_name(tmp_path: Path) -> None:
    policy = tmp_path / "p.toml"
    policy.write_text("stamped-by = true\n")
    assert read_beliefs({**NOTHING, "policy": policy}).policy == "stamped-by = true\n"
    policy.write_text("")
    with pytest.raises(UsageError, match=r"p\.toml is empty"):
        read_beliefs({**NOTHING, "policy": policy})


def test_files_are_named_by_what_they_are_for() -> None:
    one, two = Path("1"), Path("2")
    found = list_files({**NOTHING, "trust": (one,), "trust_list": (two,), "sidecar": one})
    assert found == {"signers": (one, two), "stamps": (), "allowed": (), "policy": (), "sidecar": (one,)}


def test_a_sidecar_needs_one_file() -> None:
    require_one(None, 3, "Scan")
    require_one(Path("x"), 1, "Scan")
    for count in (0, 2):
        with pytest.raises(UsageError, match=f"cannot belong to {count} files"):
            require_one(Path("x"), count, "Scan")
