"""`sfumato labels`: from decisions to a table that `evaluate` measures by, and from which `clips` makes the list that
`calibrate` and `train detector` read.
"""

import json
import shutil
from pathlib import Path

import pytest

from detector.training.own_footage import find_reals
from sfumato.app.animation.gallery import shipped_portraits
from sfumato.app.cli.main import main
from sfumato.exit_codes import ExitCode
from sfumato.media.clips import check_disjoint, file_digest, read_clips
from tests.portrait_fixtures import write_portrait


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    """A folder with two faces, a file that nobody was asked about, and decisions on the faces and on a file that is
    gone.
    """
    write_portrait(tmp_path / "mona.png", 360)
    shutil.copy(shipped_portraits()["lady-agnew"].path, tmp_path / "agnew.jpg")
    shutil.copy(shipped_portraits()["la-velata"].path, tmp_path / "unasked.jpg")
    lines = []
    for name, decision, score in (
        ("mona.png", "real", 0.2),
        ("agnew.jpg", "generated", 0.9),
        ("gone.png", "real", 0.1),
    ):
        path = tmp_path / name
        digest = file_digest(path) if path.is_file() else "0" * 64
        said = {"path": name, "sha256": digest, "decision": decision, "reviewer": "Ada", "score": score}
        lines.append({"schema": 1, "time": "2026-01-31T12:00:00.000Z", "reason": "", **said})
    (tmp_path / "decisions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def made(uploads: Path, *more: str) -> int:
    return main(["labels", str(uploads / "decisions.jsonl"), "-o", str(uploads / "labels.csv"), *more])


def test_the_table_is_made_once_and_says_what_has_no_label(uploads, capsys) -> None:
    assert made(uploads) == ExitCode.DONE
    told = capsys.readouterr()
    assert told.out.strip() == str(uploads / "labels.csv")
    assert "Left out gone.png: it is not where its record says" in told.err
    assert "1 real, 1 fake, by Ada" in told.err
    assert made(uploads) == ExitCode.REQUEST
    assert made(uploads, "--overwrite") == ExitCode.DONE


def test_evaluate_measures_the_scan_by_it(uploads, capsys) -> None:
    made(uploads)
    capsys.readouterr()
    assert main(["evaluate", str(uploads / "labels.csv"), "--json"]) == ExitCode.DONE
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    measured = [row["metrics"]["auc"] for row in rows if row["record"] == "metrics" and not row["slice"]]
    assert measured and set(measured) == {1.0}


def test_clips_make_of_it_what_calibrate_and_train_read(uploads) -> None:
    made(uploads)
    assert main(["clips", str(uploads), "--table", str(uploads / "labels.csv")]) == ExitCode.DONE
    rows = {row.path: row for row in read_clips(uploads / "clips.jsonl")}
    assert {name: (row.label, row.family, row.method) for name, row in rows.items()} == {
        "mona.png": ("real", "real", "camera"),
        "agnew.jpg": ("fake", "synthesis", "reviewed-generated"),
    }
    check_disjoint(rows.values())
    reals, people_known = find_reals(uploads / "clips.jsonl")
    assert [real.video_id for real in reals] == ["mona.png"] and people_known


def test_decisions_that_give_no_label_write_nothing(uploads, capsys) -> None:
    line = json.loads((uploads / "decisions.jsonl").read_text().splitlines()[0]) | {"decision": "unsure"}
    (uploads / "decisions.jsonl").write_text(json.dumps(line) + "\n")
    assert made(uploads) == ExitCode.REQUEST
    assert "could not tell" in capsys.readouterr().err
    assert not (uploads / "labels.csv").exists()
    (uploads / "decisions.jsonl").write_text("no decision\n")
    assert made(uploads) == ExitCode.INPUT
