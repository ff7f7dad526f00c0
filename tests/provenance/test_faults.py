"""What goes wrong while files are signed: kill -9, a full disk, a read-only place, no key. No source and no older
output is lost, and another run does the rest. (Time-stamp authorities that fail: test_timestamp; tokens that go:
test_pkcs11.)
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys
from provenance.signers import Signer
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify
from sfumato.app.cli.main import main
from sfumato.errors import OutputError

FILES = 30
KILLS = 20
ROOT = Path(__file__).parents[2]


@pytest.fixture
def signer(keys: DevelopmentKeys) -> Signer:
    return development_signer(keys.folder.parent)


@pytest.fixture
def many(unsealed: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:02}.mp4").write_bytes(
            unsealed.read_bytes() + (8 + number).to_bytes(4, "big") + b"free" + bytes(number)
        )
    return folder


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
    }


@pytest.fixture
def sign(keys: DevelopmentKeys) -> Iterator[Callable[..., tuple[list[dict[str, Any]], int]]]:
    """Runs the command in a process of its own, killed after some seconds of work: its records, and its exit code."""
    environment = {**os.environ, "SFUMATO_KEYS": str(keys.folder.parent), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.provenance.signing.sign_driver"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as driver:
        assert driver.stdin is not None and driver.stdout is not None

        def run(folder: Path, out: Path, *more: str, seconds: float | None = None) -> tuple[list[dict[str, Any]], int]:
            words = ["sign", str(folder), "-o", str(out), "--kind", "generated", "--json", "--workers", "2", *more]
            print(json.dumps({"words": words, "seconds": seconds}), file=driver.stdin, flush=True)
            done = json.loads(driver.stdout.readline())
            return [json.loads(line) for line in done["printed"].splitlines() if line.endswith("}")], done["code"]

        yield run


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills children made by fork")
def test_killed_at_twenty_moments(
    many: Path, root: bytes, tmp_path: Path, sign: Callable[..., tuple[list[dict[str, Any]], int]]
) -> None:
    """Ten times while older outputs are replaced, ten times while a folder is filled; then the rest is done."""
    moments = random.Random(20)
    sources = _digests(many)
    replaced, filled = tmp_path / "replaced", tmp_path / "filled"
    assert sign(many, replaced)[1] == 0
    assert len(_digests(replaced)) == FILES
    half_way = 0
    outcomes: dict[str, str] = {}  # of every content that was seen
    for number in range(KILLS):
        out, more = (replaced, ["--overwrite"]) if number % 2 else (filled, [])
        if out is filled:
            shutil.rmtree(filled, ignore_errors=True)  # so that there is always something left to do
        records, _ = sign(many, out, *more, seconds=moments.uniform(0, 0.18))
        half_way += 0 < len(records) < FILES
        said = {Path(record["output"]).name for record in records if record["outcome"] == "signed"}
        there = _digests(out)
        assert _digests(many) == sources
        assert said <= there.keys()
        assert out is filled or len(there) == FILES
        for name, digest in there.items():
            if digest not in outcomes:
                outcomes[digest] = verify(out / name, [root]).outcome
    assert set(outcomes.values()) == {"trusted"}
    assert half_way >= KILLS // 2  # most kills came in the middle of the work
    before = _digests(filled)
    records, code = sign(many, filled)
    found = [record["outcome"] for record in records]
    assert (code, found.count("skipped"), found.count("signed")) == (0, len(before), FILES - len(before))
    after = _digests(filled)
    assert len(after) == FILES
    assert {name: after[name] for name in before} == before
    assert _digests(many) == sources


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") is not None and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode == 0  # fmt: skip
    if not mounted:
        pytest.skip("needs the right to mount a small disk (root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def test_a_disk_that_fills_up(
    many: Path,
    small_disk: Path,
    keys: DevelopmentKeys,
    root: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SFUMATO_KEYS", str(keys.folder.parent))
    sources = _digests(many)
    assert main(["sign", str(many), "-o", str(small_disk), "--kind", "generated", "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    signed = sorted(Path(line["output"]).name for line in lines if line["outcome"] == "signed")
    assert 1 <= len(signed) < FILES
    assert all("No space left" in line["error"] for line in lines if line["outcome"] == "failed")
    assert sorted(path.name for path in small_disk.iterdir()) == signed  # nothing half-written is left
    assert all(verify(small_disk / name, [root]).outcome == "trusted" for name in signed)
    assert _digests(many) == sources


def test_a_full_disk_keeps_a_file_that_was_to_be_replaced(
    many: Path, small_disk: Path, keys: DevelopmentKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFUMATO_KEYS", str(keys.folder.parent))
    source = small_disk / "a.mp4"
    shutil.copy(many / "00.mp4", source)
    (small_disk / "ballast").write_bytes(bytes(50_000))
    assert main(["sign", str(source), "--in-place", "--kind", "generated"]) == 2
    assert source.read_bytes() == (many / "00.mp4").read_bytes()
    (small_disk / "ballast").unlink()
    assert main(["sign", str(source), "--in-place", "--kind", "generated"]) == 0


@pytest.mark.parametrize("large", [False, True])
def test_a_file_that_may_not_grow_leaves_the_older_output(
    unsealed: Path, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:
        monkeypatch.setattr("provenance.library.settings.LARGE", 1000)
    (tmp_path / "out.mp4").write_bytes(b"an older video")
    sign_file(unsealed, tmp_path / "first.mp4", Declaration(), signer)  # modules are compiled
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OutputError, match="File too large"):
            sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "out.mp4").read_bytes() == b"an older video"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.mp4", "out.mp4"]


def test_a_file_marked_read_only_is_not_replaced(unsealed: Path, signer: Signer, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"an older video")
    out.chmod(0o444)
    with pytest.raises(OutputError, match="marked read-only"):
        sign_file(unsealed, out, Declaration(), signer)
    assert out.read_bytes() == b"an older video"


def test_a_read_only_disk(many: Path, small_disk: Path, signer: Signer) -> None:
    (small_disk / "out.mp4").write_bytes(b"an older video")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True, capture_output=True)
    with pytest.raises(OutputError, match="Read-only file system"):
        sign_file(many / "00.mp4", small_disk / "out.mp4", Declaration(), signer)
    assert (small_disk / "out.mp4").read_bytes() == b"an older video"
    assert [path.name for path in small_disk.iterdir()] == ["out.mp4"]


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(unsealed: Path, signer: Signer, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    with pytest.raises(OutputError, match="Permission denied"):
        sign_file(unsealed, folder / "out.mp4", Declaration(), signer)
    assert list(folder.iterdir()) == []


def test_a_missing_key_changes_nothing(
    many: Path, keys: DevelopmentKeys, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "chain.pem").write_text(keys.chain_pem())
    sources = _digests(many)
    arguments = ["--signer", f"pem:{tmp_path / 'gone.key'}", "--chain", str(tmp_path / "chain.pem")]
    assert main(["sign", str(many), "-o", str(tmp_path / "out"), "--kind", "generated", *arguments]) == 2
    assert "gone.key" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert _digests(many) == sources


def test_a_source_that_shrinks_is_not_signed(
    unsealed: Path, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody still writes the file: what was planned is no longer there."""
    import provenance.library.large
    from sfumato.errors import SealError

    source = tmp_path / "in.mp4"
    source.write_bytes(unsealed.read_bytes())
    real = provenance.library.large._copy

    def copy(*arguments: object) -> None:
        os.truncate(source, 5000)
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("provenance.library.settings.LARGE", 1000)
    monkeypatch.setattr(provenance.library.large, "_copy", copy)
    with pytest.raises(SealError, match="became shorter"):
        sign_file(source, tmp_path / "out.mp4", Declaration(), signer)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]
