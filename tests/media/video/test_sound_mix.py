"""Mixing sound of any channels, samples and rates to mono and stereo."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from sfumato.media.video.sound_mix import Mixer, gains


def frame(
    values: list[float], layout: str, format: str = "flt", rate: int = 48_000, length: int = 480
) -> av.AudioFrame:
    """A frame in which each channel has one value."""
    kind = {"u": np.uint8, "s1": np.int16, "s3": np.int32, "f": np.float32, "d": np.float64}[
        format[: 2 if format[0] == "s" else 1]
    ]
    wave = np.repeat(np.array(values)[:, None], length, axis=1)
    if np.issubdtype(kind, np.integer):
        scale = float(np.iinfo(kind).max)
        wave = wave * scale / 2 + scale / 2 if kind is np.uint8 else wave * scale
    wave = wave.astype(kind)
    made = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(wave if format.endswith("p") else wave.T.reshape(1, -1)), format=format, layout=layout
    )
    made.sample_rate = rate
    return made


@pytest.mark.parametrize("format", ["u8", "s16", "s32p", "fltp", "dbl"])
def test_samples_of_every_kind_are_the_same_sound(format: str) -> None:
    mixed = Mixer(48_000, 2).mix(frame([0.5, -0.25], "stereo", format))
    assert mixed.shape == (2, 480)
    assert mixed[:, 5] == pytest.approx([0.5, -0.25], abs=0.01)


def test_mono_is_heard_on_both_sides_and_stereo_in_mono() -> None:
    assert Mixer(48_000, 2).mix(frame([0.5], "mono"))[:, 0] == pytest.approx([0.5, 0.5])
    assert Mixer(48_000, 1).mix(frame([0.5, 0.1], "stereo"))[:, 0] == pytest.approx([0.3])


@pytest.mark.parametrize("layout", ["5.1", "5.1(side)", "7.1", "quad", "hexadecagonal", "22.2", "6 channels"])
def test_the_left_is_heard_on_the_left(layout: str) -> None:
    count = av.AudioLayout(layout).nb_channels
    left, right = Mixer(48_000, 2).mix(frame([0.8] + [0.0] * (count - 1), layout))[:, 0]
    assert left > 0.02
    assert right == 0


@pytest.mark.parametrize("layout", ["5.1", "22.2", "9 channels", "64 channels", "ambisonic 1", "3 channels"])
def test_loud_channels_together_are_not_clipped(layout: str) -> None:
    count = av.AudioLayout(layout).nb_channels
    mixed = Mixer(48_000, 2).mix(frame([1.0] * count, layout))
    assert 0.4 < mixed.max() <= 1


def test_an_order_of_the_files_own_is_mixed_by_its_names() -> None:
    mixer = Mixer(48_000, 2, ("FC", "FR", "FL"))
    left, right = mixer.mix(frame([0.0, 0.8, 0.1], "3 channels"))[:, 0]
    assert right > 4 * left > 0


def test_a_low_channel_is_left_out_and_one_alone_is_heard() -> None:
    table = gains(["FL", "FR", "LFE"], 2)
    assert table[:, 2].tolist() == [0, 0]
    assert gains(["LFE"], 2).min() == 1
    assert gains(["LFE", "LFE2"], 2).min() > 0


def test_the_rate_may_change_midway() -> None:
    mixer = Mixer(48_000, 2)
    length = sum(
        mixer.mix(piece).shape[1]
        for piece in [
            *[frame([0.5, 0.5], "stereo")] * 10,
            *[frame([0.5], "mono", rate=24_000)] * 10,
            *[frame([0.5, 0.5], "stereo", "s16", rate=44_100, length=441)] * 10,
        ]
    )
    length += mixer.flush().shape[1]
    assert length == pytest.approx(4800 + 9600 + 4800, abs=40)


def test_numbers_that_are_none_are_silence() -> None:
    assert Mixer(48_000, 2).mix(frame([float("nan"), float("inf")], "stereo"))[:, 0].tolist() == [0, 0]


@pytest.mark.parametrize(("format", "layout"), [("fltp", "7.1"), ("fltp", "hexadecagonal"), ("s64", "stereo")])
def test_many_planes_and_long_numbers_are_packed_first(format: str, layout: str) -> None:
    count = av.AudioLayout(layout).nb_channels
    packed = frame([0.8] + [0.0] * (count - 1), layout)
    packed.pts, packed.time_base = 0, Fraction(1, 48_000)
    (made,) = av.AudioResampler(format=format).resample(packed)
    mixed = Mixer(48_000, 2).mix(made)
    assert mixed.shape == (2, 480)
    assert mixed[0, 5] > 0.02
    assert mixed[1, 5] == pytest.approx(0, abs=1e-6)
