"""How an audit log is signed: by which key, and how often. In: LOG.toml beside the log, or nothing. Out:
`AuditSettings`, and the signer that they name.

They lie beside the log, so that whoever writes into it, by whatever command, signs it alike. No secret stands there: a
key is named by its file or token, as `sfumato sign --signer` takes it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path

from provenance.signers import Signer, signer_from
from provenance.signing.seal import development_signer
from sfumato.atomic import write_text
from sfumato.config import load_config

EVERY_LINES, EVERY_MINUTES = 1000, 10.0


@dataclass(frozen=True)
class AuditSettings:
    """signer, chain, algorithm: as `sfumato sign` takes them; without a signer, the development key. every_lines,
    every_minutes: how many lines are written, or for how long, until the next signed head; there is one at the end of
    every command anyway.
    """

    signer: str = ""
    chain: str = ""
    algorithm: str = ""
    every_lines: int = EVERY_LINES  # two megabytes, which are read again when a log is opened
    every_minutes: float = EVERY_MINUTES  # what a crash leaves unsigned

    def __post_init__(self) -> None:
        if not 1 <= self.every_lines <= 100_000:
            raise ValueError(f"every_lines is {self.every_lines}, not from 1 to 100000")
        if not (math.isfinite(self.every_minutes) and self.every_minutes > 0):
            raise ValueError(f"every_minutes is {self.every_minutes}, not above 0")
        if bool(self.signer) != bool(self.chain):
            raise ValueError("a signer and its chain belong together")
        if self.algorithm and not self.signer:
            raise ValueError("an algorithm belongs to a signer")


def settings_file(log: Path) -> Path:
    """Where the settings of `log` lie."""
    return log.with_name(f"{log.name}.toml")


def load_settings(log: Path) -> AuditSettings:
    """Those beside `log`; the usual ones where there are none. Raises ConfigError."""
    path = settings_file(log)
    return load_config(AuditSettings, path if path.exists() else None)


def save_settings(log: Path, settings: AuditSettings) -> None:
    """Writes them beside `log`. Raises OutputError."""
    values = {each.name: getattr(settings, each.name) for each in fields(settings)}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items() if value != "")
    write_text(settings_file(log), f"# How {json.dumps(log.name)} is signed.\n{text}")


def signer_of(settings: AuditSettings) -> Signer:
    """Raises what `provenance.signers.signer_from` raises."""
    if not settings.signer:
        return development_signer()
    return signer_from(settings.signer, Path(settings.chain), settings.algorithm)
