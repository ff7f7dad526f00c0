"""The actions of a manifest of somebody's own: the data of `c2pa.actions` in, `OwnActions` out, checked one by one.

The first action says how the file came to be, and a file may not say less of itself than is known: created or opened
may stand there alone, and what comes after it edits. An edit does not capture: what the file was before stands in the
credential of its parent, and a later "captured by a camera" would talk over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provenance.formats.untrusted import cut
from provenance.manifests.soft_binding import WATERMARKED_ACTION
from provenance.manifests.source_types import GENERATED, SOURCE_TYPES, source_type_name, stated_source_types
from sfumato.errors import UsageError, choose_from
from sfumato.limits import ACTIONS

ACTIONS_LABELS = ("c2pa.actions", "c2pa.actions.v2")
BEGINNINGS = ("c2pa.created", "c2pa.opened")
ACTION = re.compile(r"[a-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
CAPTURES = frozenset(
    {
        *("digitalCapture", "computationalCapture", "multiFrameComputationalCapture", "compositeCapture"),
        *("negativeFilm", "positiveFilm", "print"),
    }
)
_KNOWN = ("actions", "allActionsIncluded")
_ACTION_KEYS = (
    *("action", "when", "description", "softwareAgent", "digitalSourceType", "reason", "parameters", "changes"),
)
_AGENT_KEYS = ("name", "version", "operating_system")
_BY_LABEL = "Name ingredients by their label, in a list under ingredientIds."
_PARAMETERS = dict.fromkeys(
    ("ingredients", "ingredient", "org.cai.ingredientIds", "org.cai.ingredientId", "instanceId"), _BY_LABEL
)
_NOT_STATED = {
    WATERMARKED_ACTION: "It names a watermark, and only what was sealed with one has it.",
    "c2pa.redacted": "Nothing is taken out of the credential that a file has.",
}


@dataclass(frozen=True)
class OwnActions:
    """first: c2pa.created or c2pa.opened, if it is there; rest: what comes after it. Plain values, as they were
    written. all_included: whether the definition says that these are all.
    """

    first: Mapping[str, Any] | None = None
    rest: tuple[Mapping[str, Any], ...] = ()
    all_included: bool = False

    def __bool__(self) -> bool:
        return self.first is not None or bool(self.rest)

    def named(self) -> set[str]:
        """The labels of all ingredients that actions are about."""
        return {label for action in (self.first or {}, *self.rest) for label in ingredients_named(action)}

    def are_stated_in(self, reported: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the actions of a signed file, as the library reports them, begin with these. How ingredients are
        named there is not compared.
        """
        own = (self.first or {}, *self.rest)
        return len(reported) >= len(own) and all(map(_says, reported, own))


def read_actions(data: Any, where: str) -> OwnActions:
    """Raises UsageError for what cannot be stated."""
    if not isinstance(data, dict) or not isinstance(data.get("actions"), list) or not data["actions"]:
        raise UsageError(
            f"c2pa.actions holds no list of actions in {where}", "Write it under actions, or leave it out."
        )
    if len(data["actions"]) > ACTIONS.most:
        raise UsageError(f"{where} has {len(data['actions'])} actions; the limit is {ACTIONS.most}", "Leave some out.")
    for key in data:
        if key not in _KNOWN:
            raise UsageError(f"Unknown key {cut(key)!r} beside the actions of {where}", choose_from(cut(key), _KNOWN))
    if not isinstance(data.get("allActionsIncluded", False), bool):
        raise UsageError(f"allActionsIncluded is neither true nor false in {where}", "false: there may be others.")
    found = [_action(value, f"action {number} of {where}") for number, value in enumerate(data["actions"], start=1)]
    begins = found[0]["action"] in BEGINNINGS
    for number, action in enumerate(found[begins:], start=1 + begins):
        if action["action"] in BEGINNINGS:
            advice = "Created or opened is said once, at the beginning."
            raise UsageError(f"Action {number} of {where} is {action['action']}, and not the first", advice)
        for kind in map(source_type_name, stated_source_types(action)):
            if kind in CAPTURES:
                advice = "An edit captures nothing; what was captured says so in a credential of its own."
                raise UsageError(f"Action {number} of {where} says {kind}", advice)
    return OwnActions(found[0] if begins else None, tuple(found[begins:]), data.get("allActionsIncluded", False))


