"""What a scan is asked, as plain values: enough to make the same scanner in any process, and to say whether two scans
would find the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from detector.config import SCAN_FPR
from detector.inference.video_detector import VideoDetector
from provenance.durable.repository import default_exists, place_without_secrets
from provenance.verifying.policy import parse_policy
from sfumato.app.scan.inputs import Source
from sfumato.app.scan.scanner import Scanner
from sfumato.errors import UsageError
from sfumato.execution.fetch import DEFAULT
from sfumato.execution.fetch.clock import FetchLimits
from sfumato.execution.journal import Record
from sfumato.media.clips import file_digest
from sfumato.version import __version__


@dataclass(frozen=True)
class ScanSetup:
    """As the arguments of `Scanner` and `VideoDetector`; explain: the folder of heat maps, None without; policy: its
    TOML; lists: (purpose, SHA-256) of each file of trust, as records name them, None: those of trust and stamps
    themselves; fetching, landing: what an address may cost, and where it lies meanwhile, which changes no record of a
    file that was had; expected: what has to be asked of the scanner, wherever it is made, None: nothing.
    """

    trust: tuple[bytes, ...] = ()
    allowed: frozenset[str] = frozenset()
    frames: int | None = None
    fpr: float = SCAN_FPR
    model: Path | None = None
    backend: str | None = None
    repository: str | None = None
    explain: Path | None = None
    stamps: tuple[bytes, ...] = ()
    policy: str | None = None
    sidecar: Path | None = None
    lists: tuple[tuple[str, str], ...] | None = None
    fetching: FetchLimits = DEFAULT
    landing: Path | None = None
    quick: bool = False
    expected: Mapping[str, Any] | None = None

    def scanner(self) -> Scanner:
        """Raises what `Scanner` and `VideoDetector` raise; UsageError where it would find something else than expected,
        with what differs.
        """
        detector = VideoDetector(self.model, backend=self.backend)
        policy = None if self.policy is None else parse_policy(self.policy)
        scanner = Scanner(
            self.trust, self.frames, self.fpr, detector, self.allowed, self.repository, self.stamps, policy,
            self.sidecar, self.quick,
        )  # fmt: skip
        scanner.lists = scanner.lists if self.lists is None else self.lists
        if self.expected is not None:
            self._require_expected(self.asked(scanner), self.expected)
        return scanner

    def for_other_machines(self, scanner: Scanner) -> ScanSetup:
        """The same, for machines on which it has to find the same as `scanner` here. Raises UsageError where it could
        not.
        """
        setup = replace(self, expected=self.asked(scanner))
        setup._require_repository()
        return setup

    def _require_expected(self, here: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
        self._require_repository()
        differing = [name for name in expected if here.get(name) != expected[name]]
        if differing:
            told = "; ".join(f"{name} is {here.get(name)}, not {expected[name]}" for name in differing)
            raise UsageError(
                f"A scan would find something else here: {told}",
                "Install the same sfumato, extras included, and the same detector on every machine.",
            )

    def _require_repository(self) -> None:
        if self.repository is None and default_exists():
            raise UsageError(
                "There is a repository here that other machines do not look into",
                "Name one that all of them reach with --repository: postgresql://..., or a file that they share.",
            )

    def asked(self, scanner: Scanner) -> dict[str, Any]:
        """All that a record follows from, besides the file: plain values, by the names of their options. calibration:
        of its sections in detector.json; trust: the SHA-256 of each list.
        """
        bundle = scanner.detector.bundle
        more = {
            "tsa-trust": sorted(hashlib.sha256(each).hexdigest() for each in self.stamps) or None,
            "policy": None if self.policy is None else hashlib.sha256(self.policy.encode()).hexdigest(),
            "sidecar": None if self.sidecar is None else file_digest(self.sidecar),
        }  # left out where not given: runs of older versions know none of them
        return {
            "program": __version__,
            "model": bundle.digest,
            "calibration": scanner.calibration,
            "backend": bundle.scorer.name,
            "frames": scanner.frames,
            "fpr": scanner.fpr,
            "trust": sorted(hashlib.sha256(each).hexdigest() for each in self.trust),
            "allowed-list": hashlib.sha256("\n".join(sorted(self.allowed)).encode()).hexdigest(),
            "repository": None if self.repository is None else place_without_secrets(self.repository),
            "quick": self.quick,
            "explain": None if self.explain is None else str(self.explain.absolute()),
        } | {name: value for name, value in more.items() if value is not None}


@dataclass(frozen=True)
class ScanJob:
    """One file to judge, or what is at an address. content: what is in the file, as `content_of` says; "" if that
    cannot be read, or is still to be fetched.
    """

    path: Source
    content: str


def begin(setup: ScanSetup) -> Callable[[ScanJob], Record]:
    """For a worker: loads the nets, and returns what makes a record (plain JSON) of a file."""
    scanner = setup.scanner()
    return lambda job: scanner.scan_source(job.path, setup.fetching, landing=setup.landing).record.as_json()
