"""The faults of a manifest that the library would sign without a word."""

from __future__ import annotations

from typing import Any

import pytest

from provenance.manifests.definition import check_manifest
from provenance.manifests.source_types import GENERATED
from sfumato.errors import SealError


def _action(name: str, source_type: str | None = GENERATED) -> dict[str, Any]:
    return {"action": name, "digitalSourceType": source_type} if source_type else {"action": name}


def _with(*actions: dict[str, Any], label: str = "c2pa.actions.v2") -> dict[str, Any]:
    return {"assertions": [{"label": label, "data": {"actions": list(actions)}}]}


@pytest.mark.parametrize(
    ("manifest", "ingredients", "message"),
    [
        (_with(_action("c2pa.created", "http://cv.iptc.org/newscodes/digitalsourcetype/madeUp")), [], "IPTC"),
        (_with(_action("c2pa.created", "trainedAlgorithmicMedia")), [], "IPTC"),
        (_with(_action("c2pa.created", None)), [], "IPTC"),
        (_with(_action("c2pa.created"), _action("c2pa.edited", "nonsense")), [], "IPTC"),
        (_with(_action("c2pa.edited"), _action("c2pa.created")), [], "first action"),
        (_with(_action("c2pa.created"), _action("c2pa.opened")), [], "Only the first"),
        (_with(), [], "first action"),
        (_with(_action("c2pa.created")), [{"relationship": "parentOf"}], "parent"),
        (_with(_action("c2pa.opened")), [{"relationship": "parentOf"}] * 2, "at most one"),
        ({"assertions": [{"label": "generation", "data": {}}]}, [], "dot"),
    ],
)
def test_what_the_library_does_not_check(
    manifest: dict[str, Any], ingredients: list[dict[str, str]], message: str
) -> None:
    with pytest.raises(SealError, match=message):
        check_manifest(manifest, ingredients)


def test_an_edit_with_its_parent_is_fine() -> None:
    check_manifest(_with(_action("c2pa.opened", None), _action("c2pa.edited", None)), [{"relationship": "parentOf"}])
