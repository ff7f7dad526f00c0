"""`sfumato scan` of lists, patterns and addresses: with and without a run folder, and no secret anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sfumato.app.cli.scan import scan
from sfumato.errors import UsageError
from tests.fetch_server import answering, said
from tests.media_fixtures import make_video


def run(*arguments: object, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(scan, [str(each) for each in arguments], input=stdin, standalone_mode=False)


def paths(result: Result) -> list[str]:
    return [json.loads(line)["file"]["path"] for line in result.stdout.splitlines()]


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for number, name in enumerate(("a.mp4", "line\nbreak.mp4", "c.mp4")):
        make_video(tmp_path / name, frames=3 + number)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_list_on_standard_input_is_scanned(shipped_detector: Path, films: Path) -> None:
    found = run("-", "c.mp4", "--json", "--frames", "2", "--model", shipped_detector, stdin=b"a.mp4\n")
    assert paths(found) == ["a.mp4", "c.mp4"]
    names = b"\0".join(os.fsencode(name) for name in ("line\nbreak.mp4", "a.mp4"))
    found = run("-", "-0", "--json", "--frames", "2", "--model", shipped_detector, stdin=names)
    assert paths(found) == ["line\nbreak.mp4", "a.mp4"]


def test_null_without_a_list_is_refused(films: Path) -> None:
    assert "--null is for names on standard input" in str(run("a.mp4", "--null").exception)


def test_a_quoted_pattern_is_expanded(shipped_detector: Path, films: Path) -> None:
    found = run("[ac].*", "--json", "--frames", "2", "--model", shipped_detector)
    assert paths(found) == ["a.mp4", "c.mp4"]


@pytest.mark.parametrize("option", ["--fetch-mb", "--fetch-seconds"])
def test_limits_of_addresses_without_addresses_are_refused(films: Path, option: str) -> None:
    assert f"{option} is for addresses" in str(run("a.mp4", option, 5).exception)


SECRETS = ("hunter2", "tokenvalue")


@pytest.fixture
def site(films: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address with one film, which stands for a public one here and in processes that are made by fork or anew."""
    data = (films / "a.mp4").read_bytes()
    from tests.fetch_server import loopback_is_public

    loopback_is_public(monkeypatch)
    with answering(lambda line: [said(data)] if "film" in line else [said(b"", status="404 Not Found")]) as (at, _):
        yield at


def whole(folder: Path) -> str:
    return "".join(path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file())


def test_an_address_is_scanned_as_the_file_that_lies_there(
    shipped_detector: Path, films: Path, site: str, tmp_path: Path
) -> None:
    log, table = tmp_path / "log.jsonl", tmp_path / "t.csv"
    found = run(
        f"{site}/film.mp4?key=tokenvalue", f"{site}/gone?key=tokenvalue#hunter2", "a.mp4", "--fetch", "--json",
        "--frames", "2", "--model", shipped_detector, "--audit", log, "--csv", table,
    )  # fmt: skip
    assert found.return_value == 3
    one, lost, own = (json.loads(line) for line in found.stdout.splitlines())
    assert one["file"]["path"].startswith(f"{site}/film.mp4?redacted=")
    assert (one["file"]["sha256"], one["file"]["size"]) == (own["file"]["sha256"], own["file"]["size"])
    assert (one["verdict"], one["media"]) == (own["verdict"], own["media"])
    assert (lost["status"], lost["reasons"][0]["code"]) == ("error", "not_fetched")
    assert "status 404" in lost["reasons"][0]["detail"]
    told = found.output + whole(tmp_path)
    assert not any(secret in told for secret in SECRETS)


def test_an_address_inside_is_a_record_that_says_so(shipped_detector: Path, tmp_path: Path) -> None:
    found = run("http://127.0.0.1:1/film.mp4", "--fetch", "--json", "--model", shipped_detector)
    assert found.return_value == 3
    assert "not public" in json.loads(found.stdout)["reasons"][0]["detail"]


def test_an_address_that_has_more_than_it_may_is_a_record_that_says_so(
    shipped_detector: Path, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.fetch_server import loopback_is_public

    loopback_is_public(monkeypatch)
    with answering(lambda line: [said(bytes(2**20 + 1))]) as (site, _):
        found = run(f"{site}/film.mp4", "--fetch", "--fetch-mb", 1, "--json", "--model", shipped_detector)
    assert "the limit is 1 MB" in json.loads(found.stdout)["reasons"][0]["detail"]


def test_without_fetch_no_connection_is_opened(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.create_connection", lambda *given, **more: pytest.fail("a connection was tried"))
    monkeypatch.setattr("socket.getaddrinfo", lambda *given, **more: pytest.fail("a name was looked up"))
    for arguments in (["https://example.com/a.mp4"], ["-"]):
        found = run(*arguments, stdin=b"https://example.com/a.mp4\n")
        assert isinstance(found.exception, UsageError)
        assert "Add --fetch" in str(found.exception)


def records(folder: Path) -> dict[str, Any]:
    found = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    return {record["file"]["path"]: record for record in found}


def test_a_run_folder_fetches_an_address_once_and_asks_again_for_what_it_did_not_get(
    shipped_detector: Path, films: Path, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers are other processes: there the address is refused, and the record says so."""
    arguments = (f"{site}/film.mp4?key=tokenvalue", "a.mp4", "--fetch", "--frames", "2", "--model", shipped_detector)
    first = run(*arguments, "-o", tmp_path / "run", "--json")
    assert first.exception is None, first.exception
    place = next(path for path in records(tmp_path / "run") if path.startswith("http"))
    assert records(tmp_path / "run")[place]["reasons"][0]["code"] == "not_fetched"
    assert json.loads(first.stdout)["unreadable"] == 1
    from sfumato.app.scan import run as runs
    from sfumato.execution.executor import Limits
    from sfumato.execution.inline import run_inline

    monkeypatch.setattr(
        runs, "run", lambda tasks, begin, workers, limits, executor: run_inline(tasks, begin, workers, Limits())
    )
    second, third = (json.loads(run(*arguments, "-o", tmp_path / "run", "--json").stdout) for _ in range(2))
    assert (second["judged"], second["kept"], second["unreadable"]) == (1, 1, 0)
    assert (third["judged"], third["kept"]) == (0, 2)
    assert records(tmp_path / "run")[place]["file"]["sha256"] == records(tmp_path / "run")["a.mp4"]["file"]["sha256"]
    assert not any(secret in whole(tmp_path / "run") for secret in SECRETS)
