"""The one rule of time: a stream's packets in the order of the file in, a clock that never jumps out; and the stamps of
decoded frames in, seconds after the first one out.

A recording that was joined, or whose clock started anew, has stamps that jump. Jumps are closed: the first frame after
one follows the last frame before it. A gap that a file may well mean is no jump: the frame before it is held.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av import Packet
    from av.stream import Stream

MPEG_STREAMS = ("mpegts", "mpeg")  # FFmpeg's names: parts of them may be joined as they are, and declare no duration
_BACK = 0.1  # seconds: decoding times never run backwards, but a muxer may round them
_ROUNDING = 0.002  # seconds
_LONGEST_GAP = 3600.0  # seconds; a picture may be held for minutes, as in the recording of a screen
_LONGEST_MPEG_GAP = 10.0  # by its standard an MPEG stream has a stamp every 0.7 s; players wait so long
_REORDERED = 16  # frames that may be shown before one that is decoded earlier, at most
_CLOSEST = 1e-4  # seconds from one frame to the next, at least; a writer has 90,000 ticks a second
_CROWDED = 8  # frames in a row whose stamps do not move on, before the stamps are thought to be wrong


class PacketClock:
    """Follows one stream's packets. `jumps` counts how often its clock jumped; `shift` is what the last packet's stamps
    were moved by, in ticks of the stream.
    """

    def __init__(self, stream: Stream, container: str) -> None:
        """`container` is FFmpeg's name of the format: how far a clock may run ahead depends on it."""
        self.jumps = self.shift = 0
        self._second = 1 / (stream.time_base or Fraction(1, 90_000))  # in ticks
        rate = getattr(stream, "average_rate", None)
        self._usual = round(self._second / rate) if rate else 0  # ticks of a packet that does not say its duration
        self._longest_gap = (_LONGEST_MPEG_GAP if container in MPEG_STREAMS else _LONGEST_GAP) * self._second
        self._may_jump = not container.startswith(("mov", "avi"))  # these store steps, not stamps
        self._stores_decoding = container in (*MPEG_STREAMS, "flv")  # elsewhere FFmpeg guesses when a packet is decoded
        self._before: int | None = None  # decoding time of the packet before, as stored
        self._delay = 0  # from a packet's decoding time to its showing
        self._started = False
        self._latest = self._end = 0  # when the last picture so far begins and ends, with the shift

    def follow(self, packet: Packet[Any]) -> None:
        """Takes the next packet, as it was stored, and moves its stamps."""
        duration = packet.duration or self._usual
        self._mend(packet, duration)
        shown = packet.pts if packet.pts is not None else packet.dts
        if shown is None:
            return
        if self._started and self._jumps(packet, shown, duration):
            self.jumps += 1
            self.shift = self._end - shown
            self._latest = self._end
        self._before = packet.dts if packet.dts is not None else self._before
        moved = shown + self.shift
        self._latest = max(self._latest, moved) if self._started else moved
        self._end = max(self._end, moved + duration) if self._started else moved + duration
        self._started = True
        if self.shift:
            packet.pts = packet.pts + self.shift if packet.pts is not None else None
            packet.dts = packet.dts + self.shift if packet.dts is not None else None

    def _mend(self, packet: Packet[Any], duration: int) -> None:
        """The last picture before a jump may have been given the stamp of what follows it."""
        if packet.pts is None or packet.dts is None:
            return
        delay = packet.pts - packet.dts
        if delay > max(_LONGEST_MPEG_GAP * self._second, (_REORDERED + 1) * duration):
            packet.pts = packet.dts + self._delay
        else:
            self._delay = delay

    def _jumps(self, packet: Packet[Any], shown: int, duration: int) -> bool:
        if not self._may_jump:
            return False
        # nothing that follows a key frame is shown before it, and it is not shown before what came earlier
        if packet.is_keyframe and shown + self.shift < self._latest - _ROUNDING * self._second:
            return True
        if packet.dts is None or self._before is None:
            return False
        step = packet.dts - self._before
        back = self._stores_decoding and step < -_BACK * self._second
        return back or step - duration > self._longest_gap


class FrameTimes:
    """Gives each frame its time: seconds after the first, strictly increasing."""

    def __init__(self, step: float) -> None:
        """`step`: seconds from frame to frame where no stamp says more."""
        self.time = 0.0
        self._step = max(step, _CLOSEST)
        self._start: float | None = None  # the stamp at which time would be 0
        self._late = 0  # frames in a row whose stamps had been reached already
        self._first = True

    def of(self, stamp: float | None) -> float:
        """The time of the next frame as they are shown, with `stamp` seconds on the file's clock, or None.

        A stamp that is used twice, or lies behind the frame before, crowds its frame behind that one, so that the next
        good stamp is met; stamps that stand still are not believed.
        """
        since = stamp - self._start if stamp is not None and self._start is not None else None
        if self._first:
            self._first = False
        elif since is None:
            self.time += self._step
        elif since >= self.time + _CLOSEST:
            self.time, self._late = since, 0
        else:
            self._late += 1
            crowded = self._late <= _CROWDED
            self.time += max(self._step / _CROWDED, _CLOSEST) if crowded else self._step
            if not crowded:
                self._start = None
        if self._start is None and stamp is not None:
            self._start = stamp - self.time
        return self.time
