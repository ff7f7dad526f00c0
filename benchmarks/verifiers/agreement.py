"""Do other verifiers say of our files what `sfumato verify` says? Every format that `sfumato sign` writes, signed with
every kind of key, whole and with one bit of its content turned.

In: names of formats and keys. Out: a row for each format, key and verifier. The files are made, signed as `sfumato
sign` signs them, and asked about in a temporary folder, with keys of their own.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows.verifiers import VerifierRow
from benchmarks.verifiers.asking import Verifier, every_verifier
from benchmarks.verifiers.change import with_bit_turned
from benchmarks.verifiers.signing_keys import KEYS, new_signer
from benchmarks.verifiers.specimens import Format, formats, write_specimen
from provenance.manifests.declaration import Declaration
from provenance.pki.keys import development_keys
from provenance.signers import Signer
from provenance.signing.sign import sign_beside, sign_file
from sfumato.errors import UsageError, choose_from
from sfumato.progress import Advance

PROTOCOL = "verifiers-1"


@dataclass(frozen=True)
class AgreementConfig:
    """What is asked about: formats and kinds of key, by name. Raises UsageError for a name that is none."""

    formats: tuple[str, ...] = tuple(formats())
    keys: tuple[str, ...] = tuple(KEYS)

    def __post_init__(self) -> None:
        for what, given, known in (("format", self.formats, formats()), ("kind of key", self.keys, KEYS)):
            for name in given:
                if name not in known:
                    raise UsageError(f"There is no {what} {name!r}", choose_from(name, known))

    @property
    def files(self) -> int:
        return len(self.formats) * len(self.keys)


@dataclass(frozen=True)
class SignedFile:
    """A signed file, and the same with one bit turned; the sidecar where their manifest lies beside them."""

    whole: Path
    changed: Path
    sidecar: Path | None


def measure(config: AgreementConfig, advance: Advance) -> list[VerifierRow]:
    """advance: told of each file. Raises MissingPartError without encypher-c2pa, SealError where signing fails."""
    with tempfile.TemporaryDirectory(prefix="sfumato-verifiers-") as place:
        folder = Path(place)
        authority = folder / "keys"
        verifiers = every_verifier(development_keys(authority).root_pem())
        signers = {name: new_signer(name, authority) for name in config.keys}
        return list(_rows(config, signers, verifiers, folder, advance))


def _rows(
    config: AgreementConfig, signers: dict[str, Signer], verifiers: Iterable[Verifier], folder: Path, advance: Advance
) -> Iterator[VerifierRow]:
    for kind in (formats()[name] for name in config.formats):
        plain = folder / f"plain{kind.suffix}"
        write_specimen(kind, plain)
        for key, signer in signers.items():
            signed = _signed(plain, kind, signer)
            for verifier in verifiers:
                whole = verifier.ask(signed.whole, kind.media_type, signed.sidecar)
                changed = verifier.ask(signed.changed, kind.media_type, signed.sidecar)
                said = {"whole": whole.said, "changed": changed.said}
                yield VerifierRow(
                    format=kind.name, media_type=kind.media_type, key=key, algorithm=signer.alg,
                    verifier=verifier.name, release=verifier.release, whole=whole.verdict, changed=changed.verdict,
                    said={name: words for name, words in said.items() if words} or None,
                )  # fmt: skip
            advance(1)


def _signed(plain: Path, kind: Format, signer: Signer) -> SignedFile:
    """Beside `plain`, in place of the files of the key before."""
    whole, changed = (plain.with_name(f"{name}{kind.suffix}") for name in ("whole", "changed"))
    sidecar = plain.with_suffix(".c2pa") if kind.sidecar else None
    if sidecar is None:
        sign_file(plain, whole, Declaration(), signer)
    else:
        sign_beside(plain, sidecar, Declaration(), signer)
        shutil.copyfile(plain, whole)
    with_bit_turned(whole, changed, kind)
    return SignedFile(whole, changed, sidecar)
