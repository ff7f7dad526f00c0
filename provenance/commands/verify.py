"""`sfumato verify`: files in, one record a file out, and an exit code that says the worst that was found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfumato.errors import UsageError

if TYPE_CHECKING:
    from provenance.verify import Verification

SCHEMA_VERSION = 1
EXIT_CODES = {"trusted": 0, "untrusted": 1, "invalid": 3, "none": 4, "unreadable": 5}
SAID_OF_SOURCE = {
    "trainedAlgorithmicMedia": "made by a trained algorithm",
    "compositeWithTrainedAlgorithmicMedia": "composed with parts made by a trained algorithm",
    "compositeSynthetic": "composed of synthetic parts",
    "algorithmicMedia": "made by an algorithm",
    "algorithmicallyEnhanced": "enhanced by an algorithm",
    "digitalCapture": "captured by a camera",
    "computationalCapture": "captured by a computational camera",
    "digitalCreation": "created with software by a person",
    "humanEdits": "edited by a person",
    "screenCapture": "a recording of a screen",
}


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--trust",
    "trust",
    multiple=True,
    metavar="PEM",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Roots that signers may lead to; may be repeated. Without it nobody is trusted.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def verify(context: click.Context, files: tuple[Path, ...], trust: tuple[Path, ...], as_json: bool) -> None:
    """Check the content credentials of FILEs. Nothing is ever fetched from the network.

    \b
    trusted     valid, and the signer leads to a root given with --trust
    untrusted   valid, but nobody given here vouches for the signer
    invalid     changed after signing, or the signature or manifest is wrong
    none        no credential in the file, or only the address of one
    unreadable  missing, empty, truncated, or not a media file

    Trusted says who vouches for the file, not that what it shows is true. The signature does not cover
    everything: in an mp4 the boxes ftyp, free and skip may change.

    \b
    Exit codes: 0 trusted, 1 untrusted, 2 wrong usage, 3 invalid, 4 none, 5 unreadable. With several files
    the worst counts, from bad to good: unreadable, invalid, none, untrusted, trusted.
    """
    from provenance.verify import OUTCOMES
    from provenance.verify import verify as verify_file

    anchors = [_trust_list(path) for path in trust]
    worst = 0
    for path in files:
        found = verify_file(path, anchors)
        worst = max(worst, OUTCOMES.index(found.outcome))
        if as_json:
            click.echo(json.dumps(record(found)))  # ASCII: what could steer a terminal is written as an escape
        else:
            click.echo("\n".join(describe(found)))
    context.exit(EXIT_CODES[OUTCOMES[worst]])


def record(found: Verification) -> dict[str, Any]:
    """The evidence as plain values for JSON; foreign strings are cut, not escaped."""
    return {
        "schema_version": SCHEMA_VERSION,
        "file": str(found.path),
        "outcome": found.outcome,
        "reason": found.reason,
        "codes": list(found.codes),
        "success_codes": list(found.successes),
        "signer": {
            "common_name": found.signer,
            "organisation": found.organisation,
            "issuer": found.issuer,
            "development": found.development,
            "anchored": found.anchored,
        },
        "time": found.time,
        "time_source": found.time_source,
        "declares": list(found.declares),
        "ingredient_declares": list(found.ingredient_declares),
        "title": found.title,
        "generator": found.generator,
        "facts": found.facts,
        "ingredients": [
            {
                "title": ingredient.title,
                "relationship": ingredient.relationship,
                "media_type": ingredient.media_type,
                "state": ingredient.state,
                "codes": list(ingredient.codes),
                "declares": list(ingredient.declares),
                "depth": ingredient.depth,
            }
            for ingredient in found.ingredients
        ],
        "remote_manifest": found.remote_manifest,
    }


def describe(found: Verification) -> Iterator[str]:
    """Lines for a person: the outcome and what it rests on first, then what the file says about itself."""
    from sfumato.text import printable

    parts = [found.reason]
    if found.signer:
        parts.append(
            f"signer '{printable(found.signer, 80)}'" + (f" of '{printable(found.organisation, 80)}'" if found.organisation else "")
        )
    if found.development:
        parts.append("a development signer: anybody can make one")
    says = [SAID_OF_SOURCE.get(kind, printable(kind, 80)) for kind in found.declares]
    if says:
        parts.append(f"says: {', '.join(says)}")
    yield f"{printable(found.path, 500)}: {found.outcome}: {printable('; '.join(parts), 1000)}"
    if found.outcome != "untrusted" or found.codes != ("signingCredential.untrusted",):
        yield from _line("codes", ", ".join(found.codes))
    if found.remote_manifest:
        yield from _line("address", found.remote_manifest)
    yield from _line("title", found.title)
    yield from _line("made with", found.generator)
    if found.time:
        yield from _line("time", f"{found.time} ({'the signer says so' if found.time_source == 'claimed' else found.time_source})")
    if found.facts:
        named = ", ".join(f"{name} {found.facts[name]}" for name in ("model_name", "model_digest", "seed") if name in found.facts)
        yield from _line("model", named)
    for ingredient in found.ingredients:
        said = "".join(f", says: {SAID_OF_SOURCE.get(kind, kind)}" for kind in ingredient.declares)
        state = "no credential" if ingredient.state == "none" else ingredient.state
        why = f" ({', '.join(ingredient.codes)})" if ingredient.codes else ""
        depth = "  " * ingredient.depth
        yield from _line(f"{depth}from", f"{ingredient.title or 'untitled'} [{ingredient.relationship}]: {state}{why}{said}")


def _line(name: str, value: str | None) -> Iterator[str]:
    from sfumato.text import printable

    if value:
        yield f"    {name}: {printable(value, 300)}"


def _trust_list(path: Path) -> bytes:
    from provenance.certificates import load_anchors

    try:
        pem = path.read_bytes()
        load_anchors([pem])
    except OSError as error:
        raise UsageError(f"Cannot read the trust list {path}: {error.strerror}") from error
    except UsageError as error:
        raise UsageError(f"{path} holds no readable certificate", error.advice) from error
    return pem
