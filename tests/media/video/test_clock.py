"""The one rule of time, on stamps alone: what is held, what is closed, and what is not believed."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import av
import pytest

from sfumato.media.video.clock import FrameTimes, PacketClock
from tests.media_fixtures import make_video


def times(stamps: Sequence[float | None], step: float = 0.04) -> list[float]:
    clock = FrameTimes(step)
    return [clock.of(stamp) for stamp in stamps]


def test_stamps_are_kept_from_the_first_frame_on() -> None:
    assert times([5.0, 5.04, 5.5, 9.0]) == pytest.approx([0, 0.04, 0.5, 4.0])
    assert times([-1.0, -0.96, 0.0]) == pytest.approx([0, 0.04, 1.0])


def test_a_missing_stamp_is_a_step_and_the_next_one_holds_again() -> None:
    assert times([None, None, 0.1, 0.14, None, 0.3]) == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.28])


def test_a_stamp_used_twice_does_not_move_what_follows() -> None:
    found = times([0.0, 0.0, 0.08, 0.08, 0.08, 0.16])
    assert found[0] < found[1] < found[2] == pytest.approx(0.08)
    assert found[2] < found[3] < found[4] < found[5] == pytest.approx(0.16)


def test_stamps_that_stand_still_are_not_believed() -> None:
    found = times([1.0] * 100)
    assert found == sorted(set(found))
    assert found[-1] == pytest.approx(99 * 0.04, abs=0.3)


def test_frames_are_far_enough_apart_to_be_written() -> None:
    found = times([0.0, 1e-7, 2e-7, 0.5], step=1e-5)
    assert min(after - before for before, after in pairwise(found)) > 0.9e-4


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A stream of 25 frames a second and 12,800 ticks."""
    with av.open(str(make_video(tmp_path_factory.mktemp("clock") / "a.mp4", rate=25))) as container:
        real = container.streams.video[0]
        return SimpleNamespace(time_base=Fraction(1, 1000), average_rate=real.average_rate)


def follow(stream: Any, stamps: Sequence[tuple[int, int]], container: str) -> tuple[list[int], int]:
    """Milliseconds at which packets of (shown, decoded) are shown, and how often the clock jumped."""
    clock, shown = PacketClock(stream, container), list[int]()
    for number, (pts, dts) in enumerate(stamps):
        packet = av.Packet(1)
        packet.pts, packet.dts, packet.duration, packet.is_keyframe = pts, dts, 40, number % 4 == 0
        clock.follow(packet)
        shown.append(int(packet.pts or 0))
    return shown, clock.jumps


def test_reordered_frames_are_no_jump(stream: Any) -> None:
    stamps = [(80, 0), (200, 40), (120, 80), (160, 120), (240, 160), (360, 200), (280, 240), (320, 280)]
    assert follow(stream, stamps, "mpegts") == ([pts for pts, _ in stamps], 0)


@pytest.mark.parametrize(
    ("start", "container", "jumps"),
    [
        (100_000, "mpegts", 1),  # far ahead
        (9_000, "mpegts", 0),  # a gap that may be meant
        (100_000, "matroska,webm", 0),  # a picture that is held
        (5_000_000, "matroska,webm", 1),
        (0, "mpegts", 1),  # back to the beginning
        (0, "matroska,webm", 1),
        (80, "mpegts", 1),  # two frames back: parts that overlap
    ],
)
def test_the_clock_jumps(stream: Any, start: int, container: str, jumps: int) -> None:
    stamps = [(time, time) for time in (0, 40, 80, 120)] + [(start + time, start + time) for time in (0, 40, 80, 120)]
    shown, found = follow(stream, stamps, container)
    assert found == jumps
    assert shown == ([0, 40, 80, 120, 160, 200, 240, 280] if jumps else [pts for pts, _ in stamps])


def test_a_frame_that_was_given_the_stamp_behind_the_jump_keeps_its_place(stream: Any) -> None:
    stamps = [(40, 0), (80, 40), (120, 80), (500_040, 120), (500_080, 500_040), (500_120, 500_080)]
    assert follow(stream, stamps, "mpeg") == ([40, 80, 120, 160, 200, 240], 1)


def test_a_slow_clip_has_no_jumps() -> None:
    slow = SimpleNamespace(time_base=Fraction(1, 1000), average_rate=Fraction(1, 10))
    stamps = [(time, time) for time in range(0, 80_000, 10_000)]
    assert follow(slow, stamps, "mpegts") == ([pts for pts, _ in stamps], 0)


def test_what_stores_steps_cannot_jump(stream: Any) -> None:
    stamps = [
        (0, 0),
        (40, 40),
        (80, 80),
        (0, 40),
        (120, 120),
        (5_000_000, 5_000_000),
    ]  # as parts that an edit list hides
    assert follow(stream, stamps, "mov,mp4,m4a,3gp,3g2,mj2") == ([pts for pts, _ in stamps], 0)


def test_guessed_decoding_times_that_run_back_are_no_jump(stream: Any) -> None:
    stamps = [(0, 0), (3000, 1000), (1000, 2000), (2000, 500), (4000, 3000)]
    assert follow(stream, stamps, "matroska,webm") == ([pts for pts, _ in stamps], 0)
