"""Manifest definitions of others: what c2patool's users write is read; what would sign, fetch or lie is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provenance.manifests.own.definition_file import NOT_TAKEN, OwnManifest, load_manifest
from sfumato.errors import MediaError, MissingFileError, UsageError
from sfumato.limits import INGREDIENTS, MANIFEST

WORK = {"label": "stds.schema-org.CreativeWork", "data": {"@type": "CreativeWork"}, "kind": "Json"}
MINING = {"label": "cawg.training-mining", "data": {"entries": {"cawg.ai_training": {"use": "notAllowed"}}}}


@pytest.fixture
def load(tmp_path: Path) -> Callable[[Any], OwnManifest]:
    """Writes a definition beside a.jpg and b.jpg, and reads it."""
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff")

    def write_and_load(values: Any) -> OwnManifest:
        (tmp_path / "m.json").write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
        return load_manifest(tmp_path / "m.json")

    return write_and_load


def test_a_whole_definition(load: Callable[[Any], OwnManifest], tmp_path: Path) -> None:
    found = load(
        {
            "claim_version": 2,
            "title": "Calm",
            "claim_generator_info": [{"name": "Newsroom", "version": "4"}],
            "assertions": [WORK, {"label": "c2pa.actions", "data": {"actions": [{"action": "c2pa.edited"}]}}],
            "ingredients": [{"path": "a.jpg", "title": "A", "relationship": "inputTo", "label": "sky"}],
            "ingredient_paths": ["b.jpg"],
        }
    )
    assert (found.title, dict(found.generator)) == ("Calm", {"name": "Newsroom", "version": "4"})
    assert found.assertions == (WORK,)
    assert [action["action"] for action in found.actions.rest] == ["c2pa.edited"]
    assert [(part.path.name, part.title, part.relationship, part.label) for part in found.ingredients] == [
        ("a.jpg", "A", "inputTo", "sky"),
        ("b.jpg", "", "", ""),
    ]


def test_an_empty_definition_says_nothing(load: Callable[[Any], OwnManifest]) -> None:
    assert load({}) == OwnManifest()


@pytest.mark.parametrize("key", NOT_TAKEN)
def test_what_is_known_and_not_taken_is_refused_with_the_reason(load: Callable[[Any], OwnManifest], key: str) -> None:
    with pytest.raises(UsageError, match=f"{key} is not taken") as caught:
        load({key: "x"})
    assert caught.value.advice == NOT_TAKEN[key]


@pytest.mark.parametrize(
    ("key", "advice"),
    [("private_key", "--signer"), ("sign_cert", "--chain"), ("alg", "--algorithm"), ("ta_url", "--tsa")],
)
def test_who_signs_is_never_taken_from_the_file(load: Callable[[Any], OwnManifest], key: str, advice: str) -> None:
    with pytest.raises(UsageError) as caught:
        load({key: "x", "title": "Calm"})
    assert advice in caught.value.advice


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "is no object"),
        ({"titel": "x"}, "Unknown key 'titel'"),
        ({"claim_version": 1}, "claim_version is 1"),
        ({"title": 7}, "title is no text"),
        ({"title": " "}, "title is no text"),
        ({"title": "x" * 2000}, "2000 characters"),
        ({"assertions": {}}, "assertions is no list"),
        ({"assertions": ["x"]}, "Assertion 1 of the manifest m.json is no object"),
        ({"assertions": [{"data": {}}]}, "label is missing"),
        ({"assertions": [{"label": "org.example.x"}]}, "has no data"),
        ({"assertions": [{**WORK, "kind": "Binary"}]}, "Unknown kind 'Binary'"),
        ({"assertions": [{**WORK, "created": 1}]}, "neither true nor false"),
        ({"assertions": [{**WORK, "instance": 1}]}, "Unknown key 'instance'"),
        ({"assertions": [{"label": "c2pa.hash.data", "data": {}}]}, "c2pa.hash.data cannot be stated"),
        ({"assertions": [WORK] * 101}, "101 entries"),
        ({"assertions": [{"label": "c2pa.actions", "data": {"actions": [{"action": "a.b"}]}}] * 2}, "actions twice"),
        ({"assertions": [MINING] * 2}, "cawg.training-mining twice"),
        ({"assertions": [{**MINING, "data": {}}]}, "has no entries"),
        ({"claim_generator_info": {"name": "x"}}, "is no list"),
        ({"claim_generator_info": [{"version": "1"}]}, "name is missing"),
        ({"claim_generator_info": [{"name": "a"}, {"name": "b"}]}, "2 entries"),
        ({"claim_generator_info": [{"name": "a", "icon": {"identifier": "/etc/passwd"}}]}, "icon is not taken"),
        ({"claim_generator_info": [{"name": "a", "specVersion": "9"}]}, "Unknown key 'specVersion'"),
        ({"ingredients": [{"title": "A"}]}, "path is missing"),
        ({"ingredients": [{"path": "a.jpg", "thumbnail": {}}]}, "thumbnail is not taken"),
        ({"ingredients": [{"path": "a.jpg", "manifest_data": {}}]}, "manifest_data is not taken"),
        ({"ingredients": [{"path": "a.jpg", "validation_results": {}}]}, "validation_results is not taken"),
        ({"ingredients": [{"path": "a.jpg", "relationship": "parentOf"}]}, "would be a parent"),
        ({"ingredients": [{"path": "a.jpg", "relationship": "childOf"}]}, "'childOf'"),
        ({"ingredients": [{"path": "a.jpg", "label": "a/b"}]}, "is no label"),
        ({"ingredients": [{"path": "../a.jpg"}]}, "no relative path"),
        ({"ingredient_paths": ["/etc/passwd"]}, "no relative path"),
        ({"ingredient_paths": [{"path": "a.jpg"}]}, "is no text"),
        ({"ingredient_paths": ["a.jpg"] * (INGREDIENTS.most + 1)}, "101 entries"),
    ],
)
def test_what_a_definition_may_not_say(load: Callable[[Any], OwnManifest], values: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("title: x", "no JSON"),
        ('{"title": "a", "title": "b"}', "'title' is given twice"),
        ("[" * 100_000, "levels deep"),
        ('{"title": "' + "x" * MANIFEST.most + '"}', "more than 1 MB"),
    ],
)
def test_what_is_no_definition_at_all(load: Callable[[Any], OwnManifest], text: str, said: str) -> None:
    with pytest.raises(MediaError, match=said):
        load(text)


def test_a_missing_ingredient_is_named(load: Callable[[Any], OwnManifest]) -> None:
    with pytest.raises(MissingFileError, match=r"gone\.jpg"):
        load({"ingredient_paths": ["gone.jpg"]})
