"""Sound for a generated video: the sound of another file in, packets for an mp4 out, cut to the video's length.

AAC and MP3 are copied bit by bit if nothing is missing in them; what an mp4 in a browser cannot play is encoded anew as
AAC, with silence where sound is missing. Time 0 is the other file's first frame that can be shown, on the clock that
VideoReader follows, so that a face driven by that file keeps its lips in time with its voice.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfumato.errors import MediaError
from sfumato.media.video.container import choose_sound_stream, open_media, read_packets
from sfumato.media.video.reader import VideoReader
from sfumato.media.video.sound_mix import Mixer, Samples, claim_channels
from sfumato.media.video.survey import LARGEST_DRIFT, survey

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

_AAC_BIT_RATE = 128_000  # transparent for speech in stereo
_LOWEST_MP3_RATE = 16_000  # below, an mp4 may not hold MP3
_SILENCE = 4096  # samples of silence made at a time


class SoundTrack:
    """Feeds the sound of `source` into `output`, as far as the picture has come."""

    def __init__(self, source: Path, output: OutputContainer) -> None:
        """Adds an audio stream to `output`; it must not have been written to yet.

        Raises MediaError if `source` cannot be opened, holds no sound that can be decoded, or none beside its picture.
        """
        self._source = source
        picture, zero = _first_picture(source)
        self._container = open_media(source)
        try:
            video: Any = self._container.streams[picture] if picture is not None else None
            self._input = choose_sound_stream(source, self._container, video)
            self._names = claim_channels(self._input.codec_context)
            self._survey = survey(source, picture, self._input.index)
            self._zero = float((self._input.start_time or 0) * (self._input.time_base or 0)) if zero is None else zero
            self._heard = self._moved = False
            if _fits_mp4(self._input) and self._survey.steady:
                self._stream: AudioStream = output.add_stream_from_template(self._input)
                self._packets = self._copied()
            else:
                self._refuse_unsafe()
                self._stream = self._add_aac(output)
                self._packets = self._encoded()
            self._output = output
            self._next = next(self._packets, None)
            if self._next is None:
                fault = "has no sound beside its picture" if self._heard else "holds no sound that can be decoded"
                raise MediaError(f"{source} {fault}", "Leave the sound out, or name another file that has some.")
        except BaseException:
            self._container.close()
            raise

    def advance(self, until: float) -> None:
        """Writes all sound that begins before `until`, in seconds of the video."""
        while self._next is not None and self._next[0] < until:
            self._output.mux(self._next[1])
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Frees the source file."""
        self._packets.close()
        self._container.close()

    def _copied(self) -> Any:
        """(time, packet) of the source's own packets; those before the first frame are left out."""
        for packet in read_packets(self._container, [self._input]):
            if packet.pts is None or packet.is_discard:
                continue
            self._heard = True
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

        rate, context = self._stream.rate, self._stream.codec_context
        layout = context.layout.name
        context.open()
        length = context.frame_size or 1024
        waiting = np.zeros((context.layout.nb_channels, 0), np.float32)
        given = 0

        def encode(samples: Samples) -> Iterator[Any]:
            nonlocal given
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, given, Fraction(1, rate)
            given += samples.shape[1]
            yield from self._stream.encode(frame)

        for samples in self._placed(Mixer(rate, context.layout.nb_channels, self._names), rate):
            waiting = np.concatenate([waiting, samples], axis=1)
            while waiting.shape[1] >= length:
                piece, waiting = waiting[:, :length], waiting[:, length:]
                yield from _timed(encode(piece))
        if waiting.shape[1]:
            yield from _timed(encode(waiting))
        if given:
            yield from _timed(self._stream.encode(None))

    def _placed(self, mixer: Mixer, rate: int) -> Iterator[Samples]:
        """(channels, samples) one after the other from time 0 on: silence where there is no sound, and where pieces
        overlap only the first.
        """
        written = skipped = 0  # samples that went out, and samples still to be left out
        due: float | None = None  # where the next sample belongs if sound goes on without a gap
        for frame in self._decoded():
            place = (frame.time - self._zero) * rate if frame.time is not None else None
            if place is not None and (due is None or self._moved or abs(place - due) > LARGEST_DRIFT * rate):
                self._moved = False
                rest = mixer.flush()[:, skipped:]
                written += rest.shape[1]
                yield rest
                due = place
                lack, skipped = max(0, round(place) - written), max(0, written - round(place))
                for start in range(0, lack, _SILENCE):
                    yield np.zeros((rest.shape[0], min(_SILENCE, lack - start)), np.float32)
                written += lack
            samples = mixer.mix(frame)
            due = (due or 0.0) + frame.samples * rate / frame.sample_rate
            kept = samples[:, skipped:]
            skipped -= samples.shape[1] - kept.shape[1]
            written += kept.shape[1]
            yield kept
        yield mixer.flush()[:, skipped:]

    def _decoded(self) -> Iterator[Any]:
        """Decoded frames with their times on the clock that the picture has."""
        moves = list(self._survey.moves)
        shift = 0
        for number, packet in enumerate(read_packets(self._container, [self._input])):
            while moves and number >= moves[0][0]:
                shift = round(moves.pop(0)[1] / packet.time_base)
                self._moved = True
            packet.pts = packet.pts + shift if packet.pts is not None else None
            packet.dts = packet.dts + shift if packet.dts is not None else None
            yield from self._frames(packet)
        yield from self._frames(None)

    def _frames(self, packet: Any) -> Iterator[Any]:
        import av

        try:
            frames = self._input.decode(packet)
        except (av.FFmpegError, ValueError):
            return  # a damaged packet: silence keeps its place
        for frame in frames:
            if frame.samples and frame.sample_rate:
                self._heard = True
                yield frame

    def _refuse_unsafe(self) -> None:
        """Refuses what may give frames an order of channels of their own while it is decoded: see `sound_mix`."""
        context = self._input.codec_context
        if context.name.startswith("aac") and "xHE" in str(context.profile):
            raise MediaError(
                f"{self._source} holds sound (xHE-AAC) that cannot be used",
                "Convert it to AAC, or leave the sound out.",
            )

    def _add_aac(self, output: OutputContainer) -> AudioStream:
        context = self._input.codec_context
        rate = context.sample_rate if context.sample_rate in (32_000, 44_100, 48_000) else 48_000
        stream = output.add_stream("aac", rate=rate)
        stream.codec_context.layout = "mono" if context.layout.nb_channels == 1 else "stereo"
        stream.codec_context.bit_rate = _AAC_BIT_RATE
        return stream


def _first_picture(source: Path) -> tuple[int | None, float | None]:
    """The index of the video stream and its first frame's time on the file's clock; None for sound alone."""
    try:
        with VideoReader(source, max_side=16) as video:
            return video.info.stream, video.info.start
    except MediaError:
        return None, None


def _timed(packets: Any) -> Iterator[Any]:
    for packet in packets:
        yield float((packet.pts or 0) * packet.time_base), packet


def _fits_mp4(stream: AudioStream) -> bool:
    context = stream.codec_context
    if context.name in ("aac", "aac_fixed", "aac_latm"):
        return context.name == "aac" and bool(
            context.extradata
        )  # without it (ADTS) the mp4 would lack the decoder's settings
    return context.name in ("mp3", "mp3float") and context.sample_rate >= _LOWEST_MP3_RATE
