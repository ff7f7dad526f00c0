"""The report on a run: one page for few records, a folder for many; whole, or the former one."""

import json

import pytest

from sfumato.app.review import run_report
from sfumato.app.review.run_report import PART, write_run_report
from sfumato.errors import MediaError, OutputError
from tests.review_fixtures import HOSTILE, calm, data_of, flagged, rows_of, write_run


def part(page, number: int) -> list:
    found = page.parent / data_of(page)["folder"] / f"{number}.html"
    return data_of(found)


def test_a_small_run_is_one_page_with_everything_in_it(tmp_path) -> None:
    quiet = [calm("z.mp4", score=None), calm("a.mp4", score=0.0)]
    run = write_run(tmp_path / "run", [*quiet, flagged("b.mp4", score=0.7), flagged("c.mp4", score=0.9)])
    written = write_run_report(run)
    assert (written.page, written.files, written.to_review, written.missing) == (run / "report.html", 4, 2, 4)
    data = data_of(written.page)
    assert [row["path"] for row in data["rows"]] == ["c.mp4", "b.mp4", "a.mp4", "z.mp4"]
    assert [row["place"] for row in data["rows"]] == [3, 2, 1, 0]
    assert [entry["name"] for entry in data["entries"]] == ["c.mp4", "b.mp4", "a.mp4", "z.mp4"]
    assert data["models"] == ["b" * 64]
    assert sorted(path.name for path in run.iterdir()) == ["records.jsonl", "report.html"]


def test_the_threshold_that_is_explained_is_that_of_videos_where_there_is_one(tmp_path) -> None:
    still = flagged("a.jpg")
    still["media"]["kind"], still["threshold"]["n_real"] = "picture", 7
    alone = write_run_report(write_run(tmp_path / "run", [still])).page.read_text()
    assert "It flags a picture above a threshold set, on 7 real ones" in alone
    both = write_run_report(write_run(tmp_path / "run", [still, flagged("b.mp4"), still])).page.read_text()
    assert "It flags a video above a threshold set, on 99 real ones" in both


def test_a_large_run_is_a_folder_with_its_records_in_parts(tmp_path) -> None:
    count = run_report.ONE_PAGE + 1
    run = write_run(tmp_path / "run", [flagged(f"{number}.mp4", score=number / count) for number in range(count)])
    advanced = []
    page = write_run_report(run, advance=advanced.append).page
    assert page == run / "report" / "index.html" and len(advanced) == count
    assert "entries" not in data_of(page)
    assert [row["at"] for row in rows_of(page)] == list(range(count))
    whole = [entry["name"] for number in range(-(-count // PART)) for entry in part(page, number)]
    assert whole == [row["path"] for row in rows_of(page)] == [f"{number}.mp4" for number in reversed(range(count))]


def test_a_run_that_grew_has_one_report_and_keeps_its_place(tmp_path, monkeypatch) -> None:
    run = write_run(tmp_path / "run", [flagged("a.mp4"), flagged("b.mp4")])
    assert write_run_report(run).page.name == "report.html"
    monkeypatch.setattr(run_report, "ONE_PAGE", 1)
    assert write_run_report(run).page == run / "report" / "index.html"
    assert sorted(path.name for path in run.iterdir()) == ["records.jsonl", "report"]
    monkeypatch.undo()
    assert write_run_report(run).page == run / "report" / "index.html"


def test_heavy_heat_maps_make_a_folder_too(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(run_report, "EMBEDDED", 10)
    run = write_run(tmp_path / "run", [flagged("a.mp4") | {"explain": {"words": "", "heads": {}, "sheet": "s.png"}}])
    (run / "s.png").write_bytes(b"\x89PNG\r\n\x1a\nmore")
    page = write_run_report(run).page
    sheet = part(page, 0)[0]["sheet"]
    assert (page.parent / sheet).read_bytes().startswith(b"\x89PNG")


def test_the_output_decides_where_it_is_named(tmp_path) -> None:
    run = write_run(tmp_path / "run", [flagged("a.mp4")])
    assert write_run_report(run, tmp_path / "x.html").page == tmp_path / "x.html"
    assert write_run_report(run / "records.jsonl", tmp_path / "folder").page == tmp_path / "folder" / "index.html"
    assert part(tmp_path / "folder" / "index.html", 0)[0]["name"] == "a.mp4"


def test_a_report_is_replaced_with_its_parts_and_nothing_else_is(tmp_path) -> None:
    run = write_run(tmp_path / "run", [flagged("a.mp4")])
    write_run_report(run, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    write_run(run, [flagged("b.mp4")])
    page = write_run_report(run, tmp_path / "out").page
    assert part(page, 0)[0]["name"] == "b.mp4"
    assert sorted(path.name for path in page.parent.iterdir()) == [data_of(page)["folder"], "index.html", "notes.txt"]
    for out in (tmp_path / "thesis.html", tmp_path / "folder"):
        out.mkdir() if out.suffix == "" else out.write_text("mine")
    (tmp_path / "folder" / "mine.txt").write_text("")
    for out in (tmp_path / "thesis.html", tmp_path / "folder"):
        with pytest.raises(OutputError, match="is no report"):
            write_run_report(run, out)
    assert (tmp_path / "thesis.html").read_text() == "mine"


def test_a_report_that_fails_leaves_the_former_one(tmp_path) -> None:
    run = write_run(tmp_path / "run", [flagged("a.mp4"), flagged("b.mp4")])
    page = write_run_report(run, tmp_path / "out").page
    before = {path: path.read_bytes() for path in page.parent.rglob("*") if path.is_file()}

    def stop(amount: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_run_report(run, tmp_path / "out", stop)
    assert {path: path.read_bytes() for path in page.parent.rglob("*") if path.is_file()} == before


def test_an_empty_run_says_so_and_a_broken_one_writes_nothing(tmp_path) -> None:
    page = write_run_report(write_run(tmp_path / "run", [])).page
    assert "There is no record in this run." in page.read_text()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "records.jsonl").write_text(json.dumps(flagged("a.mp4")) + "\nnonsense\n")
    with pytest.raises(MediaError, match="line 2"):
        write_run_report(broken)
    assert [path.name for path in broken.iterdir()] == ["records.jsonl"]


def test_hostile_records_stay_data(tmp_path) -> None:
    record = flagged(HOSTILE) | {"verdict": HOSTILE, "meaning": HOSTILE, "notes": [HOSTILE], "mark": {HOSTILE: HOSTILE}}
    record["provenance"] |= {"signer": HOSTILE, "title": HOSTILE}
    page = write_run_report(write_run(tmp_path / "run", [record]), tmp_path / "x.html").page
    text = page.read_text(encoding="utf-8")
    assert text.count("<script") == 2 and text.count("</script>") == 2
    assert "<img src=x" not in text and "\u202e" not in text and "\x1b" not in text
    assert rows_of(page)[0]["path"] == HOSTILE  # what is exported names the file as it is
