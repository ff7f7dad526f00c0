"""An audit log, written: on disk line by line, one writer at a time, signed on time, and what crashes leave is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from provenance.audit import log as module
from provenance.audit.check import check_log
from provenance.audit.line import read_line
from provenance.audit.log import AuditLog
from provenance.audit.settings import AuditSettings
from sfumato.errors import OutputError, SealError, SfumatoWarning, UsageError
from tests.audit_fixtures import Newsroom, clock, lines_of, write_log

USUAL = AuditSettings()


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Newsroom:
    return Newsroom(tmp_path_factory.mktemp("newsroom"))


def kinds(path: Path) -> list[str]:
    return [read_line(raw).kind for raw in lines_of(path)]


def opened(path: Path, newsroom: Newsroom, settings: AuditSettings = USUAL, **more: Any) -> AuditLog:
    return AuditLog(path, {"command": "test"}, settings, newsroom.signer(), **more)


def test_a_log_says_who_signs_it_and_how_often(newsroom: Newsroom, tmp_path: Path) -> None:
    first, second, *_ = (
        read_line(raw) for raw in lines_of(write_log(tmp_path / "a", newsroom.signer(), every_lines=7))
    )
    assert first.body["schedule"] == {"lines": 7, "minutes": 10}
    assert first.body["signer"]["name"] == "Newsroom"
    assert len(first.body["log"]) == 32
    assert second.body["about"] == {"command": "test"}


def test_a_verdict_is_on_disk_when_append_returns(newsroom: Newsroom, tmp_path: Path) -> None:
    with opened(tmp_path / "a", newsroom) as log:
        line = log.append("verdict", {"verdict": "suspicious"})
        assert lines_of(tmp_path / "a")[-1] == line.as_bytes()


def test_heads_come_after_so_many_lines(newsroom: Newsroom, tmp_path: Path) -> None:
    write_log(tmp_path / "a", newsroom.signer(), 5, every_lines=2)
    assert kinds(tmp_path / "a")[2:] == ["head", "verdict", "verdict", "head", "verdict", "verdict", "head",
                                         "verdict", "head"]  # fmt: skip


def test_heads_come_after_so_many_minutes(newsroom: Newsroom, tmp_path: Path) -> None:
    settings = AuditSettings(every_minutes=1)
    with opened(tmp_path / "a", newsroom, settings, now=clock(step=25)) as log:
        for _ in range(5):
            log.append("verdict", {})
    found = kinds(tmp_path / "a")[3:]
    assert found.count("head") == 3  # two looks at the clock a verdict
    assert found[-1] == "head"


def test_nothing_is_signed_twice(newsroom: Newsroom, tmp_path: Path) -> None:
    log = opened(tmp_path / "a", newsroom)
    assert log.sign() == log.sign()
    log.close()
    assert kinds(tmp_path / "a") == ["begin", "open", "head"]


def test_who_opens_a_log_says_how_much_was_unsigned(newsroom: Newsroom, tmp_path: Path) -> None:
    write_log(tmp_path / "a", newsroom.signer(), 3)
    (tmp_path / "a").write_bytes(b"".join(lines_of(tmp_path / "a")[:-1]))
    with opened(tmp_path / "a", newsroom):
        pass
    found = [read_line(raw) for raw in lines_of(tmp_path / "a")]
    assert [line.body["unsigned"] for line in found if line.kind == "open"] == [0, 3]


@pytest.mark.parametrize("cut", [1, 2, 40, 200])
def test_a_torn_line_is_kept_and_spoken_of(newsroom: Newsroom, tmp_path: Path, cut: int) -> None:
    path = write_log(tmp_path / "a", newsroom.signer(), 3)
    whole = lines_of(path)
    path.write_bytes(b"".join(whole[:-1]) + whole[-1][:cut])
    with opened(path, newsroom) as log:
        log.append("verdict", {})
    lines = lines_of(path)
    assert lines[: len(whole)] == [*whole[:-1], whole[-1][:cut] + b"\n"]
    torn = read_line(lines[len(whole)])
    assert (torn.kind, torn.body["bytes"]) == ("torn", cut + 1)
    found = check_log(path, newsroom.trust())
    assert (found.outcome, found.torn, found.lines) == ("whole", 1, len(lines))


def test_a_piece_of_the_line_that_speaks_of_a_piece_is_kept_too(newsroom: Newsroom, tmp_path: Path) -> None:
    path = write_log(tmp_path / "a", newsroom.signer(), 3)
    with path.open("ab") as file:
        file.write(b'{"body":{"a\n{"body":{"bytes":1')
    with opened(path, newsroom):
        pass
    found = check_log(path, newsroom.trust())
    assert (found.outcome, found.torn) == ("whole", 1)


def test_the_line_that_speaks_of_a_piece_may_lack_its_own_end(newsroom: Newsroom, tmp_path: Path) -> None:
    path = write_log(tmp_path / "a", newsroom.signer(), 3)
    with path.open("ab") as file:
        file.write(b'{"body":{"a')
    with opened(path, newsroom):
        pass
    lines = lines_of(path)
    path.write_bytes(b"".join(lines[:-2])[:-1])
    found = check_log(path, newsroom.trust())
    assert (found.broken, found.torn, found.piece_at) == (None, 1, len(lines) - 2)
    with opened(path, newsroom):
        pass
    assert check_log(path, newsroom.trust()).outcome == "whole"


def test_a_piece_that_was_changed_later_is_found(newsroom: Newsroom, tmp_path: Path) -> None:
    path = write_log(tmp_path / "a", newsroom.signer(), 1)
    with path.open("ab") as file:
        file.write(b'{"body":{"verdict":"susp')
    with opened(path, newsroom):
        pass
    path.write_bytes(path.read_bytes().replace(b'"susp\n', b'"no-e\n'))
    found = check_log(path, newsroom.trust())
    assert found.broken is not None
    assert found.broken.line == 6


def test_a_line_without_its_line_feed_is_whole_and_gone_on_from(newsroom: Newsroom, tmp_path: Path) -> None:
    path = write_log(tmp_path / "a", newsroom.signer(), 3)
    path.write_bytes(path.read_bytes()[:-1])
    with opened(path, newsroom) as log:
        log.append("verdict", {})
    found = check_log(path, newsroom.trust())
    assert (found.outcome, found.torn) == ("whole", 0)


@pytest.mark.parametrize("foreign", [b"my thesis\n", b"{}\n", b'{"a":1}', b"\0" * 100 + b"\n"])
def test_a_file_of_somebody_elses_is_left_as_it_is(newsroom: Newsroom, tmp_path: Path, foreign: bytes) -> None:
    (tmp_path / "a").write_bytes(foreign)
    with pytest.raises(UsageError, match="no audit log"):
        opened(tmp_path / "a", newsroom)
    assert (tmp_path / "a").read_bytes() == foreign


def test_a_broken_log_is_not_written_to(newsroom: Newsroom, tmp_path: Path) -> None:
    path = write_log(tmp_path / "a", newsroom.signer(), 3)
    lines = lines_of(path)[:-1]  # what a head covers is for the check, not for whoever writes
    for broken in ([*lines[:4], *lines[5:]], [*lines, b"no line\n"], [*lines, lines[-1]], lines[1:]):
        path.write_bytes(b"".join(broken))
        with pytest.raises(UsageError, match="broken one"):
            opened(path, newsroom)
        assert lines_of(path) == broken


def test_only_what_is_not_signed_yet_is_read_again(newsroom: Newsroom, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)  # six hundred of them take a slow disk a minute
    path = write_log(tmp_path / "a", newsroom.signer(), 600, every_lines=100)
    assert path.stat().st_size > 2 * 2**16
    fed: list[bytes] = []
    feed = module.Tail.read_on.__globals__["Chain"].feed
    monkeypatch.setattr(
        module.Tail.read_on.__globals__["Chain"], "feed", lambda self, raw: fed.append(raw) or feed(self, raw)
    )
    with opened(path, newsroom):
        pass
    assert [read_line(raw).kind for raw in fed] == ["head", "open", "head"]
    assert check_log(path, newsroom.trust()).outcome == "whole"


def test_a_log_far_from_its_last_head_is_read_from_far_enough_back(
    newsroom: Newsroom, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)
    path = write_log(tmp_path / "a", newsroom.signer(), 200)
    path.write_bytes(b"".join(lines_of(path)[:-1]))
    monkeypatch.setitem(module.Tail.found.__func__.__globals__, "FIRST_LOOK", 4096)
    monkeypatch.setitem(module.Tail.found.__func__.__globals__, "FARTHEST_LOOK", 4096)
    with opened(path, newsroom, AuditSettings(every_lines=5)) as log:
        log.append("verdict", {})
    assert kinds(path)[-3:] == ["open", "verdict", "head"]
    assert check_log(path, newsroom.trust()).outcome == "whole"


def test_two_writers_take_turns(newsroom: Newsroom, tmp_path: Path) -> None:
    path = tmp_path / "a"
    with opened(path, newsroom) as one, opened(path, newsroom) as other:
        for number in range(10):
            (one, other)[number % 2].append("verdict", {"number": number})
    found = check_log(path, newsroom.trust())
    assert (found.outcome, found.kinds["verdict"]) == ("whole", 10)
    assert [read_line(raw).body["number"] for raw in lines_of(path) if b'"verdict"' in raw] == list(range(10))


def test_many_writers_at_once_lose_nothing(newsroom: Newsroom, tmp_path: Path) -> None:
    def write(name: str) -> None:
        with opened(tmp_path / "a", newsroom, AuditSettings(every_lines=7)) as log:
            for number in range(10):
                log.append("verdict", {"who": name, "number": number})

    threads = [threading.Thread(target=write, args=(f"writer {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = check_log(tmp_path / "a", newsroom.trust())
    assert (found.outcome, found.kinds["verdict"], found.kinds["begin"]) == ("whole", 40, 1)


def test_threads_may_share_one_log(newsroom: Newsroom, tmp_path: Path) -> None:
    with opened(tmp_path / "a", newsroom, AuditSettings(every_lines=7)) as log:
        threads = [threading.Thread(target=lambda: [log.append("verdict", {}) for _ in range(10)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = check_log(tmp_path / "a", newsroom.trust())
    assert (found.outcome, found.kinds["verdict"]) == ("whole", 40)


def test_who_waits_too_long_for_the_lock_is_told(newsroom: Newsroom, tmp_path: Path, monkeypatch: Any) -> None:
    import fcntl

    write_log(tmp_path / "a", newsroom.signer(), 1)
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    with (tmp_path / "a").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another program holds it"):
            opened(tmp_path / "a", newsroom)


def test_a_log_that_is_replaced_or_cut_while_it_is_written_is_an_error(newsroom: Newsroom, tmp_path: Path) -> None:
    path = tmp_path / "a"
    log = opened(path, newsroom)
    os.truncate(path, 10)
    with pytest.raises(OutputError, match="became shorter"):
        log.append("verdict", {})
    other = opened(tmp_path / "b", newsroom)
    (tmp_path / "b").rename(tmp_path / "c")
    (tmp_path / "b").write_bytes(b"")
    with pytest.raises(OutputError, match="another file has its name"):
        other.append("verdict", {})


def test_a_full_disk_leaves_a_piece_that_the_next_writer_speaks_of(
    newsroom: Newsroom, tmp_path: Path, monkeypatch: Any
) -> None:
    path = tmp_path / "a"
    log = opened(path, newsroom)
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: write(file, data[:30]))
        with pytest.raises(OutputError, match="a part of a line"):
            log.append("verdict", {"number": 1})
    log.append("verdict", {"number": 2})
    log.close()
    found = check_log(path, newsroom.trust())
    assert (found.outcome, found.torn, found.kinds["verdict"]) == ("whole", 1, 1)


def test_a_place_that_cannot_be_written_is_an_error(newsroom: Newsroom, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "gone" / "a", tmp_path / "pipe"):
        with pytest.raises(OutputError):
            opened(path, newsroom)


def test_a_key_that_fails_is_found_out_before_the_work(newsroom: Newsroom, tmp_path: Path) -> None:
    class Broken:
        alg, chain_pem = "es256", newsroom.signer().chain_pem

        def sign(self, data: bytes) -> bytes:
            raise SealError("The token is gone")

    with pytest.raises(SealError, match="The token is gone"):
        AuditLog(tmp_path / "a", {}, USUAL, Broken())


def test_what_ends_the_work_is_told_before_what_ends_the_log(newsroom: Newsroom, tmp_path: Path) -> None:
    with (
        pytest.warns(SfumatoWarning, match="left without a signed head"),
        pytest.raises(KeyboardInterrupt),
        opened(tmp_path / "a", newsroom) as log,
    ):
        log.append("verdict", {})
        (tmp_path / "a").unlink()
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), opened(tmp_path / "b", newsroom) as log:
        log.append("verdict", {})
        raise KeyboardInterrupt
    assert kinds(tmp_path / "b")[-1] == "head"


def test_only_verdicts_and_decisions_are_for_others_to_write(newsroom: Newsroom, tmp_path: Path) -> None:
    with opened(tmp_path / "a", newsroom) as log, pytest.raises(UsageError, match="'head'"):
        log.append("head", {})


PROGRAM = """
import sys
from pathlib import Path
from provenance.audit.log import AuditLog
from provenance.audit.settings import AuditSettings
with AuditLog(Path(sys.argv[1]), {}, AuditSettings(every_lines=3)) as log:
    print("ready", flush=True)
    for number in range(1_000_000):
        log.append("verdict", {"number": number})
        print(number, flush=True)
"""


@pytest.mark.slow
def test_kill_9_loses_no_verdict_that_was_reported(tmp_path: Path) -> None:
    from provenance.audit.trust import Trust
    from provenance.pki.keys import development_keys

    path, told = tmp_path / "a", 0
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-c", PROGRAM, path], stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            time.sleep(0.15)
            running.send_signal(signal.SIGKILL)
            told += len([line for line in running.stdout.read().split("\n")[:-1] if line])
    from datetime import UTC, datetime

    trust = Trust([development_keys().root_pem()], (), datetime.now(UTC))
    found = check_log(path, trust)
    assert found.broken is None
    assert told <= found.kinds["verdict"] <= told + 2
    with AuditLog(path, {}):
        pass
    assert check_log(path, trust).outcome == "whole"
