"""The check of an audit log: whatever is done to one line is found, and the first wrong line is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.audit.check import AuditReport, KeptHead, check_log, last_head, read_kept
from provenance.audit.head import Statement, signed_body
from provenance.audit.line import Line, next_line, read_line
from provenance.audit.log import AuditLog
from provenance.audit.settings import AuditSettings
from sfumato.errors import MediaError, MissingFileError, UsageError
from tests.audit_fixtures import Newsroom, clock, lines_of, write_log

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Newsroom:
    return Newsroom(tmp_path_factory.mktemp("newsroom"))


@pytest.fixture(scope="module")
def log(newsroom: Newsroom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """begin, open, head, verdict, verdict, head, verdict, verdict, head."""
    return write_log(tmp_path_factory.mktemp("log") / "log.jsonl", newsroom.signer(), 4, every_lines=2)


@pytest.fixture(scope="module")
def check(newsroom: Newsroom, tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[bytes]], AuditReport]:
    path = tmp_path_factory.mktemp("changed") / "log.jsonl"

    def checked(lines: list[bytes]) -> AuditReport:
        path.write_bytes(b"".join(lines))
        return check_log(path, newsroom.trust())

    return checked


Check = Callable[[list[bytes]], AuditReport]


def anew(line: Line, **changes: object) -> bytes:
    """The same line with other content and a digest that fits: what somebody writes who knows the format."""
    before = Line(line.number - 1, "", "verdict", {}, None, line.previous or "")
    made = next_line(before, line.kind, {**line.body, **changes}, datetime.fromisoformat(line.time))
    return made.as_bytes()


def test_an_untouched_log_is_whole(log: Path, newsroom: Newsroom) -> None:
    found = check_log(log, newsroom.trust())
    assert (found.outcome, found.lines, found.covered, found.broken) == ("whole", 9, 9, None)
    assert found.kinds == {"begin": 1, "open": 1, "head": 3, "verdict": 4}
    assert found.coverage is not None
    assert (found.coverage.signatory.name, found.coverage.heads) == ("Newsroom", 3)
    assert found.sha256 == read_line(lines_of(log)[-1]).sha256
    assert found.first < found.last
    assert (found.torn, found.piece_at, found.backwards, found.reopened, found.kept) == (0, 0, 0, 0, 0)


@given(st.data())
def test_any_changed_byte_is_found_where_it_is(log: Path, check: Check, data: st.DataObject) -> None:
    lines = lines_of(log)
    at = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[at]) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != lines[at][place]))
    changed = bytes([*lines[at][:place], byte, *lines[at][place + 1 :]])
    found = check([*lines[:at], changed, *lines[at + 1 :]])
    assert found.outcome == "broken"
    assert found.broken is not None
    assert found.broken.line == at + 1


@given(st.data())
def test_a_removed_line_is_found(log: Path, check: Check, data: st.DataObject) -> None:
    lines = lines_of(log)
    at = data.draw(st.integers(0, len(lines) - 2))
    found = check([*lines[:at], *lines[at + 1 :]])
    assert found.broken is not None
    assert found.broken.line == at + 1
    assert "lines were removed or moved" in found.broken.reason


@given(st.data())
def test_two_swapped_lines_are_found(log: Path, check: Check, data: st.DataObject) -> None:
    lines = lines_of(log)
    one, other = sorted(data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=2, max_size=2, unique=True)))
    lines[one], lines[other] = lines[other], lines[one]
    found = check(lines)
    assert found.broken is not None
    assert found.broken.line == one + 1


@given(st.data())
def test_a_line_that_stands_twice_is_found(log: Path, check: Check, data: st.DataObject) -> None:
    lines = lines_of(log)
    at, to = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, len(lines)))
    found = check([*lines[:to], lines[at], *lines[to:]])
    assert found.broken is not None
    assert found.broken.line == to + 1 + (to == at)


@given(at=st.integers(3, 7), number=st.integers(0, 9))
def test_a_changed_line_with_a_new_digest_is_found_at_the_next(log: Path, check: Check, at: int, number: int) -> None:
    lines = lines_of(log)
    if read_line(lines[at]).kind != "verdict":
        return
    found = check([*lines[:at], anew(read_line(lines[at]), score=number + 2), *lines[at + 1 :]])
    assert found.broken is not None
    assert (found.broken.line, found.covered) == (at + 2, 3 if at < 6 else 6)
    assert "one of the two was changed" in found.broken.reason


def test_a_history_written_anew_ends_at_the_next_head(log: Path, check: Check) -> None:
    """All digests after the change are made to fit; the signature cannot be."""
    lines = [read_line(raw) for raw in lines_of(log)]
    changed = lines[:3]
    for line in lines[3:]:
        body = {**line.body, "verdict": "suspicious"} if line.number == 4 else line.body
        changed.append(next_line(changed[-1], line.kind, body, datetime.fromisoformat(line.time)))
    found = check([line.as_bytes() for line in changed])
    assert found.broken is not None
    assert (found.broken.line, found.covered) == (6, 3)
    assert "signature" in found.broken.reason


def test_a_line_put_in_is_found(log: Path, check: Check) -> None:
    lines = lines_of(log)
    put_in = next_line(read_line(lines[4]), "verdict", {"verdict": "suspicious"}, NOW)
    found = check([*lines[:5], put_in.as_bytes(), *lines[5:]])
    assert found.broken is not None
    assert found.broken.line == 7


def test_an_appended_line_is_not_covered(log: Path, check: Check) -> None:
    lines = lines_of(log)
    appended = next_line(read_line(lines[-1]), "verdict", {"verdict": "suspicious"}, NOW)
    found = check([*lines, appended.as_bytes()])
    assert (found.outcome, found.lines, found.covered, found.broken) == ("uncovered", 10, 9, None)


def test_an_appended_line_out_of_the_chain_is_broken(log: Path, check: Check) -> None:
    lines = lines_of(log)
    found = check([*lines, next_line(read_line(lines[3]), "verdict", {}, NOW).as_bytes()])
    assert found.broken is not None
    assert (found.broken.line, found.covered) == (10, 9)


@pytest.mark.parametrize("kept", [1, 4, 5, 7, 8])
def test_lines_cut_off_are_found_by_a_kept_head_alone(log: Path, newsroom: Newsroom, tmp_path: Path, kept: int) -> None:
    lines = lines_of(log)
    short, head = tmp_path / "short.jsonl", tmp_path / "head.json"
    short.write_bytes(b"".join(lines[:kept]))
    head.write_bytes(last_head(log).as_bytes())
    assert check_log(short, newsroom.trust()).outcome != "broken"
    for noted in (KeptHead(read_line(lines[-1]).sha256), read_kept(str(head))):
        found = check_log(short, newsroom.trust(), noted)
        assert found.broken is not None
        assert found.broken.line == kept + 1
        assert "cut off before it, or begun anew" in found.broken.reason
        assert check_log(log, newsroom.trust(), noted).kept == 9


def test_a_log_begun_anew_is_found_by_a_kept_head(log: Path, newsroom: Newsroom, tmp_path: Path) -> None:
    other = write_log(tmp_path / "other.jsonl", newsroom.signer(), 20)
    (tmp_path / "head.json").write_bytes(last_head(log).as_bytes())
    found = check_log(other, newsroom.trust(), read_kept(str(tmp_path / "head.json")))
    assert found.broken is not None
    assert (found.broken.line, found.broken.reason[:19]) == (1, "this is another log")
    assert check_log(other, newsroom.trust(), KeptHead(last_head(log).sha256)).outcome == "broken"


def test_a_log_written_anew_by_its_own_key_is_found_by_a_kept_head(
    log: Path, newsroom: Newsroom, tmp_path: Path
) -> None:
    """Who has the key can write another history; not one that agrees with a head that others hold."""
    lines = [read_line(raw) for raw in lines_of(log)]
    changed, name = lines[:4], str(lines[0].body["log"])
    for line in lines[4:]:
        now = datetime.fromisoformat(line.time)
        said = Statement(name, changed[-1].number, changed[-1].sha256, line.time)
        body = signed_body(said, newsroom.signer()) if line.kind == "head" else {"verdict": "suspicious"}
        changed.append(next_line(changed[-1], line.kind, body, now))
    (tmp_path / "log.jsonl").write_bytes(b"".join(line.as_bytes() for line in changed))
    (tmp_path / "head.json").write_bytes(last_head(log).as_bytes())
    assert check_log(tmp_path / "log.jsonl", newsroom.trust()).outcome == "whole"
    found = check_log(tmp_path / "log.jsonl", newsroom.trust(), read_kept(str(tmp_path / "head.json")))
    assert found.broken is not None
    assert (found.broken.line, "written anew" in found.broken.reason) == (9, True)


def test_a_piece_at_the_end_is_told_and_not_broken(log: Path, check: Check) -> None:
    lines = lines_of(log)
    found = check([*lines[:-1], lines[-1][:100]])
    assert (found.outcome, found.piece_at, found.lines, found.covered) == ("uncovered", 9, 8, 6)
    found = check([*lines[:-1], lines[-1][:-1]])
    assert (found.outcome, found.piece_at, found.lines, found.broken) == ("uncovered", 9, 9, None)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"no log", b"{}\n", b"\xff\xfe" * 100, b"[" * 100_000, b"x" * 3_000_000]
)
def test_what_is_no_log_is_broken_from_the_first_line_on(check: Check, content: bytes) -> None:
    found = check([content])
    assert found.broken is not None
    assert (found.broken.line, found.lines, found.covered) == (1, 0, 0)


def test_a_piece_in_the_middle_is_no_part_of_the_log(log: Path, check: Check) -> None:
    lines = lines_of(log)
    for piece in (b"no line\n", lines[4][:50] + b"\n", b"\n", b"x" * 3_000_000 + b"\n"):
        found = check([*lines[:4], piece, *lines[4:]])
        assert found.broken is not None
        assert (found.broken.line, found.lines, found.piece_at) == (5, 4, 0)


def test_a_line_that_speaks_of_no_piece_is_broken(log: Path, check: Check) -> None:
    lines = lines_of(log)
    torn = next_line(read_line(lines[-1]), "torn", {"bytes": 1, "sha256": "a" * 64}, NOW)
    found = check([*lines, torn.as_bytes()])
    assert found.broken is not None
    assert (found.broken.line, found.broken.reason) == (10, "it speaks of a piece of a line that is not there")
    found = check([*lines, b"x\n", torn.as_bytes()])
    assert found.broken is not None
    assert found.broken.line == 10


def test_a_kept_head_must_be_one(log: Path, tmp_path: Path) -> None:
    lines = lines_of(log)
    assert read_kept("AB" * 32) == KeptHead("ab" * 32)
    (tmp_path / "verdict.json").write_bytes(lines[3])
    (tmp_path / "changed.json").write_bytes(lines[-1].replace(b'"lines":8', b'"lines":7'))
    for name in ("verdict.json", "changed.json"):
        with pytest.raises(MediaError, match="holds no head"):
            read_kept(str(tmp_path / name))
    with pytest.raises(MissingFileError):
        read_kept(str(tmp_path / "gone.json"))


def test_the_last_head_is_of_a_log_that_holds(log: Path, tmp_path: Path) -> None:
    lines = lines_of(log)
    (tmp_path / "broken.jsonl").write_bytes(b"".join([*lines[:4], *lines[5:]]))
    with pytest.raises(UsageError, match="broken one: line 5"):
        last_head(tmp_path / "broken.jsonl")
    (tmp_path / "short.jsonl").write_bytes(b"".join(lines[:2]))
    with pytest.raises(UsageError, match="no signed head"):
        last_head(tmp_path / "short.jsonl")


def test_clocks_set_back_and_lines_found_unsigned_are_counted(newsroom: Newsroom, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write_log(path, newsroom.signer(), 2)
    foreign = next_line(read_line(lines_of(path)[-1]), "verdict", {}, NOW + timedelta(hours=1))
    with path.open("ab") as file:
        file.write(foreign.as_bytes())
    with AuditLog(path, {}, AuditSettings(), newsroom.signer(), clock(start=NOW - timedelta(days=1))):
        pass
    found = check_log(path, newsroom.trust())
    assert (found.outcome, found.reopened, found.backwards) == ("whole", 1, 1)
