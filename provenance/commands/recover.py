"""`sfumato recover`: a copy without its manifest in, the manifest and how sure it is out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfumato import options
from sfumato.errors import MediaError, UsageError
from sfumato.exit_codes import ExitCode

if TYPE_CHECKING:
    from provenance.durable.recovery import Recovery
    from provenance.durable.repository import Resolver

SCHEMA_VERSION = 1
EXIT_CODES = {
    "confirmed": ExitCode.DONE,
    "watermark": ExitCode.NOT_GOOD,
    "alike": ExitCode.NOT_GOOD,
    "none": ExitCode.NO_CREDENTIAL,
}
SAID = {
    "confirmed": "a signed manifest names this watermark, and the video looks like the one it was made for",
    "watermark": "the watermark leads to this manifest, but that they belong together is not confirmed",
    "alike": "no watermark was read; the video looks like what was entered, as another video of the "
    "same portrait would",
    "none": "neither watermark nor fingerprint leads to a manifest",
}
_INTACT = "intact: the file carries this manifest itself, and is the one that was signed"
_BROKEN = "broken: the file is not the one that was signed"


@click.command()
@click.argument("file", type=options.FILE)
@options.repository("Where manifests were entered: an SQLite file or postgresql://...")
@options.several("--resolver", "resolvers", "Ask this C2PA soft-binding resolver too; may be repeated.", metavar="URL")
@click.option(
    "--send-file", is_flag=True, help="Let the resolvers have the whole file, not only the watermark's payload."
)
@options.trust("Roots that the manifest's signer may lead to; may be repeated.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT.c2pa",
    help="Write the manifest here.",
)
@options.as_json("One JSON object.")
@click.pass_context
def recover(
    context: click.Context, file: Path, repository: str | None, resolvers: tuple[str, ...], send_file: bool,
    trust: tuple[Path, ...],
    output: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Find the manifest of FILE, a copy that lost it: encoded again, made smaller, cut, mirrored.

    The watermark names the manifest; the fingerprint says whether the video looks like the one that was entered with
    it. The repository is this machine's own unless another is named. Nothing leaves the machine without --resolver, and
    then only the watermark's 64 bits, to that host.

    \b
    confirmed  a manifest's own signature covers this watermark and this look
    watermark  the watermark leads to a manifest; something is wanting, and is said
    alike      only the fingerprint; several manifests may fit
    none       nothing was found

    What a repository or a resolver says counts for nothing by itself: the manifest must state the watermark, draw it
    from its own signer's key, state the fingerprint and carry its own name, all under a signature that holds. With
    --trust the signer must lead to one of the roots; without, anybody may have signed. The manifest's binding is broken
    in a copy, as it is by every encoding; the original itself is said to be intact.

    \b
    Exit codes: 0 confirmed, 1 watermark or alike, 2 wrong usage, 3 the file is no video, 4 none, 5 the recovered
    manifest does not hold.
    """
    from provenance.durable.recovery import recover as recover_file
    from provenance.durable.repository import default_exists, open_repository
    from provenance.durable.resolver import HttpResolver
    from provenance.pki.certificates import read_anchors
    from sfumato.atomic import write_bytes
    from sfumato.text import json_line

    if send_file and not resolvers:
        raise UsageError("--send-file says nothing without --resolver", "Name the resolver that may have the file.")
    roots = [read_anchors(path) for path in trust]
    with ExitStack() as stack:
        asked: list[Resolver] = [HttpResolver(address, send_content=send_file) for address in resolvers]
        if repository is not None or not resolvers or default_exists():
            asked.insert(0, stack.enter_context(open_repository(repository, must_exist=True)))
        found = recover_file(file, asked, roots)
    if output is not None and found.store:
        write_bytes(output, found.store)
    bound = found.manifest is not None and carries(file, found.manifest.label or "")
    click.echo(json_line(record(found, output, bound)) if as_json else "\n".join(describe(found, output, bound)))
    if output is not None and not found.store:
        click.echo("No manifest was recovered, so none was written.", err=True)
    invalid = found.manifest is not None and found.manifest.signature in ("invalid", "unreadable")
    context.exit(ExitCode.INVALID_CREDENTIAL if invalid else EXIT_CODES[found.outcome])


