"""What a scan is asked: two requests are alike exactly where their records would be."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.durable.repository import open_repository
from sfumato.app.scan.setup import ScanJob, ScanSetup, begin
from sfumato.errors import UsageError
from tests.media_fixtures import make_video


@pytest.fixture
def setup(shipped_detector: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScanSetup:
    monkeypatch.setenv("SFUMATO_REPOSITORY", str(tmp_path / "none.sqlite3"))  # whatever other tests entered into theirs
    return ScanSetup(model=shipped_detector)


def test_the_request_names_every_argument_that_changes_a_record(setup: ScanSetup, tmp_path: Path) -> None:
    scanner = setup.scanner()
    before = setup.asked(scanner)
    assert json.loads(json.dumps(before)) == before
    for name, value in (("trust", (b"x",)), ("allowed", frozenset(["a"])), ("explain", tmp_path)):
        changed = replace(setup, **{name: value}).asked(scanner)
        assert [key.replace("-list", "") for key in changed if changed[key] != before[key]] == [name]
    for name, value, key in (("stamps", (b"x",), "tsa-trust"), ("policy", "stamped-by = true", "policy"),
                             ("sidecar", written(tmp_path / "x.c2pa"), "sidecar")):  # fmt: skip
        changed = replace(setup, **{name: value}).asked(scanner)
        assert changed.keys() - before.keys() == {key}
        assert changed | before == changed
    few = replace(setup, frames=4, fpr=0.1)
    assert {key for key, value in few.asked(few.scanner()).items() if value != before[key]} == {"frames", "fpr"}


def written(path: Path) -> Path:
    path.write_bytes(b"x")
    return path


def test_what_credentials_are_held_to_reaches_the_scanner_and_its_records(setup: ScanSetup, tmp_path: Path) -> None:
    """lists: as they were given, else the digests of what was."""
    asked = replace(setup, stamps=(b"y",), allowed=frozenset("a"), policy="stamped-by = true", sidecar=tmp_path)
    scanner = asked.scanner()
    assert (scanner.stamps, scanner.sidecar) == ((b"y",), tmp_path)
    assert scanner.policy is not None
    assert [purpose for purpose, _ in scanner.lists] == ["stamps", "allowed"]
    assert replace(asked, lists=(("policy", "a" * 64),)).scanner().lists == (("policy", "a" * 64),)


def test_another_calibration_of_the_same_network_is_another_request(setup: ScanSetup) -> None:
    scanner = setup.scanner()
    before = setup.asked(scanner)
    bundle = scanner.detector.bundle
    record = {**bundle.record, "video_calibration": {**bundle.record["video_calibration"], "n_real": 7}}
    scanner.detector.bundle = replace(bundle, record=record)
    after = setup.asked(scanner)
    assert [name for name in after if after[name] != before[name]] == ["calibration"]


def test_a_repository_is_named_without_user_and_password(setup: ScanSetup) -> None:
    scanner = setup.scanner()
    asked = replace(setup, repository="postgresql://ada:secret@host/db").asked(scanner)
    assert asked["repository"] == "host/db"


def test_a_worker_makes_the_record_of_a_file(setup: ScanSetup, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4")
    record = begin(pickle.loads(pickle.dumps(setup)))(ScanJob(path, ""))
    assert record["file"]["path"] == str(path)
    assert record["verdict"] == "not-evaluable"


def test_a_machine_that_would_find_something_else_says_what_differs(setup: ScanSetup) -> None:
    sent = pickle.loads(pickle.dumps(setup.for_other_machines(setup.scanner())))
    assert sent.scanner().frames == setup.scanner().frames
    elsewhere = replace(sent, expected={**sent.expected, "program": "0.0.0", "model": "f" * 64})
    with pytest.raises(UsageError, match=r"program is .+, not 0\.0\.0; model is [0-9a-f]{64}, not f{64}\. Install"):
        elsewhere.scanner()


def test_a_repository_that_only_one_machine_has_is_refused(
    setup: ScanSetup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner = setup.scanner()
    sent = setup.for_other_machines(scanner)
    place = tmp_path / "repository.sqlite3"
    open_repository(place).close()
    monkeypatch.setenv("SFUMATO_REPOSITORY", str(place))
    for refused in (lambda: setup.for_other_machines(scanner), sent.scanner):
        with pytest.raises(UsageError, match="--repository"):
            refused()
    shared = replace(setup, repository=str(place))
    assert shared.for_other_machines(shared.scanner()).scanner().repository == str(place)
