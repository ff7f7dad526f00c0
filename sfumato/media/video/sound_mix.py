"""Sound of any format, which may change midway, mixed for a generated video: decoded frames in, mono or stereo samples
of one rate out.

PyAV 18 crashes on two kinds of sound. An order of channels of the file's own is freed twice: `claim_channels` takes it
away before a frame is decoded, and channels are mixed here, by their names. Of eight channels or more in planes of
their own it reads beyond the last: they are packed into one plane first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.codeccontext import AudioCodecContext

_SIDE = 0.7071  # of a channel that is heard from both sides, or from behind: -3 dB, as in ITU-R BS.775
_LEFT = {
    **dict.fromkeys(("FL", "DL", "FLC", "WL"), 1.0),
    **dict.fromkeys(("BL", "SL", "TFL", "TBL", "TSL", "SDL", "BFL", "SSL", "TTL"), _SIDE),
}
_RIGHT = {name[:-1] + "R" if name.endswith("L") else "FRC": gain for name, gain in _LEFT.items()}
_LOW = ("LFE", "LFE2")  # left out, as players do: small loudspeakers only distort it
_USUAL = {3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}  # what so many channels without names mean

_PLANES = 7  # that PyAV counts rightly
_KINDS = ("u8", "s16", "s32", "flt", "dbl")  # of samples, that NumPy has too

Samples = NDArray[np.float32]


def claim_channels(context: AudioCodecContext) -> tuple[str, ...]:
    """The channels' names, in order, where the file has an order of its own; else nothing. No frame may have been
    decoded.

    Afterwards the decoder knows such channels by their number only, and its frames are safe to touch.
    """
    layout = context.layout
    if layout.nb_channels < 1:
        return ()
    try:
        name = layout.name
    except (RuntimeError, UnicodeDecodeError):
        name = ""
    own = not name or "+" in name or " channels" in name
    names = tuple(channel.name for channel in layout.channels) if own and " channels (" in name else ()
    # The object `layout` frees the list of channels, and the decoder must not: what is set here replaces it unfreed.
    context.layout = f"{layout.nb_channels} channels" if own else name
    return names


class Mixer:
    """Mixes frames to 1 or 2 channels at one rate."""

    def __init__(self, rate: int, outputs: int, names: Sequence[str] = ()) -> None:
        """`rate`: samples a second that come out; `names`: what `claim_channels` found."""
        self._rate, self._outputs, self._names = rate, outputs, tuple(names)
        self._resampler: Any = None
        self._from = rate
        self._gains: dict[tuple[str, int], Samples] = {}
        self._packer: tuple[tuple[object, ...], Any] | None = None  # with the format that it packs

    def mix(self, frame: AudioFrame) -> Samples:
        """(channels, samples) in [-1, 1]: what is ready after this frame."""
        done = self.flush() if frame.sample_rate != self._from else self._nothing()
        self._from = frame.sample_rate
        mixed = self._gains_of(frame) @ self._samples(frame)  # (outputs, samples)
        mixed = np.clip(np.nan_to_num(mixed, nan=0.0, posinf=0.0, neginf=0.0), -1, 1).astype(np.float32)
        if frame.sample_rate != self._rate:
            mixed = self._resample(mixed)
        return np.concatenate([done, mixed], axis=1)

    def flush(self) -> Samples:
        """What the change of the rate still holds back."""
        rest = self._nothing()
        if self._resampler is not None:
            rest = np.concatenate([rest, *(piece.to_ndarray() for piece in self._resampler.resample(None))], axis=1)
        self._resampler = None
        return rest

    def _resample(self, samples: Samples) -> Samples:
        import av

        layout = "mono" if self._outputs == 1 else "stereo"
        self._resampler = self._resampler or av.AudioResampler(format="fltp", layout=layout, rate=self._rate)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate = self._from
        return np.concatenate([self._nothing(), *(p.to_ndarray() for p in self._resampler.resample(frame))], axis=1)

    def _nothing(self) -> Samples:
        return np.zeros((self._outputs, 0), np.float32)

    def _samples(self, frame: AudioFrame) -> Samples:
        """(channels, samples) as they are stored, full scale is 1."""
        import av

        kind, channels = frame.format.name.removesuffix("p"), frame.layout.nb_channels
        if kind in _KINDS and (frame.format.is_packed or channels <= _PLANES):
            return _scaled(frame.to_ndarray(), channels if frame.format.is_packed else None)
        key = frame.format.name, frame.layout.name, frame.sample_rate
        if self._packer is None or self._packer[0] != key:
            self._packer = key, av.AudioResampler(format="flt")
        pieces = [_scaled(piece.to_ndarray(), channels) for piece in self._packer[1].resample(frame)]
        return np.concatenate([np.zeros((channels, 0), np.float32), *pieces], axis=1)

    def _gains_of(self, frame: AudioFrame) -> Samples:
        layout = frame.layout
        key = layout.name, layout.nb_channels
        if key not in self._gains:
            self._gains[key] = gains(self._channels(*key, layout), self._outputs)
        return self._gains[key]

    def _channels(self, name: str, count: int, layout: Any) -> list[str]:
        import av

        if len(self._names) == count:
            return list(self._names)
        if name == f"{count} channels" and count in _USUAL:
            layout = av.AudioLayout(_USUAL[count])
        return [channel.name for channel in layout.channels]


def _scaled(stored: NDArray[Any], packed: int | None) -> Samples:
    """(channels, samples), full scale is 1, from that or from (1, samples * channels) of so many packed channels."""
    stored = stored if packed is None else stored.reshape(-1, packed).T
    if stored.dtype.kind == "f":
        return cast("Samples", stored.astype(np.float32))
    limits = np.iinfo(stored.dtype)
    half, centre = (float(limits.max) + 1 - limits.min) / 2, (float(limits.max) + 1 + limits.min) / 2
    return cast("Samples", ((stored - centre) / half).astype(np.float32))


def gains(channels: Sequence[str], outputs: int) -> Samples:
    """(outputs, channels): how much of each channel is heard in each output; no mixture exceeds 1."""
    if list(channels) in (["FL", "FR"], ["DL", "DR"]) or len(channels) == 1:
        table = np.ones((2, 1)) if len(channels) == 1 else np.eye(2)
    else:
        table = np.zeros((2, len(channels)))
        for place, name in enumerate(channels):
            table[:, place] = _heard(name)
        if not table.any():
            table[:] = 1.0  # channels that nobody named, or low ones alone
        table = np.asarray(table / np.abs(table).sum(axis=1).max())
    return np.asarray(table if outputs == 2 else table.mean(axis=0, keepdims=True), np.float32)


def _heard(name: str) -> tuple[float, float]:
    """(left, right) of one channel. Of sound from all around, the part that comes from everywhere and the one that
    tells left from right are used: two microphones that look to the sides.
    """
    if name.startswith("AMBI"):
        return {"AMBI0": (0.5, 0.5), "AMBI1": (0.5, -0.5)}.get(name, (0.0, 0.0))
    if name in _LOW or name == "NONE":
        return 0.0, 0.0
    if name in _LEFT or name in _RIGHT:
        return _LEFT.get(name, 0.0), _RIGHT.get(name, 0.0)
    return _SIDE, _SIDE
