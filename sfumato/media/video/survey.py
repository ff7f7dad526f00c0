"""What there is to know of a file before its sound is taken: one look at all its packets in, nothing decoded; how the
sound's clock is to be moved, and whether its packets can be copied as they are, out.

Where the clock of a joined recording jumps, it jumps for picture and sound. The picture says where it goes on, the
sound keeps its place beside the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato.media.video.clock import PacketClock
from sfumato.media.video.container import choose_video_stream, open_media, read_packets

if TYPE_CHECKING:
    from av import Packet

LARGEST_DRIFT = 0.025  # seconds that sound may be off its stamps before it is moved: half of what is noticed at lips
_BESIDE = 1.0  # seconds by which sound may begin before the picture that it belongs to, or end after it
_AHEAD = 2.0  # seconds of sound that a file holds before the picture that belongs to it


@dataclass(frozen=True)
class Survey:
    """`pictures`: packets of the video stream. `moves`: (number of a packet of sound, seconds): what is to be added to
    its stamps and to those that follow. `steady`: the sound has one format throughout, no gap and no jump.
    """

    pictures: int
    moves: tuple[tuple[int, float], ...]
    steady: bool


def survey(path: Path, video: int | None, sound: int | None) -> Survey:
    """Looks through the streams of these indices. Raises MediaError as `open_media` does."""
    container = open_media(path)
    try:
        streams = [container.streams[index] for index in (video, sound) if index is not None]
        clocks = {stream.index: PacketClock(stream, container.format.name) for stream in streams}
        picture, listened = list[_Stretch](), list[_Stretch]()
        steady = _Steadiness()
        pictures = heard = 0
        for packet in read_packets(container, streams):
            clock = clocks[packet.stream_index]
            clock.follow(packet)
            if packet.stream_index == video:
                pictures += 1
                _add(picture, packet, clock, (clock.jumps,), 0)
            else:
                steady.add(packet)
                beside = clocks[video].jumps if video is not None else 0
                _add(listened, packet, clock, (clock.jumps, beside), heard)
                heard += 1
        moves = tuple((stretch.packet, shift) for stretch, shift in _moves(listened, picture))
        return Survey(pictures, moves, steady.holds and len(listened) < 2)
    finally:
        container.close()


def count_keyframes(path: Path) -> int:
    """How many frames of the video stream need no other to be decoded, as the file says. Raises MediaError as
    `open_media` and `choose_video_stream` do.
    """
    container = open_media(path)
    try:
        stream = choose_video_stream(path, container)
        return sum(packet.is_keyframe for packet in read_packets(container, [stream]))
    finally:
        container.close()


@dataclass
class _Stretch:
    """A piece without a jump. `key`: how often its own clock had jumped, and that of the picture; `packet`: the number
    of its first one; `first`, `end`: its stamps as stored, and `shift` that of its own clock, in seconds.
    """

    key: tuple[int, ...]
    packet: int
    first: float
    end: float
    shift: float

    def near(self, other: _Stretch) -> bool:
        return self.first < other.end + _BESIDE and self.end > other.first - _BESIDE


def _add(stretches: list[_Stretch], packet: Packet[Any], clock: PacketClock, key: tuple[int, ...], number: int) -> None:
    ticks = packet.pts if packet.pts is not None else packet.dts
    if ticks is None:
        return
    start = float((ticks - clock.shift) * packet.time_base)
    end = start + float((packet.duration or 0) * packet.time_base)
    if not stretches or stretches[-1].key != key:
        stretches.append(_Stretch(key, number, start, end, float(clock.shift * packet.time_base)))
    piece = stretches[-1]
    piece.first, piece.end = min(piece.first, start), max(piece.end, end)


def _moves(sound: list[_Stretch], picture: list[_Stretch]) -> Iterator[tuple[_Stretch, float]]:
    """How each stretch of sound is moved: as the picture beside it; by its own clock where the picture did not jump."""
    before: tuple[_Stretch, float] | None = None
    place = -1
    for stretch, following in zip_longest(sound, sound[1:]):
        jumped = before is not None and before[0].key[0] != stretch.key[0]
        last, place = place, min(stretch.key[1], len(picture) - 1)
        ahead = following is not None and following.key[0] == stretch.key[0] and stretch.end - stretch.first < _AHEAD
        if jumped and ahead and place == last:
            place = min(place + 1, len(picture) - 1)  # the file holds sound before the picture that it belongs to
        elif not jumped and place > last >= 0 and not stretch.near(picture[place]):
            place = last  # and sometimes after it
        if place < 0 or (jumped and before is not None and place == last and not stretch.near(picture[place])):
            own = before[1] - before[0].shift if before is not None else 0.0
            before = stretch, own + stretch.shift
        else:
            before = stretch, picture[place].shift
        yield before


class _Steadiness:
    """Whether sound's packets follow each other closely and are all of one format; `holds` says so."""

    def __init__(self) -> None:
        self.holds = True
        self._next: float | None = None
        self._format: bytes | None = None

    def add(self, packet: Packet[Any]) -> None:
        if packet.pts is None or packet.is_corrupt:
            self.holds = False
            return
        start = float(packet.pts * packet.time_base)
        duration = float((packet.duration or 0) * packet.time_base)
        if self._next is not None and duration and abs(start - self._next) > LARGEST_DRIFT:
            self.holds = False
        self._next = start + duration
        found = _format(packet)
        if self._format is not None and found != self._format:
            self.holds = False
        self._format = found


def _format(packet: Packet[Any]) -> bytes:
    """What the packet itself says of its format; empty if it says nothing."""
    context = packet.stream.codec_context
    if packet.has_sidedata("new_extradata"):
        settings = bytes(packet.get_sidedata("new_extradata"))
        return b"" if settings == (context.extradata or b"") else settings
    if context.name not in ("mp3", "mp3float"):
        return b""
    head = bytes(packet)[:4]
    return bytes([head[1] & 0xFE, head[2] & 0x0C, head[3] >> 6 == 3]) if len(head) == 4 else b""
