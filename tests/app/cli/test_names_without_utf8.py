"""A file name may be any bytes: every judge names such a file in one printable line, or in JSON that every reader
takes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from provenance.verifying.verification import Verification
from sfumato.app.cli.main import main
from sfumato.app.review.report import Heading, ReviewedClip, render_report
from tests.scan_fixtures import scan_record
from tests.signing_fixtures import seal_video

NAME, SHOWN, REPLACED = os.fsdecode(b"caf\xe9\xff.mp4"), "caf\\udce9\\udcff.mp4", "caf\ufffd\ufffd.mp4"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed film, and in `bad` a text, both of that name."""
    folder = tmp_path_factory.mktemp("names")
    film = seal_video(folder / "film.mp4", frames=4)
    (folder / "bad").mkdir()
    try:
        film.rename(folder / NAME)
        (folder / "bad" / NAME).write_text("no film at all")
    except OSError:
        pytest.skip("this file system takes no such name")
    return folder


@pytest.fixture(params=["verify", "inspect", "scan"])
def command(request: pytest.FixtureRequest, shipped_detector: Path) -> list[str]:
    return [request.param, *(["--model", str(shipped_detector)] if request.param == "scan" else [])]


def named(record: dict[str, Any]) -> str:
    """The path in the record of any of the commands."""
    file = record.get("file", record.get("path"))
    return str(file["path"] if isinstance(file, dict) else file)


def test_the_record_is_json_that_every_reader_takes(command: list[str], folder: Path, capfd: Any) -> None:
    main([*command, "--json", str(folder / NAME)])
    (line,) = capfd.readouterr().out.splitlines()
    record = json.loads(line)
    assert named(record) == str(folder / REPLACED)
    json.dumps(record, ensure_ascii=False).encode("utf-8")  # no half character in any of its strings


def test_people_see_one_line_that_can_be_printed(command: list[str], folder: Path, capfd: Any) -> None:
    assert main([*command, str(folder / NAME)]) in (0, 1)
    shown = capfd.readouterr()
    name = REPLACED if command[0] == "scan" else SHOWN  # a scan's record holds the name as JSON can
    assert name in shown.out and "Error" not in shown.err


def test_a_file_that_cannot_be_read_is_named_as_well(command: list[str], folder: Path, capfd: Any) -> None:
    assert main([*command, "--json", str(folder / "bad" / NAME)]) == 3
    shown = capfd.readouterr()
    for line in shown.out.splitlines():
        assert "not a" in json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8").decode()
    assert command[0] != "inspect" or SHOWN in shown.err
    assert "Traceback" not in shown.err


def test_the_page_of_a_report_opens_it(folder: Path) -> None:
    found = Verification(folder / NAME, "none")
    page = render_report(Heading("a", "b", "c"), [ReviewedClip(NAME, folder / NAME, found, scan_record())])
    assert 'src="caf%E9%FF.mp4"' in page
    assert SHOWN in page and page.encode("utf-8")
