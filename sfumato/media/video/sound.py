"""Sound for a generated video: the sound of another file in, packets for an mp4 out, cut to the video's length.

AAC and MP3 are copied bit by bit; what an mp4 in a browser cannot play is encoded anew as AAC. Time 0 is the other
file's first video frame, so that a face driven by that file keeps its lips in time with its voice.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato.errors import MediaError
from sfumato.media.video.container import open_media

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

_AAC_BIT_RATE = 128_000  # transparent for speech in stereo
_LOWEST_MP3_RATE = 16_000  # below, an mp4 may not hold MP3
_GAP = 0.1  # seconds of sound missing (damaged packets) before the rest is moved back to its place


class SoundTrack:
    """Feeds the sound of `source` into `output`, as far as the picture has come."""

    def __init__(self, source: Path, output: OutputContainer) -> None:
        """Adds an audio stream to `output`; it must not have been written to yet.

        Raises MediaError if `source` cannot be opened or holds no sound that can be decoded.
        """
        self._container = open_media(source)
        try:
            streams = [stream for stream in self._container.streams.audio if stream.codec_context is not None]
            if not streams:
                raise MediaError(f"{source} has no sound", "Leave the sound out, or name a file that has some.")
            self._input = streams[0]
            self._zero = self._time_zero()
            self._copies = _fits_mp4(self._input)
            if self._copies:
                self._stream: AudioStream = output.add_stream_from_template(self._input)
                self._packets = self._copied()
            else:
                self._stream = self._add_aac(output)
                self._packets = self._encoded()
        except BaseException:
            self._container.close()
            raise
        self._output = output
        self._next = next(self._packets, None)

    def advance(self, until: float) -> None:
        """Writes all sound that begins before `until`, in seconds of the video."""
        while self._next is not None and self._next[0] < until:
            self._output.mux(self._next[1])
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Frees the source file."""
        self._packets.close()
        self._container.close()

    def _time_zero(self) -> float:
        leader = self._container.streams.video[0] if self._container.streams.video else self._input
        if leader.start_time is None or leader.time_base is None:
            return 0.0
        return float(leader.start_time * leader.time_base)

    def _copied(self) -> Any:
        """(time, packet) of the source's own packets; those before the first frame are left out."""
        for packet in self._readable_packets():
            if packet.pts is None:
                continue
            base = packet.time_base
            duration = (packet.duration or 0) * base
            time = packet.pts * base - Fraction(self._zero)
            if time < -duration / 2:
                continue
            packet.pts = packet.dts = max(0, round(time / base))
            packet.stream = self._stream
            yield float(time), packet

    def _encoded(self) -> Any:
        """(time, packet) of the sound decoded and encoded as AAC."""
        import av

        rate = self._stream.rate
        context = self._stream.codec_context
        context.open()
        resampler = av.AudioResampler(
            format="fltp", layout=context.layout, rate=rate, frame_size=context.frame_size or 1024
        )
        taken = given = 0  # samples, at the output's rate, into and out of the resampler
        start: int | None = None
        for frame in self._decoded():
            if frame is not None:
                time = frame.time - self._zero if frame.time is not None else None
                length = round(frame.samples * rate / frame.sample_rate)
                if time is not None and time < -length / (2 * rate):
                    continue
                if start is None:
                    start = max(0, round((time or 0.0) * rate))
                elif time is not None and time * rate - (start + taken) > _GAP * rate:
                    start = round(time * rate) - taken
                taken += length
                frame.pts = None
            for piece in resampler.resample(frame):
                piece.pts = (start or 0) + given
                piece.time_base = Fraction(1, rate)
                given += piece.samples
                for packet in self._stream.encode(piece):
                    yield float((packet.pts or 0) * packet.time_base), packet
        for packet in self._stream.encode(None):
            yield float((packet.pts or 0) * packet.time_base), packet

    def _decoded(self) -> Iterator[Any]:
        """Decoded frames; None at the end."""
        import av

        for packet in self._readable_packets():
            try:
                yield from self._input.decode(packet)
            except (av.FFmpegError, ValueError):
                continue  # a damaged packet: the gap is closed by time
        yield None

    def _readable_packets(self) -> Iterator[Any]:
        import av

        try:
            for packet in self._container.demux(self._input):
                if packet.size:
                    yield packet
        except av.FFmpegError:
            return  # the rest of the sound is lost; the video stays whole

    def _add_aac(self, output: OutputContainer) -> AudioStream:
        context = self._input.codec_context
        rate = context.sample_rate if context.sample_rate in (32_000, 44_100, 48_000) else 48_000
        stream = output.add_stream("aac", rate=rate)
        stream.codec_context.layout = "mono" if context.layout.nb_channels == 1 else "stereo"
        stream.codec_context.bit_rate = _AAC_BIT_RATE
        return stream


def _fits_mp4(stream: AudioStream) -> bool:
    context = stream.codec_context
    if context.name in ("aac", "aac_fixed", "aac_latm"):
        return context.name == "aac" and bool(
            context.extradata
        )  # without it (ADTS) the mp4 would lack the decoder's settings
    return context.name in ("mp3", "mp3float") and context.sample_rate >= _LOWEST_MP3_RATE
