"""Audit logs for the tests: a clock that goes on by itself, keys of a Newsroom, logs of a few verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from provenance.audit.log import AuditLog
from provenance.audit.settings import AuditSettings
from provenance.audit.trust import Trust
from provenance.signers import Signer
from provenance.signers.pem import PemSigner
from tests.provenance.stamping import Entity, issue, signer


def clock(step: float = 1.0, start: datetime | None = None) -> Callable[[], datetime]:
    """Each look is `step` seconds later."""
    ticks: Iterator[datetime] = iter(
        (start or datetime.now(UTC)) + timedelta(seconds=step * number) for number in range(100_000)
    )
    return lambda: next(ticks)


class Newsroom:
    """A root, a signer below it, and its key as `sfumato sign` takes it. More of `signer` goes to the certificate."""

    def __init__(self, folder: Path, name: str = "Newsroom", **more: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.root = issue(f"{name} Root", authority=True)
        self.leaf: Entity = signer(name, self.root, **more)
        self.key, self.chain = folder / f"{name}.key", folder / f"{name}.pem"
        self.key.write_bytes(self.leaf.key_pem())
        self.key.chmod(0o600)
        self.chain.write_bytes(self.leaf.pem + self.root.pem)
        self.root_file = folder / f"{name}-root.pem"
        self.root_file.write_bytes(self.root.pem)

    def signer(self) -> Signer:
        return PemSigner(self.key, self.chain.read_text())

    def trust(self, now: datetime | None = None) -> Trust:
        return Trust([self.root.pem], (), now or datetime.now(UTC))


def write_log(path: Path, signer: Signer, verdicts: int = 3, **schedule: Any) -> Path:
    """A log of so many verdicts, written by one program and closed as it should be."""
    with AuditLog(path, {"command": "test"}, AuditSettings(**schedule), signer, clock()) as log:
        for number in range(verdicts):
            log.append("verdict", {"verdict": "no-evidence", "score": number / 10, "path": f"é{number}\n.mp4"})
    return path


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)
