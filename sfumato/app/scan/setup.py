"""What a scan is asked, as plain values: enough to make the same scanner in any process, and to say whether two scans
would find the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from detector.inference.video_detector import VideoDetector
from provenance.durable.repository import default_exists, place_without_secrets
from sfumato.app.scan.scanner import Scanner
from sfumato.errors import UsageError
from sfumato.execution.journal import Record, options_digest
from sfumato.version import __version__

_CALIBRATION = ("calibration", "video_calibration", "motion")


@dataclass(frozen=True)
class ScanSetup:
    """As the arguments of `Scanner` and `VideoDetector`; explain: the folder of heat maps, None without. expected: what
    has to be asked of the scanner, wherever it is made; None: nothing.
    """

    trust: tuple[bytes, ...] = ()
    allowed: frozenset[str] = frozenset()
    frames: int | None = None
    fpr: float = 0.01
    model: Path | None = None
    backend: str | None = None
    repository: str | None = None
    explain: Path | None = None
    expected: Mapping[str, Any] | None = None

    def scanner(self) -> Scanner:
        """Raises what `Scanner` and `VideoDetector` raise; UsageError where it would find something else than expected,
        with what differs.
        """
        detector = VideoDetector(self.model, backend=self.backend)
        scanner = Scanner(self.trust, self.frames, self.fpr, detector, self.allowed, self.repository)
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
        return {
            "program": __version__,
            "model": bundle.digest,
            "calibration": options_digest({name: bundle.record.get(name) for name in _CALIBRATION}),
            "backend": bundle.scorer.name,
            "frames": scanner.frames,
            "fpr": scanner.fpr,
            "trust": sorted(hashlib.sha256(each).hexdigest() for each in self.trust),
            "allowed-list": hashlib.sha256("\n".join(sorted(self.allowed)).encode()).hexdigest(),
            "repository": None if self.repository is None else place_without_secrets(self.repository),
            "explain": None if self.explain is None else str(self.explain.absolute()),
        }


@dataclass(frozen=True)
class ScanJob:
    """One file to judge. content: what is in it, as `content_of` says; "" if that cannot be read."""

    path: Path
    content: str


def begin(setup: ScanSetup) -> Callable[[ScanJob], Record]:
    """For a worker: loads the nets, and returns what makes a record (plain JSON) of a file."""
    scanner = setup.scanner()
    return lambda job: scanner.scan_file(job.path).record.as_json()
