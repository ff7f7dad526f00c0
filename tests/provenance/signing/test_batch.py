"""Many files: folders and patterns, what counts as done, what is left alone."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from provenance.signing.batch import find_tasks
from provenance.verifying.verify import verify
from sfumato.app.cli.main import main
from sfumato.errors import UsageError
from tests.signing_fixtures import json_lines

pytestmark = pytest.mark.usefixtures("own_keys")


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_folder_keeps_its_shape_and_a_second_run_goes_on(
    tree: Path, root: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    command = ["sign", str(tree), "-o", str(tmp_path / "out"), "--kind", "generated", "--json", "--workers", jobs]
    assert main(command) == 0
    assert {line["outcome"] for line in json_lines(capsys)} == {"signed"}
    outputs = sorted(
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    assert outputs == ["a.mp4", "deep/b.mov", "deep/c.jpg"]
    assert all(verify(tmp_path / "out" / name, [root]).outcome == "trusted" for name in outputs)

    (tmp_path / "out" / "deep" / "b.mov").unlink()
    before = (tmp_path / "out" / "a.mp4").stat().st_mtime_ns
    assert main(command) == 0
    assert {line["source"].rpartition("/")[2]: line["outcome"] for line in json_lines(capsys)} == {
        "a.mp4": "skipped",
        "b.mov": "signed",
        "c.jpg": "skipped",
    }
    assert (tmp_path / "out" / "a.mp4").stat().st_mtime_ns == before
    assert main([*command, "--overwrite"]) == 0
    assert {line["outcome"] for line in json_lines(capsys)} == {"signed"}


def test_what_stands_in_the_way_is_left_alone(
    unsealed: Path, tmp_path: Path, sealed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"somebody's only copy")
    command = ["sign", str(unsealed), "-o", str(out), "--kind", "generated"]
    assert main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert out.read_bytes() == b"somebody's only copy"
    shutil.copy(sealed, out)  # signed with our key, but from another file
    assert main(command) == 2
    assert main([*command, "--overwrite"]) == 0


def test_an_output_older_than_its_source_is_not_done(
    unsealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = tmp_path / "in.mp4", tmp_path / "out.mp4"
    shutil.copy(unsealed, source)
    command = ["sign", str(source), "-o", str(output), "--kind", "generated", "--title", "one"]
    assert main(command) == 0
    signed = output.stat().st_mtime_ns
    os.utime(source, ns=(signed, signed))
    assert main(command) == 0
    assert "skipped" in capsys.readouterr().out
    os.utime(source, ns=(signed + 1, signed + 1))  # written to after it was signed
    assert main(command) == 2
    assert "was not signed from this file" in capsys.readouterr().err
    assert output.stat().st_mtime_ns == signed


def test_another_key_does_not_count_as_done(unsealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--kind", "generated"]
    assert main(command) == 0
    monkeypatch.setenv("SFUMATO_KEYS", str(tmp_path / "other-keys"))  # same names in the certificate, another key
    assert main(command) == 2


def test_two_sources_cannot_have_one_output(tree: Path, tmp_path: Path) -> None:
    shutil.copy(tree / "a.mp4", tree / "deep" / "a.mp4")
    with pytest.raises(UsageError, match="would both become"):
        find_tasks([str(tree / "a.mp4"), str(tree / "deep" / "a.mp4")], tmp_path / "out")
    assert len(find_tasks([str(tree)], tmp_path / "out")) == 4


def test_leftovers_of_a_killed_process_are_removed(unsealed: Path, tmp_path: Path) -> None:
    old, young, other = (tmp_path / f".{name}.mp4" for name in ("out-0123456789ab", "out-ba9876543210", "out-notes"))
    for path in (old, young, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (time.time() - 7200,) * 2)
    assert main(["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--kind", "generated"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, other.name, "out.mp4"]


@pytest.mark.parametrize(
    "other",
    [
        ["--kind", "edited"],
        ["--kind", "generated", "--training-mining", "notAllowed"],
        ["--kind", "generated", "--seed", "7"],
    ],
    ids=["kind", "training", "facts"],
)
def test_an_output_that_declares_something_else_is_not_done(
    unsealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], other: list[str]
) -> None:
    output = tmp_path / "out.mp4"
    command = ["sign", str(unsealed), "-o", str(output)]
    assert main([*command, "--kind", "generated"]) == 0
    before = output.read_bytes()
    assert main([*command, *other]) == 2
    assert "declares something else" in capsys.readouterr().err
    assert output.read_bytes() == before
    assert main([*command, *other, "--overwrite"]) == 0
    assert main([*command, *other, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["outcome"] == "skipped"


def test_a_sidecar_goes_beside_its_file_or_into_a_folder_of_the_same_shape(tree: Path, tmp_path: Path) -> None:
    names = ["a.c2pa", "deep/b.c2pa", "deep/c.c2pa"]
    for output, place in ((None, tree), (tmp_path / "out", tmp_path / "out")):
        found = find_tasks([str(tree)], output, sidecar=True)
        assert sorted(str(task.output.relative_to(place)) for task in found) == names
    (one,) = find_tasks([str(tree / "a.mp4")], tmp_path / "named.c2pa", sidecar=True)
    assert one.output == tmp_path / "named.c2pa"
    with pytest.raises(UsageError, match=r"called NAME\.c2pa"):  # else a reader takes it for a film
        find_tasks([str(tree / "a.mp4")], tmp_path / "a.mp4", sidecar=True)
    with pytest.raises(UsageError, match="A sidecar leaves the file as it is"):
        find_tasks([str(tree)], None, sidecar=True, in_place=True)
