"""`sfumato scan` with tables, SARIF, a page, codes by verdict, and the options of credentials: with and without -o."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet

from provenance.audit.line import read_line
from provenance.pki.keys import development_keys
from sfumato.app.cli.scan import scan
from sfumato.errors import OutputError, UsageError
from sfumato.exit_codes import ExitCode
from tests.durable_fixtures import sealed_video
from tests.media_fixtures import make_video
from tests.test_schemas import AUDIT, faults


def run(*arguments: object) -> Result:
    return CliRunner().invoke(scan, [str(each) for each in arguments], standalone_mode=False)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    for number, name in enumerate(("a", "=1+1", "<script>")):
        make_video(tmp_path / "in" / f"{name}.mp4", frames=3 + number)
    return tmp_path / "in"


@pytest.fixture(autouse=True)
def inside(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()


def outputs(folder: Path) -> list[object]:
    names = {"--csv": "o.csv", "--parquet": "o.parquet", "--sarif": "o.sarif", "--html": "o.html"}
    return [word for option, name in names.items() for word in (option, folder / name)]


def written(folder: Path) -> tuple[set[str], set[str], set[str]]:
    with (folder / "o.csv").open(encoding="utf-8", newline="") as file:
        table = {line["path"] for line in csv.DictReader(file)}
    results = json.loads((folder / "o.sarif").read_text())["runs"][0]["artifacts"]
    rows = parquet.read_table(folder / "o.parquet").to_pylist()
    return table, {row["path"] for row in rows}, {result["location"]["uri"] for result in results}


def test_every_form_is_made_of_every_record(shipped_detector: Path, films: Path, tmp_path: Path) -> None:
    found = run(films, "--frames", "2", "--model", shipped_detector, "--json", *outputs(tmp_path))
    paths = {json.loads(line)["file"]["path"] for line in found.stdout.splitlines()}
    table, rows, uris = written(tmp_path)
    assert table == rows == paths
    assert len(uris) == 3
    page = (tmp_path / "o.html").read_text(encoding="utf-8")
    assert "<script>.mp4" not in page
    assert "3 files" in page


def test_a_run_folder_gives_them_of_all_that_it_holds(shipped_detector: Path, films: Path, tmp_path: Path) -> None:
    same = ("--frames", "2", "--model", shipped_detector, "-o", tmp_path / "run")
    assert run(films / "a.mp4", *same).return_value == 0
    assert run(films / "=1+1.mp4", *same, *outputs(tmp_path)).return_value == 0
    assert all(len(each) == 2 for each in written(tmp_path))
    assert "2 files" in (tmp_path / "o.html").read_text(encoding="utf-8")


def test_what_could_not_be_written_is_refused_before_the_work(films: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.html").write_text("a page of mine")
    assert isinstance(run(films, "--html", tmp_path / "mine.html").exception, OutputError)
    assert isinstance(run(films, "--csv", tmp_path / "gone" / "o.csv").exception, OutputError)
    assert isinstance(run(films, "--csv", tmp_path / "o", "--sarif", tmp_path / "o").exception, UsageError)
    assert (tmp_path / "mine.html").read_text() == "a page of mine"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A generated video, and the root of its signer."""
    folder = tmp_path_factory.mktemp("sealed")
    keys = development_keys(folder / "keys")
    return sealed_video(folder / "sealed.mp4", keys, folder / "repository.sqlite3").path, keys.root_certificate


@pytest.mark.parametrize("folder", [False, True])
def test_the_verdict_decides_the_code_where_that_is_asked_for(
    shipped_detector: Path, films: Path, sealed: tuple[Path, Path], tmp_path: Path, folder: bool
) -> None:
    same = ("--frames", "2", "--model", shipped_detector, *(("-o", tmp_path / "run") if folder else ()))
    assert run(sealed[0], *same).return_value == ExitCode.DONE
    assert run(sealed[0], *same, "--exit-code").return_value == ExitCode.DECLARED
    assert run(films / "a.mp4", *same, "--exit-code").return_value == ExitCode.UNDECIDED
    assert run(films / "a.mp4", sealed[0], *same, "--exit-code").return_value == ExitCode.DECLARED
    (films / "bad.mp4").write_text("none")
    assert run(films, sealed[0], *same, "--exit-code").return_value == ExitCode.INPUT


def record(*arguments: object) -> dict:
    found = run(*arguments, "--json")
    assert found.exception is None, found.exception
    return json.loads(found.stdout)


def test_lists_and_policy_decide_as_in_verify_and_stand_in_the_record(
    shipped_detector: Path, sealed: tuple[Path, Path], tmp_path: Path
) -> None:
    same = (sealed[0], "--frames", "2", "--model", shipped_detector)
    dated = tmp_path / "list-2026-01-31.pem"
    dated.write_text(sealed[1].read_text())
    policy = tmp_path / "policy.toml"
    policy.write_text('signer = "Somebody Else"\n')
    trusted = record(*same, "--trust", sealed[1])
    assert trusted["provenance"]["outcome"] == "trusted"
    assert trusted["verdict"] == "synthetic-declared"
    assert record(*same, "--trust-list", dated)["provenance"]["outcome"] == "trusted"
    refused = record(*same, "--trust", sealed[1], "--policy", policy, "--tsa-trust", sealed[1])
    assert refused["provenance"]["outcome"] == "untrusted"
    assert [each["purpose"] for each in refused["scan"]["trust"]] == ["signers", "stamps", "policy"]
    assert trusted["scan"]["trust"][0] == refused["scan"]["trust"][0]


def test_a_sidecar_belongs_to_one_file(shipped_detector: Path, films: Path, tmp_path: Path) -> None:
    beside = tmp_path / "x.c2pa"
    beside.write_bytes(b"none")
    assert "One sidecar cannot belong to 3 files" in str(run(films, "--sidecar", beside).exception)
    same = (films / "a.mp4", "--frames", "2", "--model", shipped_detector)
    assert record(*same)["provenance"]["outcome"] == "none"
    told = record(*same, "--sidecar", beside)
    assert told["provenance"]["outcome"] not in ("none", "trusted")
    assert told["scan"]["trust"][0]["purpose"] == "sidecar"


def test_a_run_folder_with_another_policy_is_refused_and_the_log_names_it(
    shipped_detector: Path, films: Path, tmp_path: Path
) -> None:
    policy, log = tmp_path / "policy.toml", tmp_path / "log.jsonl"
    policy.write_text("stamped-by = true\n")
    same = (films / "a.mp4", "--frames", "2", "--model", shipped_detector, "-o", tmp_path / "run")
    assert run(*same, "--policy", policy, "--audit", log).return_value == 0
    assert [fault for line in log.read_bytes().splitlines() for fault in faults(AUDIT, json.loads(line))] == []
    verdicts = [line for line in map(read_line, log.read_bytes().splitlines()) if line.kind == "verdict"]
    assert [[each["purpose"] for each in line.body["trust"]] for line in verdicts] == [["policy"]]
    found = run(*same)
    assert isinstance(found.exception, UsageError)
    assert "policy was" in str(found.exception)
    shutil.rmtree(tmp_path / "run")
    assert run(*same).return_value == 0
