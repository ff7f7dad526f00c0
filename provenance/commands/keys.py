"""`sfumato keys new` and `sfumato keys show`: development keys, and how long certificates last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from sfumato import options
from sfumato.errors import UsageError
from sfumato.exit_codes import ExitCode
from sfumato.text import json_line, printable

FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where keys live; SFUMATO_KEYS, or your data folder, unless given.",
)


@click.command()
@FOLDER
@click.option(
    "--for",
    "public_key",
    type=options.ANY,
    metavar="PEM",
    help="Certify this public key instead.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="CHAIN.pem", help="Where the chain for --for goes."
)
def new(folder: Path | None, public_key: Path | None, output: Path | None) -> None:
    """Make a development root, intermediate and leaf.

    Every certificate says "development" in its subject, and so does every verdict on what was signed with it. The
    private keys are readable by you alone. Existing keys are never replaced.

    With --for, the development intermediate certifies a public key whose private half lies elsewhere, in a token or a
    key service, and the chain goes to -o.
    """
    from provenance.pki.keys import development_chain_for, development_keys, key_folder, read_public_key
    from sfumato.atomic import write_text

    if (public_key is None) != (output is None):
        raise UsageError("--for and -o belong together", "Give both, or neither.")
    if public_key is not None and output is not None:
        write_text(output, development_chain_for(read_public_key(public_key), folder))
        click.echo(f"{printable(output)}: development chain, leaf and intermediate")
        return
    place = key_folder(folder) / "development"
    if place.exists():
        raise UsageError(
            f"There are development keys in {place}", "See: sfumato keys show. Move the folder away to make new ones."
        )
    made = development_keys(folder)
    click.echo(f"{printable(made.folder)}: development root, intermediate and leaf")
    click.echo("  sign with    sfumato sign without --signer: these keys are then used")
    click.echo(f"  verify with  --trust {printable(made.root_certificate)}")


@click.command()
@click.argument("files", nargs=-1, metavar="[PEM]...", type=options.FILE)
@FOLDER
@options.as_json("One JSON object a certificate.")
@click.pass_context
def show(context: click.Context, files: tuple[Path, ...], folder: Path | None, as_json: bool) -> None:
    """Show certificates: those in the PEM files, or the development ones.

    Exit codes: 0, or 1 if one of them has expired.
    """
    from provenance.pki.keys import certificates_in, key_folder

    if not files:
        place = key_folder(folder) / "development"
        files = tuple(place / f"{role}.pem" for role in ("root", "intermediate", "leaf"))
        if not place.exists():
            raise UsageError(f"There are no development keys in {place}", "Make some: sfumato keys new.")
    expired = False
    for path in files:
        for certificate in certificates_in(path):
            facts = record(path, certificate)
            expired = expired or facts["days_left"] < 0
            click.echo(json_line(facts) if as_json else "\n".join(describe(facts)))
    if expired:
        context.exit(ExitCode.NOT_GOOD)


def record(path: Path, certificate: Any) -> dict[str, Any]:
    """One certificate as plain values; `days_left` is negative after its end."""
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives import hashes

    from provenance.pki.keys import expiry_warnings, is_development, pem_of

    return {
        "file": str(path),
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "development": is_development(certificate),
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "days_left": (certificate.not_valid_after_utc - datetime.now(UTC)).days,
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
        "warnings": expiry_warnings(pem_of(certificate)),
    }


def describe(facts: dict[str, Any]) -> Iterator[str]:
    """Lines for a person."""
    yield f"{printable(facts['file'])}: {printable(facts['subject'], 200)}" + (
        " (development: anybody can make one)" if facts["development"] else ""
    )
    yield f"    issued by: {printable(facts['issuer'], 200)}"
    yield f"    valid: {facts['not_before'][:10]} to {facts['not_after'][:10]}, {facts['days_left']} days left"
    yield f"    sha256: {facts['sha256']}"
    for warning in facts["warnings"]:
        yield f"    warning: {printable(warning)}"