def ingredients_named(action: Mapping[str, Any]) -> list[str]:
    """The labels of ingredients that an action is about."""
    return list(action.get("parameters", {}).get("ingredientIds", []))


def _says(reported: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    parameters = {key: value for key, value in own.get("parameters", {}).items() if key != "ingredientIds"}
    return _within({**own, "parameters": parameters}, {"parameters": {}, **reported})


def _within(own: Any, reported: Any) -> bool:
    """Equal, but for what the library fills in: a time span without a type is told in seconds (npt)."""
    if isinstance(own, Mapping) and isinstance(reported, Mapping):
        return all(key in reported and _within(value, reported[key]) for key, value in own.items())
    if isinstance(own, list) and isinstance(reported, list):
        return len(own) == len(reported) and all(map(_within, own, reported))
    return bool(own == reported)


def _action(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{where[:1].upper()}{where[1:]} is no object", f"It may have: {', '.join(_ACTION_KEYS)}.")
    for key in value:
        if key not in _ACTION_KEYS:
            raise UsageError(f"Unknown key {cut(key)!r} in {where}", choose_from(cut(key), _ACTION_KEYS))
    name = value.get("action")
    if not isinstance(name, str) or not ACTION.fullmatch(name):
        advice = "Name what was done as c2pa.edited, c2pa.color_adjustments, or a name of your own domain."
        raise UsageError(f"{cut(name)!r} cannot be an action ({where})", advice)
    if name in _NOT_STATED:
        raise UsageError(f"{name} cannot be stated in {where}", _NOT_STATED[name])
    for problem, advice in _problems(value):
        raise UsageError(f"{problem} in {where}", advice)
    agent = value.get("softwareAgent")
    return {**value, "softwareAgent": {"name": agent}} if isinstance(agent, str) else value


def _problems(action: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the values of an action, each with advice."""
    for key in ("description", "reason"):
        if not isinstance(action.get(key, ""), str):
            yield f"{key} is no text", "Write it in quotes."
    if "when" in action and not _is_time(action["when"]):
        yield f"when is {cut(action['when'])!r}", "Write it as 2026-01-31T12:00:00Z."
    agent = action.get("softwareAgent", "")
    if isinstance(agent, dict):
        strange = [key for key in agent if key not in _AGENT_KEYS or not isinstance(agent[key], str)]
        if strange or "name" not in agent:
            yield (
                f"softwareAgent has {cut(strange[0])!r}" if strange else "softwareAgent has no name",
                (f"It may have, as texts: {', '.join(_AGENT_KEYS)}."),
            )
    elif not isinstance(agent, str) or ("softwareAgent" in action and not agent):
        yield "softwareAgent is neither text nor an object", "Give its name and version."
    parameters = action.get("parameters", {})
    if not isinstance(parameters, dict):
        yield "parameters is no object", _BY_LABEL
        return
    for key in parameters:
        if key in _PARAMETERS:
            yield f"{key} is not taken", _PARAMETERS[key]
    named = parameters.get("ingredientIds", [])
    if not isinstance(named, list) or not all(isinstance(label, str) for label in named):
        yield "ingredientIds is no list of labels", _BY_LABEL
    elif len(set(named)) != len(named):
        yield "ingredientIds has a label twice", "Name each ingredient once."
    if not isinstance(action.get("digitalSourceType", ""), str):
        yield "digitalSourceType is no text", f"Take one of the IPTC list, for example {GENERATED}."
    for address in stated_source_types(action):
        if address not in SOURCE_TYPES:
            yield f"digitalSourceType is {cut(address)!r}", f"Take one of the IPTC list, for example {GENERATED}."


def _is_time(value: Any) -> bool:
    if not isinstance(value, str) or not re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", value
    ):
        return False
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return False
    return True