def carries(file: Path, manifest_id: str) -> bool:
    """Whether the file holds this very manifest, and is what it was signed for: the original, not a copy."""
    from provenance.verifying.tree import read_tree
    from provenance.verifying.verify import verify

    try:
        return read_tree(file).active.label == manifest_id and verify(file).outcome in ("trusted", "untrusted")
    except MediaError:
        return False  # no credential, or one that cannot be read


def record(found: Recovery, output: Path | None = None, bound: bool = False) -> dict[str, Any]:
    """Plain values for JSON; foreign strings are cut, not escaped. bound: see `carries`."""
    manifest, view = found.manifest, found.manifest.view if found.manifest else None
    return {
        "schema_version": SCHEMA_VERSION,
        "file": str(found.path),
        "outcome": found.outcome,
        "doubts": list(found.doubts),
        "meaning": SAID[found.outcome],
        "watermark": {
            "detected": found.mark.detected,
            "alg": found.alg,
            "value": found.value if found.mark.detected else None,
            "statistic": round(found.mark.statistic, 2),
            "false_positive_bound": found.mark.bound,
            "mirrored": found.mark.geometry.mirrored,
            "stated_by_manifest": found.states_mark,
        },
        "candidates": [
            {
                "manifest_id": candidate.manifest_id,
                "by_watermark": candidate.by_watermark,
                "fingerprint_distance": None if candidate.distance is None else round(candidate.distance, 4),
                "similarity": candidate.similarity,
                "from": candidate.resolver,
                "doubts": list(candidate.doubts),
            }
            for candidate in found.candidates
        ],
        "manifest": None
        if manifest is None
        else {
            "id": manifest.label,
            "signature": manifest.signature,
            "codes": list(manifest.codes),
            "binding": _INTACT if bound else _BROKEN,
            "signer": view.signer if view else None,
            "development": view.development if view else None,
            "time": view.time if view else None,
            "declares": list(view.declares) if view else [],
            "title": view.title if view else None,
            "written_to": str(output) if output is not None else None,
        },
        "frames": found.frames,
        "seconds": round(found.seconds, 3),
    }


def describe(found: Recovery, output: Path | None = None, bound: bool = False) -> Iterator[str]:
    """Lines for a person. bound: see `carries`."""
    from provenance.durable.evidence import DOUBTS
    from sfumato.text import printable

    yield f"{printable(found.path, 500)}: {found.outcome}: {SAID[found.outcome]}"
    if found.mark.detected:
        turned = ", mirrored" if found.mark.geometry.mirrored else ""
        yield (
            f"    watermark: {found.value}{turned}; a video without one gives this with a chance of "
            f"at most {found.mark.bound:.0e}"
        )
    else:
        yield "    watermark: none was read"
    for candidate in found.candidates[:10]:
        apart = "not known" if candidate.distance is None else f"{candidate.distance:.2f}"
        by = "watermark" if candidate.by_watermark else "fingerprint"
        yield f"    manifest: {printable(candidate.manifest_id, 200)} (by {by}; fingerprint distance {apart})"
    manifest = found.manifest
    if manifest is None:
        return
    yield f"    signature: {manifest.signature}" + (
        f" ({printable(', '.join(manifest.codes), 300)})" if manifest.codes else ""
    )
    if manifest.view is not None:
        development = ", a development signer: anybody can make one" if manifest.view.development else ""
        yield f"    signer: {printable(manifest.view.signer or 'not named', 80)}{development}"
        yield f"    says: {printable(', '.join(manifest.view.declares) or 'nothing about its origin', 300)}"
        if manifest.view.title:
            yield f"    title: {printable(manifest.view.title, 200)}"
    for doubt in found.doubts:
        yield f"    not confirmed: {DOUBTS[doubt]}"
    yield f"    binding: {_INTACT if bound else _BROKEN}"
    if output is not None and found.store:
        yield f"    written to: {printable(output, 500)}"
