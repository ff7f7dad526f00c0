"""`sfumato sign`: files, folders or patterns in, signed copies out, one line or one JSON object for each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfumato import options
from sfumato.errors import UsageError
from sfumato.exit_codes import ExitCode
from sfumato.text import json_line, printable

if TYPE_CHECKING:
    from provenance.manifests.declaration import Declaration
    from provenance.pki.timestamp import Stamping
    from provenance.signing.batch import SigningResult

SCHEMA_VERSION = 1


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="OUT", help="A file for one FILE, else a folder."
)
@click.option(
    "--in-place",
    is_flag=True,
    help="Replace each FILE by its signed copy; it keeps its mode and owner, and a link leads to it as before.",
)
@click.option(
    "--sidecar",
    is_flag=True,
    help="Write the manifest alone, NAME.c2pa beside FILE or at OUT; FILE, of any kind, is left as it is.",
)
@click.option(
    "--kind", required=True, type=click.Choice(["generated", "edited", "composite"]), help="What is declared."
)
@click.option(
    "--manifest",
    type=options.FILE,
    metavar="FILE.json",
    help="A manifest definition of your own, as c2patool takes it: title, assertions, actions, ingredients.",
)
@click.option(
    "--allow-thumbnail",
    is_flag=True,
    help="Put a small JPEG of the picture, or of a video's first frame, into the manifest, where it stays.",
)
@click.option("--title", default="", help="Shown to readers; the name of the signed file unless given.")
@click.option(
    "--source-type", default="", metavar="NAME", help="digitalSourceType of the IPTC list; the usual one of the kind."
)
@click.option(
    "--parent", type=options.FILE, metavar="FILE", help="edited: the file before the edit; FILE itself unless given."
)
@options.several("--action", "actions", "edited: what was done, as c2pa.color_adjustments. Repeatable.", metavar="NAME")
@options.files("--ingredient", "What it was made from. Repeatable.", into="ingredients", metavar="FILE")
@click.option(
    "--training-mining", default="", metavar="USE", help="Mining and training: notAllowed, allowed or constrained."
)
@click.option("--constraint", default="", metavar="TEXT", help="What constrained means.")
@click.option("--model", type=options.FILE, metavar="FILE", help="The model's weights; their digest is stated.")
@click.option("--model-digest", default="", metavar="SHA256", help="The same, where the file is not at hand.")
@click.option("--model-name", default="", metavar="NAME")
@click.option("--seed", type=int)
@options.files("--portrait", "A picture the model was given. Repeatable.", into="portraits", metavar="FILE")
@click.option("--motion", type=options.FILE, metavar="FILE", help="The motion that was followed; its digest is stated.")
@click.option(
    "--signer", metavar="SIGNER", help="pem:KEY, a pkcs11: URI, or module:callable; the development key unless given."
)
@click.option("--chain", type=options.FILE, metavar="PEM", help="The signer's certificates, up to its root or below.")
@click.option(
    "--algorithm",
    type=click.Choice(["ps256", "ps384", "ps512"]),
    help="What an RSA key signs with; ps256 unless given.",
)
@click.option("--tsa", metavar="URL", help="RFC 3161 authority to stamp each signature with the time.")
@options.several(
    "--tsa-host", "hosts", "Refuse an authority that is none of these. Repeatable.", envvar="SFUMATO_TSA_HOSTS"
)
@click.option(
    "--tsa-failure",
    type=click.Choice(["fail", "unstamped"]),
    help="Without an answer: sign nothing (usual), or go on without.",
)
@options.workers("Files at once.", most=64)
@options.overwrite("Replace outputs; also those that are done.")
@options.as_json("One JSON object a line, as each file is done.")
@click.pass_context
def sign(
    context: click.Context,
    /,
    files: tuple[str, ...],
    output: Path | None,
    in_place: bool,
    sidecar: bool,
    signer: str | None,
    chain: Path | None,
    algorithm: str | None,
    tsa: str | None,
    hosts: tuple[str, ...],
    tsa_failure: str | None,
    workers: int,
    overwrite: bool,
    as_json: bool,
    **declared: Any,
) -> None:
    """Sign FILEs: mp4, m4v, mov, avi, jpg, png, webp, gif, tif, avif, heic, svg, wav, mp3, m4a or flac; folders are
    searched through.

    \b
    generated   a model made it; ingredients are what the model was given
    edited      made from an earlier file, whose credential is kept inside
    composite   put together; ingredients are the parts

    A FILE is only read. Its signed copy appears whole, after it was read back, or not at all. Call it again after an
    interruption: what is done, signed with the same key and declares the same, is skipped.

    The PIN of a token comes from SFUMATO_PIN or the URI's pin-source, never from the command line.

    \b
    Exit codes: 0 all signed, 1 some failed; for a single FILE 2 not possible as asked, 3 not a file that can be signed.
    """
    from provenance.pki.timestamp import without_proxy
    from provenance.signers import signer_from
    from provenance.signing.batch import find_tasks, sign_all, signable_files
    from provenance.signing.seal import development_signer

    finder = signable_files()
    tasks = find_tasks(files, output, in_place=in_place, sidecar=sidecar, finder=finder)
    if finder.told():
        click.echo(printable(finder.told()), err=True)
    declaration = declaration_from(len(tasks), **declared)
    stamping = stamping_from(tsa, hosts, tsa_failure)
    if chain is not None and signer is None:
        raise UsageError("--chain belongs to a signer", "Give --signer too.")
    if algorithm is not None and signer is None:
        raise UsageError("--algorithm belongs to a signer", "Give --signer too.")
    key = signer_from(signer, chain, algorithm or "") if signer is not None else development_signer()
    _warn(key.chain_pem)
    if stamping is not None:
        without_proxy(os.environ)

    failed = 0
    how = {"in_place": in_place, "sidecar": sidecar, "overwrite": overwrite}
    for result in sign_all(tasks, declaration, key, stamping, workers=workers, **how):
        if result.error is not None:
            if len(tasks) == 1 and not as_json:
                raise result.error
            failed += 1
        if as_json:
            click.echo(json_line(record(result)))
        else:
            click.echo(describe(result), err=result.error is not None)
    if failed:
        context.exit(ExitCode.NOT_GOOD)


def declaration_from(
    count: int,
    *,
    model: Path | None,
    model_digest: str,
    motion: Path | None,
    manifest: Path | None,
    allow_thumbnail: bool,
    **declared: Any,
) -> Declaration:
    """What the options say about each of `count` files. Raises UsageError, MediaError for a manifest and SealError for
    a model or motion that cannot be read.
    """
    from provenance.manifests.declaration import Declaration
    from provenance.manifests.ingredients import file_digest
    from provenance.manifests.own.definition_file import load_manifest

    if model is not None and model_digest:
        raise UsageError("--model and --model-digest say the same", "Give one of them.")
    if count > 1 and declared["parent"] is not None:
        raise UsageError("Several files have not the same parent", "Leave --parent out: each file is then its own.")
    return Declaration(
        model_digest=file_digest(model) if model is not None else model_digest,
        motion_digest=file_digest(motion) if motion is not None else "",
        manifest=load_manifest(manifest) if manifest is not None else None,
        thumbnail=allow_thumbnail,
        **declared,
    )


def stamping_from(url: str | None, hosts: tuple[str, ...], on_failure: str | None) -> Stamping | None:
    """The time-stamp authority that was asked for. `hosts` alone only says which ones may be."""
    from provenance.pki.timestamp import Stamping

    if url is None:
        if on_failure is not None:
            raise UsageError("--tsa-failure belongs to a time-stamp authority", "Give --tsa too.")
        return None
    return Stamping(url, hosts, on_failure or "fail")


def record(result: SigningResult) -> dict[str, Any]:
    """One result as plain values."""
    found = result.signed.found if result.signed else None
    return {
        "schema_version": SCHEMA_VERSION,
        "source": str(result.task.source),
        "output": str(result.task.output),
        "outcome": result.outcome,
        "signer": found.signer if found else None,
        "development": found.development if found else None,
        "time": found.time if found else None,
        "time_source": found.time_source if found else None,
        "unstamped": (result.signed.unstamped or None) if result.signed else None,
        "seconds": round(result.seconds, 3),
        "error": str(result.error) if result.error is not None else None,
    }


def describe(result: SigningResult) -> str:
    """One line for a person."""
    if result.error is not None:
        return f"{printable(result.task.source)}: failed: {printable(result.error)}"
    if result.signed is None:
        return f"{printable(result.task.output)}: skipped, it is signed with this key already"
    found = result.signed.found
    parts = [f"signed by {printable(found.signer, 80)}" + (", a development signer" if found.development else "")]
    if result.signed.stamped:
        parts.append(f"time-stamp {printable(found.time, 40)}")
    if result.signed.unstamped:
        parts.append(f"no time-stamp: {printable(result.signed.unstamped, 300)}")
    return f"{printable(result.task.output)}: {'; '.join(parts)}"


def _warn(chain_pem: str) -> None:
    from provenance.pki.keys import expiry_warnings

    for warning in expiry_warnings(chain_pem):
        click.echo(f"Warning: {printable(warning)}", err=True)
