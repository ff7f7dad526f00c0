"""`sfumato bench verifiers`: it parses, calls one library function, prints."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.commands import options as shared
from sfumato import options


@click.command()
@options.several("--format", "formats", "Only this one, e.g. jpg; may be repeated.  [default: all]", metavar="NAME")
@options.several("--key", "keys", "Only this kind, e.g. Ed25519; may be repeated.  [default: all]", metavar="NAME")
@shared.as_json()
@shared.record()
def verifiers(formats: tuple[str, ...], keys: tuple[str, ...], as_json: bool, out: Path | None) -> int:
    """What c2pa-python, encypher-c2pa (pip install -e '.[dev]') and `sfumato verify` say of every format that `sfumato
    sign` writes, signed with every kind of key.

    The files are made on the spot; each is asked about as it was signed, and with one bit of its content turned. Exit
    code: 0 done, 1 a verifier reads a file and does not trust it, or accepts a changed one.
    """
    import json

    from benchmarks.record import append_results, describe
    from benchmarks.verifiers.agreement import PROTOCOL, AgreementConfig, measure
    from sfumato.progress import progress

    given = {"formats": formats, "keys": keys}
    config = AgreementConfig(**{name: tuple(dict.fromkeys(chosen)) for name, chosen in given.items() if chosen})
    with progress("Signing and asking", config.files) as advance:
        rows = measure(config, advance)
    about = describe("sfumato bench verifiers", PROTOCOL, "none: each row is about one file")
    if out is not None:
        append_results(out, rows, about)
    if as_json:
        for row in rows:
            click.echo(json.dumps(row.line()))
    else:
        from benchmarks.tables.verifiers import verifiers_table

        click.echo(verifiers_table(rows, about))
    return int(any(row.wrong for row in rows))
