"""Actions that somebody writes: what they may say, in which place, and when a signed file says them already."""

from __future__ import annotations

from typing import Any

import pytest

from provenance.manifests.own.actions import read_actions
from provenance.manifests.source_types import IPTC
from sfumato.errors import UsageError

OPENED = {"action": "c2pa.opened"}
EDITED = {"action": "c2pa.edited", "digitalSourceType": f"{IPTC}humanEdits", "description": "Brighter"}


def _with(**more: Any) -> dict[str, Any]:
    return {"actions": [OPENED, {"action": "c2pa.edited", **more}]}


def test_the_first_is_told_from_the_rest() -> None:
    found = read_actions({"actions": [OPENED, EDITED], "allActionsIncluded": True}, "m")
    assert (found.first, found.rest, found.all_included) == (OPENED, (EDITED,), True)
    found = read_actions({"actions": [EDITED]}, "m")
    assert (found.first, found.rest, found.all_included) == (None, (EDITED,), False)


def test_a_program_that_is_named_by_text_becomes_an_object() -> None:
    assert read_actions(_with(softwareAgent="Editor 3"), "m").rest[0]["softwareAgent"] == {"name": "Editor 3"}


def test_everything_allowed_at_once() -> None:
    action = {
        "when": "2026-01-31T12:00:00.5+01:00",
        "softwareAgent": {"name": "Editor", "version": "3"},
        "reason": "org.example.light",
        "parameters": {"ingredientIds": ["sky"], "org.example.strength": 0.5},
        "changes": [{"region": [{"type": "temporal", "time": {}}], "description": "the sky"}],
    }
    assert read_actions(_with(**action), "m").named() == {"sky"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "no list of actions"),
        ({"actions": []}, "no list of actions"),
        ({"actions": ["c2pa.edited"]}, "is no object"),
        ({"actions": [OPENED], "templates": []}, "'templates'"),
        ({"actions": [OPENED], "allActionsIncluded": "yes"}, "neither true nor false"),
        ({"actions": [{}]}, "cannot be an action"),
        ({"actions": [{"action": "edited"}]}, "cannot be an action"),
        ({"actions": [EDITED, OPENED]}, "c2pa.opened, and not the first"),
        ({"actions": [OPENED, {"action": "c2pa.created"}]}, "c2pa.created, and not the first"),
        ({"actions": [{"action": "c2pa.watermarked.bound"}]}, "c2pa.watermarked.bound cannot be stated"),
        ({"actions": [{"action": "c2pa.redacted"}]}, "c2pa.redacted cannot be stated"),
        (_with(digitalSourceType="trainedAlgorithmicMedia"), "digitalSourceType is 'trainedAlgorithmicMedia'"),
        (_with(digitalSourceType="https://example.org/x"), "digitalSourceType is 'https://example.org/x'"),
        (_with(digitalSourceType=[f"{IPTC}humanEdits"]), "digitalSourceType is no text"),
        (_with(digitalSourceType=f"{IPTC}digitalCapture"), "says digitalCapture"),
        (_with(changes=[{"x": {"digitalSourceType": f"{IPTC}negativeFilm"}}]), "says negativeFilm"),
        (_with(when="yesterday"), "when is 'yesterday'"),
        (_with(when="2026-13-01T00:00:00Z"), "when is"),
        (_with(description=7), "description is no text"),
        (_with(softwareAgent=""), "softwareAgent"),
        (_with(softwareAgent={"version": "3"}), "softwareAgent has no name"),
        (_with(softwareAgent={"name": "E", "icon": {"identifier": "/etc/passwd"}}), "softwareAgent has 'icon'"),
        (_with(parameters=[]), "parameters is no object"),
        (_with(parameters={"ingredients": []}), "ingredients is not taken"),
        (_with(parameters={"org.cai.ingredientIds": ["a"]}), "is not taken"),
        (_with(parameters={"ingredientIds": "a"}), "no list of labels"),
        (_with(parameters={"ingredientIds": ["a", "a"]}), "a label twice"),
        ({"actions": [EDITED] * 101}, "101 actions"),
        (_with(instanceId="xmp:iid:1"), "'instanceId'"),
    ],
)
def test_what_cannot_be_stated_is_refused(data: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_actions(data, "m")


def test_a_signed_file_says_the_same_however_it_names_ingredients() -> None:
    own = read_actions(_with(description="Brighter", parameters={"ingredientIds": ["a"], "x": 1}), "m")
    reported: list[dict[str, Any]] = [
        {"action": "c2pa.opened", "when": "2026-01-31T12:00:00Z", "parameters": {"ingredients": [{}]}},
        {"action": "c2pa.edited", "description": "Brighter", "parameters": {"ingredients": [{}], "x": 1}},
        {"action": "c2pa.placed"},
    ]
    assert own.are_stated_in(reported)
    assert not own.are_stated_in(reported[:1])
    reported[1]["description"] = "Darker"
    assert not own.are_stated_in(reported)
    reported[1] |= {"description": "Brighter", "parameters": {"x": [1]}}
    assert not own.are_stated_in(reported)
