"""`sfumato report`: what it prints, and what it refuses."""

from sfumato.app.cli.main import main
from sfumato.exit_codes import ExitCode
from tests.review_fixtures import flagged, ten_flagged, write_run


def test_it_prints_what_to_open_and_says_what_cannot_be_played(tmp_path, capsys) -> None:
    run = ten_flagged(tmp_path / "run", others=3)
    assert main(["report", str(run)]) == ExitCode.DONE
    told = capsys.readouterr()
    assert told.out.strip() == str(run / "report.html")
    assert "not playable: 3 of 13" in told.err
    assert main(["report", str(run / "records.jsonl"), "-o", str(tmp_path / "folder")]) == ExitCode.DONE
    assert capsys.readouterr().out.strip() == str(tmp_path / "folder" / "index.html")


def test_what_is_no_run_is_refused(tmp_path, capsys) -> None:
    assert main(["report", str(tmp_path)]) == ExitCode.INPUT
    assert "holds no records.jsonl" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "none")]) == ExitCode.INPUT
    (tmp_path / "mine.html").write_text("mine")
    run = write_run(tmp_path / "run", [flagged("a.mp4")])
    assert main(["report", str(run), "-o", str(tmp_path / "mine.html")]) == ExitCode.REQUEST
    assert (tmp_path / "mine.html").read_text() == "mine"
