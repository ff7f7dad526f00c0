"""What the credential of a file says, as a tree that a page can unfold. In: a file. Out: plain values, foreign texts as
found.

A node is {"name", "said", "tone", "open", "parts"}: manifests, who signed, which checks failed or held, assertions, and
the ingredients with manifests of their own. It is the file's own word; whether it counts, a verification says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from provenance.manifests.codes import meaning
from provenance.verifying.tree import IngredientNode, ManifestNode, read_tree
from sfumato.errors import SfumatoError

Node = dict[str, Any]
_LONGEST = 1000  # characters of one assertion's data


def credential_tree(path: Path) -> Node | None:
    """The active manifest and all below it; None where the file has none that can be shown."""
    try:
        tree = read_tree(path)
    except (SfumatoError, OSError):
        return None
    node = _manifest(tree.active)
    node["parts"] += [_node("also in the store, named by nothing", label) for label in tree.elsewhere]
    return node


def _node(name: str, said: Any = "", parts: list[Node] | None = None, tone: str = "", unfolded: bool = False) -> Node:
    return {"name": name, "said": str(said or ""), "parts": parts or [], "tone": tone, "open": unfolded}


def _manifest(found: ManifestNode) -> Node:
    parts = [
        _node(name, value)
        for name, value in (("title", found.title), ("media type", found.media_type), ("made with", found.generator))
        if value
    ]
    parts += _signature(found.signature)
    parts += [_node("identity", identity.said()) for identity in found.identities]
    parts += [_code("failed", code, "bad") for code in found.failures]
    held = [_code("held", code, "good") for code in found.successes] + [_code("noted", code) for code in found.notes]
    parts += [_node("checks that held", f"{len(held)}", held)] if held else []
    parts += [_assertion(each.label, each.size, each.data) for each in found.assertions]
    parts += [_ingredient(each) for each in found.ingredients]
    return _node("update manifest" if found.update else "manifest", found.label, parts, unfolded=True)


def _signature(signature: dict[str, Any]) -> list[Node]:
    certificate, stamp = signature.get("certificateInfo"), signature.get("timeStampInfo")
    nodes = []
    if isinstance(certificate, dict):
        said = f"{_name(certificate.get('subject'))}, issued by {_name(certificate.get('issuer'))}"
        nodes.append(_node("signed by", said))
    if isinstance(stamp, dict):
        nodes.append(_node("time-stamp", stamp.get("timestamp")))
    return nodes


def _name(name: Any) -> str:
    return ", ".join(f"{kind}={value}" for kind, value in name.items()) if isinstance(name, dict) else "nobody named"


def _code(name: str, code: str, tone: str = "") -> Node:
    explained = meaning(code)
    return _node(name, f"{code}{f': {explained}' if explained else ''}", tone=tone)


def _assertion(label: str, size: int | None, data: Any) -> Node:
    said = "not in the store" if size is None else f"{label} ({size} bytes)"
    text = "" if data is None else json.dumps(data, ensure_ascii=False)
    more = f"... ({len(text) - _LONGEST} characters more)" if len(text) > _LONGEST else ""
    return _node("assertion", said, [_node("says", text[:_LONGEST] + more)] if text else [])


def _ingredient(found: IngredientNode) -> Node:
    state = "no credential" if found.state == "none" else found.state
    parts = [_code("failed", code, "bad") for code in found.codes]
    parts += [_node("manifest", "shown elsewhere in this tree")] if found.repeated else []
    parts += [_manifest(found.manifest)] if found.manifest is not None else []
    return _node("made from", f"{found.title or 'untitled'} ({found.relationship or '?'}): {state}", parts)
