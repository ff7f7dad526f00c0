"""`sfumato verify`: files in, one record a file out, and an exit code that says the worst that was found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provenance.commands.lists import announce, origin, read_beliefs, require_one
from sfumato import options
from sfumato.errors import UsageError
from sfumato.exit_codes import ExitCode

if TYPE_CHECKING:
    from provenance.pki.allowed_list import AllowedList
    from provenance.verifying.verification import Verification

EXIT_CODES = {
    "trusted": ExitCode.DONE,
    "untrusted": ExitCode.NOT_GOOD,
    "invalid": ExitCode.INVALID_CREDENTIAL,
    "none": ExitCode.NO_CREDENTIAL,
    "unreadable": ExitCode.INPUT,
}


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@options.credentials(
    "Roots that signers may lead to; may be repeated. Without, nobody is trusted.",
    "The credential of the one FILE. Else NAME.c2pa beside a file without one.",
)
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
    allow_remote: tuple[str, ...],
    as_json: bool,
    credentials: Mapping[str, Any],
) -> None:
    """Check the content credentials of FILEs; of a folder, every file in it. No connection is opened unless a host is
    named. Where a folder has signed sums, as the sets of `datasets make` have, files in them need no credential.

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
    from provenance.verifying.policy import parse_policy
    from provenance.verifying.report import describe, record
    from provenance.verifying.signed_sums import has_signed_sums, verify_sums
    from provenance.verifying.verification import OUTCOMES
    from provenance.verifying.verify import verify as verify_file
    from sfumato.execution.find_files import Finder
    from sfumato.text import json_line, printable

    beliefs, sidecar = read_beliefs(credentials), credentials["sidecar"]
    policy = None if beliefs.policy is None else parse_policy(beliefs.policy, str(credentials["policy"]))
    hosts = None
    if allow_remote:
        from provenance.pki.remote import Remote

        hosts = Remote(allow_remote)
    finder = Finder(None, without=(SIDECAR_SUFFIX,), patterns=True)
    paths = list(finder.paths(files))
    if not paths:
        raise UsageError("There is no file in what was named", "Name files, or a folder with files in it.")
    require_one(sidecar, len(paths), "Verify")
    if finder.told():
        click.echo(printable(finder.told()), err=True)
    for each in beliefs.lists:
        announce(each)
    origins = [origin(each) for each in beliefs.lists]

    def look(path: Path) -> Verification:
        return verify_file(
            path, beliefs.anchors, stamps=beliefs.stamps, allowed=beliefs.digests, policy=policy, sidecar=sidecar,
            remote=hosts,
        )  # fmt: skip

    signed = [verify_sums(name, look) for name in dict.fromkeys(files) if has_signed_sums(name)]
    sums, held = (
        {each.found.path: each.found for each in signed},
        frozenset[Path]().union(*(each.held for each in signed)),
    )
    worst = 0
    for path in paths:
        found = sums[path] if path in sums else look(path)
        if path in held and found.outcome in ("none", "unreadable"):  # no medium, or one without a credential
            continue
        worst = max(worst, OUTCOMES.index(found.outcome))
        if as_json:
            click.echo(
                json_line(
                    {
                        **record(found),
                        "trust_lists": origins,
                        "allowed_lists": [_described(each) for each in beliefs.allowed],
                    }
                )
            )
        else:
            click.echo("\n".join(describe(found)))
    context.exit(EXIT_CODES[OUTCOMES[worst]])


def _described(allowed: AllowedList) -> dict[str, str | int]:
    return {"file": str(allowed.path), "certificates": len(allowed.fingerprints), "sha256": allowed.sha256}
