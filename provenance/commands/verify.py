"""`sfumato verify`: files in, one record a file out, and an exit code that says the worst that was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance.commands.lists import allowed_lists, origin, trust_lists
from sfumato import options
from sfumato.errors import UsageError
from sfumato.exit_codes import ExitCode

if TYPE_CHECKING:
    from provenance.pki.allowed_list import AllowedList
    from provenance.pki.trust_lists import TrustList

EXIT_CODES = {
    "trusted": ExitCode.DONE,
    "untrusted": ExitCode.NOT_GOOD,
    "invalid": ExitCode.INVALID_CREDENTIAL,
    "none": ExitCode.NO_CREDENTIAL,
    "unreadable": ExitCode.INPUT,
}


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@options.trust("Roots that signers may lead to; may be repeated. Without, nobody is trusted.")
@options.files("--tsa-trust", "Roots that time-stamp authorities may lead to; repeatable.", metavar="PEM")
@options.files("--trust-list", "A published, dated list of signers: PEM, or JSON (ETSI TS 119 602).", metavar="FILE")
@options.files("--tsa-trust-list", "The same, of time-stamp authorities.", metavar="FILE")
@options.allowed_list()
@click.option("--policy", metavar="TOML", type=options.FILE, help="What else must hold for a file to count as trusted.")
@options.sidecar("The credential of the one FILE. Else NAME.c2pa beside a file without one.")
@click.option(
    "--allow-remote",
    multiple=True,
    metavar="HOST",
    help="A host that may be asked for a manifest, or about revocation; may be repeated.",
)
@options.as_json("One JSON object a line.")
@click.pass_context
def verify(
    context: click.Context,
    files: tuple[Path, ...],
    trust: tuple[Path, ...],
    tsa_trust: tuple[Path, ...],
    trust_list: tuple[Path, ...],
    tsa_trust_list: tuple[Path, ...],
    allowed_list: tuple[Path, ...],
    policy: Path | None,
    sidecar: Path | None,
    allow_remote: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check the content credentials of FILEs; of a folder, every file in it. No connection is opened unless a host is
    named.

    \b
    trusted     valid, the signer leads to a root given here or is on an allowed list, and the policy holds
    untrusted   valid, but nobody given here vouches for the signer, or the policy fails
    invalid     changed after signing, or the signature or manifest is wrong
    none        no credential in the file, or only the address of one
    unreadable  missing, empty, truncated, or not a media file

    Trusted says who vouches for the file, not that what it shows is true. What the signature leaves out of a file
    is listed as "not covered".

    \b
    Exit codes: 0 trusted, 1 untrusted, 2 wrong usage, 3 unreadable, 4 none, 5 invalid. With several files
    the worst counts, from bad to good: unreadable, invalid, none, untrusted, trusted.
    """
    from provenance.library.store import SIDECAR_SUFFIX
    from provenance.pki.certificates import read_anchors
    from provenance.verifying.report import describe, record
    from provenance.verifying.verification import OUTCOMES
    from provenance.verifying.verify import verify as verify_file
    from sfumato.execution.find_files import Finder
    from sfumato.text import json_line, printable

    lists = trust_lists(trust_list, tsa_trust_list)
    anchors = [read_anchors(path) for path in trust] + [each.pem for each in lists if each.purpose == "signers"]
    stamps = [read_anchors(path) for path in tsa_trust] + [each.pem for each in lists if each.purpose == "stamps"]
    allowed = allowed_lists(allowed_list)
    digests = frozenset[str]().union(*(each.fingerprints for each in allowed))
    rules = None
    if policy is not None:
        from provenance.verifying.policy import load_policy

        rules = load_policy(policy)
    hosts = None
    if allow_remote:
        from provenance.pki.remote import Remote

        hosts = Remote(allow_remote)
    finder = Finder(None, without=(SIDECAR_SUFFIX,), patterns=True)
    paths = list(finder.paths(files))
    if not paths:
        raise UsageError("There is no file in what was named", "Name files, or a folder with files in it.")
    if sidecar is not None and len(paths) != 1:
        raise UsageError(
            f"One sidecar cannot belong to {len(paths)} files", "Verify them one by one, or keep NAME.c2pa beside each."
        )
    if finder.told():
        click.echo(printable(finder.told()), err=True)
    for each in lists:
        _announce(each)
    origins = [origin(each) for each in lists]
    worst = 0
    for path in paths:
        found = verify_file(path, anchors, stamps=stamps, allowed=digests, policy=rules, sidecar=sidecar, remote=hosts)
        worst = max(worst, OUTCOMES.index(found.outcome))
        if as_json:
            click.echo(
                json_line(
                    {**record(found), "trust_lists": origins, "allowed_lists": [_described(each) for each in allowed]}
                )
            )
        else:
            click.echo("\n".join(describe(found)))
    context.exit(EXIT_CODES[OUTCOMES[worst]])


def _described(allowed: AllowedList) -> dict[str, str | int]:
    return {"file": str(allowed.path), "certificates": len(allowed.fingerprints), "sha256": allowed.sha256}


def _announce(trust_list: TrustList) -> None:
    """On stderr: which list it is, of which day, and whether it is old."""
    from sfumato.text import printable

    warning = f"; WARNING: {trust_list.warning}, get the current one" if trust_list.warning else ""
    text = (
        f"{trust_list.path}: {trust_list.size} certificates for {trust_list.purpose}, issued {trust_list.issued.date()}"
    )
    click.echo(printable(f"trust list {text}, sha256 {trust_list.sha256}{warning}"), err=True)
