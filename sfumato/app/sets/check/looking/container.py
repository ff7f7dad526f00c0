"""What the streams of a video declare beside what a reader of frames needs. In: a path. Out: numbers and words by name.

All of these give fakes away where their writer is another one than that of the reals.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfumato.errors import MediaError
from sfumato.media.video.container import choose_sound_stream, choose_video_stream, open_media, read_packets

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

_SILENCE = -120.0  # dB of full scale: what digital silence counts as
_LONGEST = 120.0  # seconds of sound that are listened to


def stream_facts(path: Path) -> dict[str, Any]:
    """pixels, profile, encoder: words; keyframes: how many; of sound, where there is some, also sound_codec,
    sound_layout, sound_rate (Hz) and loudness (dB above silence, 0 to 120, of the root of the mean square). Raises
    MediaError.
    """
    container = open_media(path)
    try:
        video = choose_video_stream(path, container)
        context = video.codec_context
        facts: dict[str, Any] = {
            "pixels": str(context.pix_fmt or ""),
            "profile": str(context.profile or ""),
            "encoder": str(video.metadata.get("encoder") or container.metadata.get("encoder") or ""),
        }
        try:
            sound = choose_sound_stream(path, container, video)
        except MediaError:
            sound = None
        keyframes = 0
        meter = _Meter(sound) if sound is not None else None
        for packet in read_packets(container, [video, *([sound] if sound is not None else [])]):
            if packet.stream_index == video.index:
                keyframes += packet.is_keyframe
            elif meter is not None:
                meter.add(packet)
        return facts | {"keyframes": keyframes} | (meter.facts() if meter is not None else {})
    finally:
        container.close()


class _Meter:
    """Listens to packets of sound."""

    def __init__(self, sound: AudioStream) -> None:
        self._sound, self._samples, self._energy = sound, 0, 0.0

    def add(self, packet: Any) -> None:
        """What cannot be decoded is passed over."""
        import av

        rate = self._sound.rate or 1
        if self._samples / rate > _LONGEST:
            return
        try:
            frames = self._sound.codec_context.decode(packet)
        except (av.FFmpegError, ValueError):
            return
        for frame in frames:
            samples = frame.to_ndarray()
            scale = float(np.iinfo(samples.dtype.str).max) if samples.dtype.kind in "iu" else 1.0
            self._energy += float(np.square(samples.astype(np.float64) / scale).mean()) * frame.samples
            self._samples += frame.samples

    def facts(self) -> dict[str, Any]:
        mean = self._energy / self._samples if self._samples else 0.0
        level = 10 * math.log10(mean) if math.isfinite(mean) and mean > 0 else _SILENCE
        return {
            "sound_codec": self._sound.codec_context.name,
            "sound_layout": str(self._sound.codec_context.layout.name),
            "sound_rate": int(self._sound.rate or 0),
            "loudness": round(max(0.0, level - _SILENCE), 2),
        }
