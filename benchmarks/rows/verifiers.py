"""What `bench verifiers` writes: what one verifier says of a signed file, and of the same with one bit turned."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.rows.row import Row

VERIFIERS = ("c2pa-python", "encypher-c2pa", "sfumato")
TRUSTED, VALID, INVALID, NONE, NOT_READ = "trusted", "valid", "invalid", "none", "not read"  # every verdict


class VerifierRow(Row, kind="verifier"):
    """Of one file: its format, the key of its signer, and the verdicts of one verifier, with the root given as trusted.
    said: the verifier's own words where it did not read the `whole` file or its `changed` copy.
    """

    format: str
    media_type: str
    key: str
    algorithm: str
    verifier: str
    release: str
    whole: str
    changed: str
    said: Mapping[str, str] | None = None

    @property
    def agrees(self) -> bool:
        """Trusts the file, and not its changed copy."""
        return self.whole == TRUSTED and not self.deceived

    @property
    def deceived(self) -> bool:
        """Accepts the changed copy."""
        return self.changed in (TRUSTED, VALID)

    @property
    def wrong(self) -> bool:
        """Reads the file and does not trust it, or accepts its changed copy. What is not read is no fault."""
        return self.whole not in (TRUSTED, NOT_READ) or self.deceived
