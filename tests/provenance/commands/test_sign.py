"""`sfumato sign`, from its arguments to its exit code, and the folders, patterns and second runs behind it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from provenance.pki.keys import DevelopmentKeys
from provenance.verifying.verify import verify
from sfumato.app.cli.main import main
from tests.signing_fixtures import json_lines

pytestmark = pytest.mark.usefixtures("own_keys")


def test_an_algorithm_belongs_to_a_signer(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["sign", str(tree / "a.mp4"), "-o", str(tmp_path / "b.mp4"), "--kind", "edited", "--algorithm", "ps384"]
    assert main(wanted) == 2
    assert "--signer" in capsys.readouterr().err


def test_one_file(unsealed: Path, root: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--kind", "generated", "--json"]) == 0
    (line,) = json_lines(capsys)
    assert line["outcome"] == "signed"
    assert line["development"] is True
    assert verify(tmp_path / "out.mp4", [root]).outcome == "trusted"


def test_a_pattern(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", f"{tree}/**/*.m*", "-o", str(tmp_path / "out"), "--kind", "generated"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.mp4", "b.mov"]
    assert main(["sign", f"{tree}/*.xyz", "-o", str(tmp_path / "out"), "--kind", "generated"]) == 2
    assert "No file to sign was found" in capsys.readouterr().err


def test_one_bad_file_spoils_only_itself(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "a.mp4").write_bytes(b"no video")
    (tree / "z.mkv").write_bytes(b"\x1a\x45\xdf\xa3")
    assert main(["sign", str(tree), "-o", str(tmp_path / "out"), "--kind", "generated", "--json"]) == 1
    failed = {
        line["source"].rpartition("/")[2]: line["error"] for line in json_lines(capsys) if line["outcome"] == "failed"
    }
    assert sorted(failed) == ["a.mp4", "z.mkv"]
    assert "cannot hold a manifest" in failed["z.mkv"]
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == ["b.mov", "c.jpg"]


def test_in_place(tree: Path, root: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sign", str(tree / "a.mp4"), str(tree / "deep"), "--in-place", "--kind", "generated"]
    assert main(command) == 0
    assert verify(tree / "a.mp4", [root]).outcome == "trusted"
    assert sorted(path.name for path in tree.rglob("*.*") if path.is_file()) == [
        "a.mp4",
        "b.mov",
        "c.jpg",
        "d.mp4",
        "notes.txt",
    ]
    assert main(command) == 0
    assert capsys.readouterr().out.count("skipped") == 3


def test_source_is_destination(tree: Path, unsealed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "link").symlink_to(tree / "deep")
    for output in (tree, tree / "deep" / "..", tree / "a.mp4"):
        assert main(["sign", str(tree / "a.mp4"), "-o", str(output), "--kind", "generated", "--overwrite"]) == 2
        assert "both an output and a file to be signed" in capsys.readouterr().err
    assert (
        main(["sign", str(tree / "deep" / "b.mov"), "-o", str(tree / "link"), "--kind", "generated", "--overwrite"])
        == 2
    )
    assert (tree / "a.mp4").read_bytes() == (tree / "deep" / "b.mov").read_bytes() == unsealed.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "generated"], "Say where"),
        (["-o", "x", "--in-place", "--kind", "generated"], "Give one of them"),
        (["-o", "x.mp4"], "--kind"),
        (["-o", "x.mp4", "--kind", "generated", "--tsa-failure", "fail"], "--tsa"),
        (
            ["-o", "x.mp4", "--kind", "generated", "--tsa", "http://a.example/", "--tsa-host", "b.example"],
            "allowed hosts",
        ),
        (["-o", "x.mp4", "--kind", "generated", "--chain", "anything.pem"], "--signer"),
        (
            ["-o", "x.mp4", "--kind", "generated", "--signer", "nonsense", "--chain", "anything.pem"],
            "does not name a signer",
        ),
        (["-o", "x.mp4", "--kind", "composite"], "no parts"),
    ],
)
def test_wrong_usage_ends_with_2(
    unsealed: Path,
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "anything.pem").touch()
    assert main(["sign", str(unsealed), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "anything.pem"]


def test_a_missing_or_foreign_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", str(tmp_path / "gone.mp4"), "-o", str(tmp_path / "out.mp4"), "--kind", "generated"]) == 3
    assert "gone.mp4" in capsys.readouterr().err
    (tmp_path / "text.mp4").write_text("text")
    assert main(["sign", str(tmp_path / "text.mp4"), "-o", str(tmp_path / "out.mp4"), "--kind", "generated"]) == 3


def test_digests_and_facts_reach_the_manifest(unsealed: Path, portrait: Path, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    model = ["--model", str(tmp_path / "model.bin"), "--model-name", "m", "--seed", "9", "--portrait", str(portrait)]
    assert main(["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--kind", "generated", *model]) == 0
    facts = verify(tmp_path / "out.mp4").facts
    assert facts["model_digest"] == "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"
    assert (facts["model_name"], facts["seed"], len(facts["portrait_digests"])) == ("m", 9, 1)


def test_a_certificate_near_its_end_is_announced(
    unsealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], short_chain: Any
) -> None:
    key, chain = short_chain
    command = [
        "sign",
        str(unsealed),
        "-o",
        str(tmp_path / "out.mp4"),
        "--kind",
        "generated",
        "--signer",
        f"pem:{key}",
        "--chain",
        str(chain),
    ]
    assert main(command) == 0
    assert "ends in 1" in capsys.readouterr().err


@pytest.fixture
def short_chain(keys: DevelopmentKeys, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The leaf's key with a certificate of 346 days ago, by issuers of its own: those of the other tests would be
    renewed for that day.
    """
    from datetime import UTC, datetime, timedelta

    from cryptography.hazmat.primitives import serialization

    from provenance.pki.keys import development_chain_for, read_public_key

    folder = tmp_path_factory.mktemp("short")
    key = serialization.load_pem_private_key(keys.leaf_key.read_bytes(), None)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    chain = development_chain_for(
        read_public_key(folder / "public.pem"), folder / "keys", datetime.now(UTC) - timedelta(days=346)
    )
    (folder / "chain.pem").write_text(chain)
    return keys.leaf_key, folder / "chain.pem"


def test_a_hostile_name_is_shown_escaped(unsealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "a\x1b[31m\u202e.mp4"
    shutil.copy(unsealed, source)
    assert main(["sign", str(source), "-o", str(tmp_path / "out") + "/", "--kind", "generated"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_help_says_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", "--help"]) == 0
    assert "Exit codes" in capsys.readouterr().out


def test_a_missing_option_is_one_plain_line(unsealed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", str(unsealed), "-o", "out.mp4"]) == 2
    error = capsys.readouterr().err
    assert "--kind" in error and "\\n" not in error and "\\t" not in error
