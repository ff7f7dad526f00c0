"""`sfumato recover`, from its arguments to its exit code."""

from __future__ import annotations

import json

from click.testing import CliRunner

from provenance.commands.recover import recover as command
from provenance.signing.seal import C2paSeal
from sfumato.errors import MediaError, UsageError
from tests.media_fixtures import make_sound
from tests.resolver_server import serve
from tests.watermark_fixtures import encode, scene


def run(*arguments: object):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_command_says_what_it_found_and_writes_it(entered, entered_copy, tmp_path) -> None:
    (tmp_path / "root.pem").write_bytes(entered.keys.root_pem())
    out = tmp_path / "recovered.c2pa"
    result = run(entered_copy, "--repository", entered.repository, "--trust", tmp_path / "root.pem", "-o", out)
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == entered.store
    for part in (
        "confirmed",
        entered.manifest_id,
        "signature: trusted",
        "binding: broken",
        "trainedAlgorithmicMedia",
        "development",
    ):
        assert part in result.output


def test_the_command_in_json(entered, entered_copy) -> None:
    result = run(entered_copy, "--repository", entered.repository, "--json")
    record = json.loads(result.output)
    assert record["outcome"] == "confirmed"
    assert record["watermark"]["false_positive_bound"] <= 1e-9
    assert record["watermark"]["stated_by_manifest"] is True
    assert record["manifest"]["id"] == record["candidates"][0]["manifest_id"] == entered.manifest_id
    assert record["manifest"]["signature"] == "untrusted"
    assert record["manifest"]["binding"].startswith("broken")
    assert record["schema_version"] == 1


def test_the_original_itself_is_not_called_broken(entered) -> None:
    lines = run(entered.path, "--repository", entered.repository).output
    assert "confirmed" in lines and "binding: intact" in lines
    record = json.loads(run(entered.path, "--repository", entered.repository, "--json").output)
    assert record["manifest"]["binding"].startswith("intact")


def test_an_original_that_was_changed_is_broken(entered, tmp_path) -> None:
    (tmp_path / "changed.mp4").write_bytes(entered.path.read_bytes() + b"\0\0\0\x0cabcdmore")
    assert "binding: broken" in run(tmp_path / "changed.mp4", "--repository", entered.repository).output


def test_exit_codes(entered, tmp_path) -> None:
    nothing = encode(list(scene(2, 8)), tmp_path / "other.mp4", 23)
    assert run(nothing, "--repository", entered.repository).exit_code == 4
    alike = encode(list(scene(0)), tmp_path / "alike.mp4", 23)
    assert run(alike, "--repository", entered.repository).exit_code == 1
    for wrong, error in ((make_sound(tmp_path / "tone.m4a"), MediaError), (tmp_path / "missing.mp4", MediaError)):
        assert isinstance(run(wrong, "--repository", entered.repository).exception, error)
    assert isinstance(run(nothing, "--repository", tmp_path / "none.sqlite3").exception, UsageError)
    assert isinstance(run(nothing, "--repository", entered.repository, "--send-file").exception, UsageError)


def test_hostile_titles_are_shown_escaped(keys, tmp_path) -> None:
    from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter

    facts = GeneratedFacts("\x1b[31mred\u202etxt\n<script>", "m", "0" * 64, 0, (), "1" * 64)
    seal = C2paSeal(keys.folder.parent, repository=tmp_path / "r.sqlite3")
    with GeneratedVideoWriter(tmp_path / "a.mp4", width=256, height=192, rate=25, seal=seal, facts=facts) as video:
        for image in scene(0):
            video.write(image, faces=[])
    result = run(tmp_path / "a.mp4", "--repository", tmp_path / "r.sqlite3")
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
    assert "\\x1b[31mred" in result.output


def test_the_command_asks_a_resolver(entered, entered_copy, tmp_path) -> None:
    with serve(entered.repository, tmp_path / "upload.mp4") as (address, _):
        result = run(entered_copy, "--resolver", address, "--repository", entered.repository, "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)["outcome"] == "confirmed"
