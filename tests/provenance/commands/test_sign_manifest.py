"""`sfumato sign --manifest`: what a definition of one's own adds, what it cannot take away, and what it cannot do."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provenance.manifests.source_types import IPTC
from provenance.pki.keys import DevelopmentKeys
from provenance.verifying.verify import verify
from sfumato.app.cli.main import main
from tests.signing_fixtures import json_lines

pytestmark = pytest.mark.usefixtures("own_keys")

PAGE = Path(__file__).parents[3] / "docs" / "credentials.md"
WORK = {
    "label": "stds.schema-org.CreativeWork",
    "kind": "Json",
    "data": {"@context": "https://schema.org", "@type": "CreativeWork", "author": [{"@type": "Person", "name": "J"}]},
}
MINING = {"label": "cawg.training-mining", "data": {"entries": {"cawg.ai_training": {"use": "notAllowed"}}}}
FACTS = {"label": "org.example.facts.v2", "data": {"frames": 10, "share": 0.5, "by": None}, "created": True}


def _says(action: str, kind: str) -> dict[str, Any]:
    return _actions({"action": action, "digitalSourceType": f"{IPTC}{kind}"})


def _about(action: str, label: str) -> dict[str, Any]:
    return _actions({"action": action, "parameters": {"ingredientIds": [label]}})


def _actions(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"label": "c2pa.actions.v2", "data": {"actions": list(actions)}}


BRIGHTER = {
    "action": "c2pa.color_adjustments",
    "when": "2026-01-31T12:00:00Z",
    "softwareAgent": {"name": "Editor", "version": "3"},
    "parameters": {"ingredientIds": ["parent"], "org.example.strength": "half"},
    "changes": [{"region": [{"type": "temporal", "time": {}}], "description": "all of it"}],
}
ALL = {"label": "c2pa.actions", "data": {"actions": [BRIGHTER], "allActionsIncluded": True}}
WHOLE = {
    "title": "Calm",
    "claim_generator_info": [{"name": "Newsroom", "version": "4"}],
    "assertions": [WORK, _actions(BRIGHTER), MINING, FACTS],
    "ingredients": [{"path": "parts/logo.jpg", "title": "Our logo", "label": "logo"}],
}


@pytest.fixture
def manifest(portrait: Path, tmp_path: Path) -> Callable[[Any], str]:
    """Writes a definition into a folder that has parts/logo.jpg."""
    folder = tmp_path / "definition"
    (folder / "parts").mkdir(parents=True)
    shutil.copy(portrait, folder / "parts" / "logo.jpg")

    def write(values: Any) -> str:
        (folder / "m.json").write_text(json.dumps(values), encoding="utf-8")
        return str(folder / "m.json")

    return write


def _active(path: Path) -> dict[str, Any]:
    from c2pa import Reader

    with Reader(str(path)) as reader:
        found: dict[str, Any] = reader.get_active_manifest()
    return found


@pytest.mark.parametrize("name", ["a.mp4", "deep/c.jpg"])
def test_what_it_says_is_signed_and_trusted_by_both(
    name: str,
    tree: Path,
    manifest: Callable[[Any], str],
    root: bytes,
    encypher: Callable[[Path], str],
    tmp_path: Path,
) -> None:
    out = tmp_path / Path(name).name
    assert main(["sign", str(tree / name), "-o", str(out), "--kind", "edited", "--manifest", manifest(WHOLE)]) == 0
    found = verify(out, [root])
    assert found.outcome == encypher(out).lower() == "trusted"
    assert (found.title, found.generator) == ("Calm", "Newsroom 4")
    assert [(part.title, part.relationship) for part in found.ingredients] == [
        ("parent", "parentOf"),
        ("Our logo", "componentOf"),
    ]
    active = _active(out)
    stated = {item["label"]: item for item in active["assertions"]}
    for label, own in ((WORK["label"], WORK), (MINING["label"], MINING), ("org.example.facts", FACTS)):
        assert stated[label]["data"] == own["data"]
    assert stated["org.example.facts"]["created"] is True
    opened, brighter, placed = stated["c2pa.actions.v2"]["data"]["actions"]
    assert [opened["action"], brighter["action"], placed["action"]] == [
        "c2pa.opened",
        "c2pa.color_adjustments",
        "c2pa.placed",
    ]
    assert brighter["softwareAgent"] == {"name": "Editor", "version": "3"}
    assert "org.sfumato" in active["claim_generator_info"][0]


def test_a_folder_in_place_and_a_second_run(
    tree: Path, manifest: Callable[[Any], str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sign", str(tree), "--in-place", "--json", "--kind", "generated", "--manifest"]
    without = {key: value for key, value in WHOLE.items() if key != "assertions"}
    facts = {**without, "assertions": [WORK, FACTS, _actions({**BRIGHTER, "parameters": {"x": 1}})]}
    assert main([*command, manifest(facts)]) == 0
    assert [line["outcome"] for line in json_lines(capsys)] == ["signed"] * 3
    assert main([*command, manifest(facts)]) == 0
    assert [line["outcome"] for line in json_lines(capsys)] == ["skipped"] * 3
    assert main([*command, manifest({**facts, "assertions": [WORK, FACTS]})]) == 1  # signed already, and says otherwise
    assert {line["outcome"] for line in json_lines(capsys)} == {"failed"}


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Loud"},
        {"claim_generator_info": [{"name": "Newsroom", "version": "5"}]},
        {"assertions": [WORK, _actions(BRIGHTER), MINING]},
        {"assertions": [WORK, _actions(BRIGHTER), MINING, {**FACTS, "data": {"frames": 11}}]},
        {"assertions": [WORK, _actions({**BRIGHTER, "description": "Darker"}), MINING, FACTS]},
        {"assertions": [WORK, ALL, MINING, FACTS]},
    ],
    ids=["title", "generator", "fewer", "data", "action", "all"],
)
def test_an_output_of_another_manifest_is_not_done(
    other: dict[str, Any],
    unsealed: Path,
    manifest: Callable[[Any], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--kind", "edited", "--manifest"]
    assert main([*command, manifest(WHOLE)]) == 0
    assert main([*command, manifest(WHOLE)]) == 0
    assert "skipped" in capsys.readouterr().out
    assert main([*command, manifest({**WHOLE, **other})]) == 2
    assert "declares something else" in capsys.readouterr().err


def test_a_sidecar_holds_it_too(unsealed: Path, manifest: Callable[[Any], str], root: bytes, tmp_path: Path) -> None:
    shutil.copy(unsealed, tmp_path / "film.mp4")
    assert (
        main(["sign", str(tmp_path / "film.mp4"), "--sidecar", "--kind", "edited", "--manifest", manifest(WHOLE)]) == 0
    )
    found = verify(tmp_path / "film.mp4", [root])
    assert (found.outcome, found.title, found.manifest_from) == ("trusted", "Calm", "sidecar film.c2pa")


def test_what_a_generated_file_is_stays_in_it(
    sealed: Path, manifest: Callable[[Any], str], root: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sign", str(sealed), "-o", str(tmp_path / "out.mp4"), "--manifest"]
    captured = {"action": "c2pa.created", "digitalSourceType": f"{IPTC}digitalCapture"}
    for kind in ("generated", "composite", "edited"):
        assert main([*command, manifest({"assertions": [_actions(captured)]}), "--kind", kind]) == 2
    assert main([*command, manifest(WHOLE), "--kind", "generated"]) == 2
    assert "already carries a credential" in capsys.readouterr().err
    assert list(tmp_path.glob("*.mp4")) == []
    assert main([*command, manifest(WHOLE), "--kind", "edited"]) == 0
    found = verify(tmp_path / "out.mp4", [root])
    assert (found.outcome, found.ingredient_declares) == ("trusted", ("trainedAlgorithmicMedia",))
    assert (found.ingredients[0].relationship, found.ingredients[0].state) == ("parentOf", "trusted")


@pytest.mark.parametrize(
    ("kind", "assertion", "said"),
    [
        ("edited", _says("c2pa.created", "digitalArt"), "begins with c2pa.created"),
        ("generated", _actions({"action": "c2pa.opened"}), "begins with c2pa.opened"),
        (
            "generated",
            _says("c2pa.created", "digitalCapture"),
            "says digitalCapture of a file of which trainedAlgorithmicMedia is declared",
        ),
        ("edited", _says("c2pa.opened", "digitalCapture"), "of which nothing"),
        (
            "generated",
            {"label": "stds.iptc", "data": {"x:DigitalSourceType": f"{IPTC}digitalCapture"}},
            "no action does",
        ),
        ("edited", {"label": "org.example.x", "data": [{"a": {"digital_source_type": "real"}}]}, "no action does"),
        ("edited", _about("c2pa.edited", "sky"), "'sky'"),
        ("edited", _about("c2pa.opened", "logo"), "the parent alone"),
    ],
)
def test_it_cannot_contradict_what_is_declared(
    kind: str,
    assertion: dict[str, Any],
    said: str,
    unsealed: Path,
    manifest: Callable[[Any], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = manifest({"assertions": [assertion], "ingredients": [{"path": "parts/logo.jpg", "label": "logo"}]})
    assert main(["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--kind", kind, "--manifest", own]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("more", "own"),
    [
        (["--title", "Loud"], {"title": "Calm"}),
        (["--action", "c2pa.edited"], {"assertions": [_actions(BRIGHTER)]}),
        (["--training-mining", "allowed"], {"assertions": [MINING]}),
    ],
)
def test_nothing_is_said_twice(
    more: list[str], own: Any, unsealed: Path, manifest: Callable[[Any], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sign", str(unsealed), "-o", "x.mp4", "--kind", "edited", "--manifest", manifest(own), *more]) == 2
    assert "and so has the command" in capsys.readouterr().err


def test_ingredients_find_their_actions(unsealed: Path, manifest: Callable[[Any], str], tmp_path: Path) -> None:
    used = {"path": "parts/logo.jpg", "label": "style", "relationship": "inputTo"}
    own = {"ingredients": [used], "ingredient_paths": ["parts/logo.jpg"]}
    command = ["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--kind", "edited", "--manifest"]
    assert main([*command, manifest(own)]) == 2  # nothing says what the model did with it
    step = {"action": "c2pa.edited", "parameters": {"ingredientIds": ["style"]}}
    assert main([*command, manifest({**own, "assertions": [_actions(step)]})]) == 0
    actions = _active(tmp_path / "out.mp4")["assertions"][0]["data"]["actions"]
    assert [(action["action"], len(action["parameters"]["ingredients"])) for action in actions] == [
        ("c2pa.opened", 1),
        ("c2pa.edited", 1),
        ("c2pa.placed", 1),
    ]


def test_an_ingredient_brings_its_credential(
    unsealed: Path, sealed: Path, manifest: Callable[[Any], str], root: bytes, tmp_path: Path
) -> None:
    shutil.copy(sealed, tmp_path / "definition" / "part.mp4")
    own = manifest({"ingredient_paths": ["part.mp4"]})
    command = ["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--manifest", own]
    assert main([*command, "--kind", "composite"]) == 0
    found = verify(tmp_path / "out.mp4", [root])
    assert (found.outcome, found.ingredient_declares) == ("trusted", ("trainedAlgorithmicMedia",))
    assert found.declares == ("compositeWithTrainedAlgorithmicMedia",)


def test_the_example_of_the_page_works(portrait: Path, manifest: Callable[[Any], str], tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    shutil.copy(portrait, tmp_path / "definition" / "logo.png")
    command = ["sign", str(portrait), "-o", str(tmp_path / "out.jpg"), "--kind", "edited", "--manifest"]
    assert main([*command, manifest(json.loads(example))]) == 0
    found = verify(tmp_path / "out.jpg")
    assert (found.outcome, found.title, found.generator) == ("untrusted", "Harbour at dawn", "Example Newsroom 4.1")
    actions = _active(tmp_path / "out.jpg")["assertions"][0]["data"]["actions"]
    assert [action["action"] for action in actions] == ["c2pa.opened", "c2pa.color_adjustments", "c2pa.placed"]


def test_two_ingredients_cannot_share_a_label(
    unsealed: Path, manifest: Callable[[Any], str], capsys: pytest.CaptureFixture[str]
) -> None:
    for label in ("parent", "ingredient-2"):
        own = {"ingredients": [{"path": "parts/logo.jpg", "label": label}], "ingredient_paths": ["parts/logo.jpg"]}
        assert main(["sign", str(unsealed), "-o", "x.mp4", "--kind", "edited", "--manifest", manifest(own)]) == 2
        assert f"label '{label}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "code", "said"),
    [
        ({"private_key": "es256.key", "sign_cert": "certs.pem"}, 2, "--signer"),
        ({"ta_url": "http://127.0.0.1:9/"}, 2, "--tsa"),
        ({"thumbnail": {"format": "image/jpeg", "identifier": "x.jpg"}}, 2, "--allow-thumbnail"),
        ({"ingredient_paths": ["../../etc/passwd"]}, 2, "no relative path"),
        ({"ingredient_paths": ["parts/gone.jpg"]}, 3, "gone.jpg"),
        ("no object", 2, "is no object"),
        ({"a\x1b[31m\u202e": 1}, 2, "Unknown key"),
    ],
)
def test_a_refusal_ends_before_any_file_is_touched(
    values: Any,
    code: int,
    said: str,
    tree: Path,
    manifest: Callable[[Any], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert main(["sign", str(tree), "-o", str(out), "--kind", "edited", "--manifest", manifest(values)]) == code
    error = capsys.readouterr().err
    assert said in error
    assert "\x1b" not in error
    assert not out.exists()


def test_a_manifest_that_is_not_there_or_no_json(
    unsealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--kind", "edited", "--manifest"]
    assert main([*command, str(tmp_path / "gone.json")]) == 3
    (tmp_path / "m.json").write_text("title: Calm")
    assert main([*command, str(tmp_path / "m.json")]) == 3
    assert "it is no JSON" in capsys.readouterr().err


def test_what_does_not_verify_is_not_written_and_the_code_is_named(
    unsealed: Path, manifest: Callable[[Any], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = manifest({"assertions": [_actions({"action": "c2pa.placed"})]})  # of what?
    assert main(["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--kind", "edited", "--manifest", own]) == 2
    assert "assertion.action.ingredientMismatch" in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()


def test_a_model_is_stated_beside_it(
    unsealed: Path, manifest: Callable[[Any], str], keys: DevelopmentKeys, tmp_path: Path
) -> None:
    own = ["--manifest", manifest({"assertions": [WORK]}), "--model-name", "m", "--seed", "9"]
    assert main(["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--kind", "generated", *own]) == 0
    found = verify(tmp_path / "out.mp4")
    assert (found.declares, found.facts["model_name"]) == (("trainedAlgorithmicMedia",), "m")
