"""What commands are given to believe: files of lists in, the lists and what is told of them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfumato.errors import UsageError

if TYPE_CHECKING:
    from provenance.pki.allowed_list import AllowedList
    from provenance.pki.trust_lists import TrustList


@dataclass(frozen=True)
class Beliefs:
    """What `options.credentials` names, read. anchors, stamps: PEM of roots of signers and of time-stamp authorities,
    from --trust and the lists; digests: SHA-256 of single signers' certificates, hex; policy: its TOML, None without.
    """

    anchors: tuple[bytes, ...]
    stamps: tuple[bytes, ...]
    lists: tuple[TrustList, ...]
    allowed: tuple[AllowedList, ...]
    policy: str | None

    @property
    def digests(self) -> frozenset[str]:
        return frozenset[str]().union(*(each.fingerprints for each in self.allowed))


def read_beliefs(credentials: Mapping[str, Any]) -> Beliefs:
    """Raises UsageError for a file that is not what it should be."""
    from provenance.pki.certificates import read_anchors
    from provenance.verifying.policy import load_policy, policy_text

    lists = trust_lists(credentials["trust_list"], credentials["tsa_trust_list"])
    policy = credentials["policy"]
    if policy is not None:
        load_policy(policy)  # refuses, with the file's name, what says nothing
    return Beliefs(
        (*map(read_anchors, credentials["trust"]), *(each.pem for each in lists if each.purpose == "signers")),
        (*map(read_anchors, credentials["tsa_trust"]), *(each.pem for each in lists if each.purpose == "stamps")),
        tuple(lists),
        tuple(allowed_lists(credentials["allowed_list"])),
        None if policy is None else policy_text(policy),
    )


def list_files(credentials: Mapping[str, Any]) -> dict[str, tuple[Path, ...]]:
    """{what for: the files that were given}."""
    single = {name: credentials[name] for name in ("policy", "sidecar")}
    return {
        "signers": (*credentials["trust"], *credentials["trust_list"]),
        "stamps": (*credentials["tsa_trust"], *credentials["tsa_trust_list"]),
        "allowed": tuple(credentials["allowed_list"]),
        **{name: () if path is None else (path,) for name, path in single.items()},
    }


def require_one(sidecar: Path | None, files: int, verb: str) -> None:
    """Raises UsageError where one sidecar is given for another number of files than one."""
    if sidecar is not None and files != 1:
        advice = f"{verb} them one by one, or keep NAME.c2pa beside each."
        raise UsageError(f"One sidecar cannot belong to {files} files", advice)


def announce(trust_list: TrustList) -> None:
    """On stderr: which list it is, of which day, and whether it is old."""
    from sfumato.text import printable

    warning = f"; WARNING: {trust_list.warning}, get the current one" if trust_list.warning else ""
    text = (
        f"{trust_list.path}: {trust_list.size} certificates for {trust_list.purpose}, issued {trust_list.issued.date()}"
    )
    click.echo(printable(f"trust list {text}, sha256 {trust_list.sha256}{warning}"), err=True)


def trust_lists(signers: tuple[Path, ...], stamps: tuple[Path, ...]) -> list[TrustList]:
    """Lists of signers, then those of time-stamp authorities. Raises UsageError."""
    if not signers and not stamps:
        return []
    from provenance.pki.trust_lists import load_trust_list

    return [load_trust_list(path, "signers") for path in signers] + [load_trust_list(path, "stamps") for path in stamps]


def allowed_lists(paths: tuple[Path, ...]) -> list[AllowedList]:
    """Raises UsageError."""
    if not paths:
        return []
    from provenance.pki.allowed_list import load_allowed_list

    return [load_allowed_list(path) for path in paths]


def origin(trust_list: TrustList) -> dict[str, str | int | None]:
    """Which list it is, of which day, and whether it is old."""
    return {
        "file": str(trust_list.path),
        "purpose": trust_list.purpose,
        "certificates": trust_list.size,
        "issued": trust_list.issued.isoformat(),
        "next_update": trust_list.next_update.isoformat() if trust_list.next_update else None,
        "sha256": trust_list.sha256,
        "warning": trust_list.warning,
    }
