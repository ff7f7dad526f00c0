"""`sfumato inspect`: the manifest tree of a file, for people or as JSON. It shows what the file says; `verify` judges
it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfumato import options

if TYPE_CHECKING:
    from provenance.verifying.tree import AssertionNode, ManifestNode, ManifestTree

SCHEMA_VERSION = 1
LONGEST_LINE = 300


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@options.sidecar("The file's credential.")
@options.as_json("One JSON object.")
def inspect(file: Path, sidecar: Path | None, as_json: bool) -> None:
    """Show what the credential of FILE says: manifests, assertions with their sizes, signatures, times, checks,
    ingredients.

    Everything shown is the file's own word, with what could steer a terminal written as an escape. Whether to believe
    it, `sfumato verify` says. Exit codes: 0 shown, 3 no credential that can be shown.
    """
    from provenance.verifying.tree import read_tree
    from sfumato.text import json_line

    tree = read_tree(file, sidecar)
    if as_json:
        click.echo(json_line(record(tree)))
    else:
        click.echo("\n".join(describe(tree)))


def record(tree: ManifestTree) -> dict[str, Any]:
    """The tree as plain values; foreign strings are cut, not escaped."""
    from dataclasses import asdict

    return {"schema_version": SCHEMA_VERSION, **asdict(tree), "path": str(tree.path)}


def describe(tree: ManifestTree) -> Iterator[str]:
    """Lines for a person, indented by depth; every foreign string passes `printable`."""
    from sfumato.text import printable

    yield f"{printable(tree.path, 500)}: the library reads it as {printable(tree.state, 20)}, with nobody trusted"
    if tree.manifest_from != "the file":
        yield from _line(1, "credential", f"from {tree.manifest_from}")
    yield from _manifest(tree.active, 1)
    for label in tree.elsewhere:
        yield from _line(1, "also in the store, named by nothing", label)


def _manifest(node: ManifestNode, depth: int) -> Iterator[str]:
    kind = "update manifest" if node.update else "manifest"
    yield from _line(depth, kind, f"{node.label} ({node.size} bytes, claim version {node.claim_version})")
    depth += 1
    yield from _line(depth, "title", node.title)
    yield from _line(depth, "media type", node.media_type)
    yield from _line(depth, "made with", node.generator)
    yield from _signature(node.signature, depth)
    for identity in node.identities:
        yield from _line(depth, "identity", identity.said())
    for name, codes in (("FAILED", node.failures), ("held", node.successes), ("noted", node.notes)):
        for code in codes:
            yield from _code(name, code, depth)
    for assertion in node.assertions:
        yield from _assertion(assertion, depth)
    for ingredient in node.ingredients:
        state = "no credential" if ingredient.state == "none" else ingredient.state
        title = f"{ingredient.title or 'untitled'} [{ingredient.relationship}, {ingredient.media_type}]: {state}"
        yield from _line(depth, "ingredient", title)
        for code in ingredient.codes:
            yield from _code("FAILED", code, depth + 1)
        if ingredient.repeated:
            yield from _line(depth + 1, "manifest", "shown elsewhere in this tree")
        if ingredient.manifest is not None:
            yield from _manifest(ingredient.manifest, depth + 1)


def _signature(signature: dict[str, Any], depth: int) -> Iterator[str]:
    certificate, stamp = signature.get("certificateInfo"), signature.get("timeStampInfo")
    if isinstance(certificate, dict):
        yield from _line(depth, "signed by", f"{_name(certificate.get('subject'))} with {signature.get('algorithm')}")
        yield from _line(depth, "certificate", _certificate(certificate))
    if isinstance(stamp, dict):
        authority = stamp.get("certificateInfo")
        inside = authority if isinstance(authority, dict) else {}
        yield from _line(depth, "time-stamp", f"{stamp.get('timestamp')} by {_name(inside.get('subject'))}")
        yield from _line(depth, "its certificate", _certificate(inside))


def _certificate(certificate: dict[str, Any]) -> str:
    validity = certificate.get("validity")
    dates = validity if isinstance(validity, dict) else {}
    valid = f"{dates.get('notBefore')} to {dates.get('notAfter')}"
    return f"issued by {_name(certificate.get('issuer'))}, {valid}, serial number {certificate.get('serialNumber')}"


def _name(name: Any) -> str:
    return ", ".join(f"{kind}={value}" for kind, value in name.items()) if isinstance(name, dict) else "nobody named"


def _assertion(assertion: AssertionNode, depth: int) -> Iterator[str]:
    size = "not in the store" if assertion.size is None else f"{assertion.size} bytes"
    origin = ", stated by the signer" if assertion.created else ""
    said = "" if assertion.data is None else f": {json.dumps(assertion.data, ensure_ascii=False)}"
    yield from _line(depth, "assertion", f"{assertion.label} ({size}{origin}){said}")


def _code(name: str, code: str, depth: int) -> Iterator[str]:
    from provenance.manifests.codes import meaning

    explained = meaning(code)
    yield from _line(depth, name, f"{code}{f': {explained}' if explained else ''}")


def _line(depth: int, name: str, value: str | None) -> Iterator[str]:
    from sfumato.text import printable

    if value:
        yield f"{'    ' * depth}{name}: {printable(value, LONGEST_LINE)}"
