"""What a file's logit is held to: thresholds by false-positive rate, where among them a logit lies, of which reals they
hold, and which files they say nothing of.

In: the thresholds of a calibration, a logit, the rate at which a scan flags. Out: a `Band`. Whether a file is flagged
is decided by its band and by nothing else: it is FLAGGED or above.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from detector.inference.fusion import probability
from detector.inference.quality_norm import QUANTITIES
from sfumato.limits import JUDGED_FRAMES
from sfumato.text import printable

STRONG_FPR = 0.001  # a score above the threshold of this rate, or of a stricter one, is strong
_NAMED = 3  # sources that are named in one sentence
_LONGEST = 64  # characters of a source's name: a collection with what its pictures went through
_LARGEST = 1e6  # of any number of a record
_FAMILIES = {
    "H.264 and later": {"h264", "hevc", "vvc", "vp8", "vp9", "av1"},  # blocks smoothed after decoding
    "MPEG-4 and earlier": {
        "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3", "h261", "h263", "h263p", "flv1",
        "wmv1", "wmv2", "wmv3", "vc1", "theora", "vp6", "vp6f",
    },
    "single pictures": {
        "mjpeg", "mjpegb", "jpeg2000", "prores", "dnxhd", "dvvideo", "cfhd", "ffv1", "huffyuv", "ffvhuff", "utvideo",
        "rawvideo", "v210", "png", "gif", "apng", "webp", "qtrle",
    },
}  # fmt: skip


class Band(IntEnum):
    """Where a score lies among the thresholds."""

    NONE = -1  # no score
    LOW = 0  # not above the loosest threshold
    RAISED = 1  # above the loosest, not above the one that flags
    FLAGGED = 2  # above the threshold that flags (1 % unless asked otherwise)
    STRONG = 3  # above the strictest (0.1 %), where the calibration carries one

    @property
    def flagged(self) -> bool:
        """Whether the scan flags a file of this band."""
        return self >= Band.FLAGGED


@dataclass(frozen=True)
class Source:
    """A group of the reals of a calibration, such as a collection. n_real: its people; rates: {false-positive rate:
    with which probability, at most, a new real of the group exceeds the threshold of that rate}. Above the rate itself
    where the group is too small to tell.
    """

    name: str
    n_real: int
    rates: Mapping[float, float]

    def carries(self, rate: float) -> bool:
        """Whether the threshold of a false-positive rate holds for reals of this group."""
        return self.rates.get(rate, 1.0) <= rate + 1e-9


@dataclass(frozen=True)
class Coverage:
    """What a calibration looked at. ranges: {quantity: (lowest, highest)}, None for an open end; codecs: families of
    the videos' codecs, empty where they are not known; n: of how many files.
    """

    ranges: Mapping[str, tuple[float | None, float | None]]
    codecs: tuple[str, ...] = ()
    n: int = 0

    def outside(self, seen: Mapping[str, float], codec: str | None) -> tuple[str, ...]:
        """A sentence for each quantity that lies outside, and for a codec of another family. codec: as FFmpeg names it,
        None for a picture.
        """
        told = []
        for name, (low, high) in self.ranges.items():
            value = seen.get(name)
            if value is not None and ((low is not None and value < low) or (high is not None and value > high)):
                told.append(f"{_called(name, value)}; the calibration's reals had {_between(name, low, high)}.")
        if codec is not None and self.codecs and codec_family(codec) not in self.codecs:
            theirs = ", ".join(printable(family, 40) for family in self.codecs)
            told.append(f"The codec is {printable(codec, 40)}; the calibration's reals had {theirs}.")
        return tuple(told)

    def as_json(self) -> dict[str, Any]:
        """{"n", "ranges": {quantity: [lowest, highest]}, "codecs"}."""
        return {
            "n": self.n,
            "ranges": {name: list(ends) for name, ends in self.ranges.items()},
            "codecs": [*self.codecs],
        }

    @classmethod
    def from_json(cls, record: Any) -> Coverage:
        """Raises ValueError, KeyError, TypeError or AttributeError for a record that is none."""
        ranges = {str(name): (_end(low), _end(high)) for name, (low, high) in record["ranges"].items()}
        if unknown := sorted(set(ranges) - set(QUANTITIES)):
            raise ValueError(f"the quantity {unknown[0]!r}")
        return cls(ranges, tuple(str(name) for name in record["codecs"]), int(record["n"]))


def codec_family(codec: str) -> str:
    """Codecs that leave traces of one kind; one that is of none is its own family."""
    return next((family for family, members in _FAMILIES.items() if codec in members), codec)


@dataclass(frozen=True)
class KeyframeRule:
    """Which logits of a few keyframes say, of a video, what one of all its sampled frames would say.

    frames: so many keyframes, evenly spaced among all; bounds: {false-positive rate: (low, high)}: below low the video
    lies below the threshold of that rate, above high above it; between them nothing is said. risk: with which
    probability, at most, a new video of those that it was set on lies below low and yet above the threshold, and the
    same of high; n: how many of them, by label, one a person.
    """

    frames: int
    bounds: Mapping[float, tuple[float, float]]
    risk: float
    n: Mapping[str, int] = field(default_factory=dict)

    def decides(self, logit: float | None, logits: Mapping[float, float]) -> bool:
        """Whether a logit of keyframes says that the video lies below all of the thresholds `logits`, or above all.
        Between two of them it says nothing: there what the other frames add decides too often.
        """
        if logit is None or not set(logits) <= set(self.bounds):
            return False
        bounds = [self.bounds[rate] for rate in logits]
        return all(logit < low for low, _ in bounds) or all(logit > high for _, high in bounds)

    def as_json(self) -> dict[str, Any]:
        """As the section of detector.json has it."""
        bounds = {str(rate): list(ends) for rate, ends in self.bounds.items()}
        return {"frames": self.frames, "bounds": bounds, "risk": self.risk, "n": dict(self.n)}

    @classmethod
    def from_json(cls, record: Any) -> KeyframeRule:
        """Raises ValueError, KeyError, TypeError or AttributeError for a record that is none."""
        bounds = {float(rate): (_bound(low), _bound(high)) for rate, (low, high) in record["bounds"].items()}
        if any(low > high for low, high in bounds.values()):
            raise ValueError("the keyframes' bounds, of which one is turned round")
        n = {str(label): int(count) for label, count in record["n"].items()}
        return cls(_frames(record["frames"]), bounds, float(record["risk"]), n)


@dataclass(frozen=True)
class Thresholds:
    """The thresholds for files of one kind, pictures or videos.

    logits: {false-positive rate in (0, 1): calibrated logit that a real file exceeds with a probability of at most that
    rate}; empty without a calibration. n_real: how many real clips they were set on, one a person. calibration: the
    first 16 hex digits of its digest. sources: its groups, and how far the thresholds hold for each; covers: what files
    it looked at; frames: at most so many of each video; keyframes: where a few of them say as much. None, and no
    sources, where they are not known.
    """

    logits: Mapping[float, float] = field(default_factory=dict)
    n_real: int | None = None
    calibration: str | None = None
    sources: tuple[Source, ...] = ()
    covers: Coverage | None = None
    frames: int | None = None
    keyframes: KeyframeRule | None = None

    def exceeded(self, logit: float) -> tuple[float, ...]:
        """The rates whose thresholds a calibrated logit exceeds, the strictest first. Equal is not above."""
        return tuple(sorted(rate for rate, threshold in self.logits.items() if logit > threshold))

    def band(self, logit: float | None, fpr: float) -> Band:
        """The band of a calibrated logit; None: of a file without one. fpr: the false-positive rate that flags.

        Thresholds of looser rates than `fpr` raise, that of `fpr` flags, stricter ones from STRONG_FPR on are strong.
        """
        if logit is None:
            return Band.NONE
        exceeded = self.exceeded(logit)
        if not exceeded:
            return Band.LOW
        if exceeded[0] <= min(fpr, STRONG_FPR):
            return Band.STRONG
        return Band.FLAGGED if exceeded[0] <= fpr else Band.RAISED

    def logit(self, fpr: float) -> float | None:
        """The threshold of a false-positive rate as a calibrated logit; None where the calibration carries none."""
        return next((threshold for rate, threshold in self.logits.items() if abs(rate - fpr) < 1e-9), None)

    def score(self, fpr: float) -> float | None:
        """The same as a calibrated probability in [0, 1]."""
        found = self.logit(fpr)
        return None if found is None else float(probability(found))

    def reals(self, rate: float) -> str:
        """Of which real clips more than a share of 1 - rate lie at or below the threshold of a rate: words that go on
        after "more than 9 in 10". True by count of the clips that it was set on; "" where no source has enough of them.
        """
        carried = [source for source in self.sources if source.carries(rate)]
        few = len(self.sources) - len(carried)
        if not self.sources or (len(carried) == 1 and not few):
            return "of the real clips that it was calibrated on"
        if not carried:
            return ""
        if not few:
            return f"of the real clips of each of the {len(carried)} sources that it was calibrated on"
        others = "another source has" if few == 1 else f"{few} other sources have"
        names = " and of ".join(printable(source.name, _LONGEST) for source in carried[:_NAMED])
        names += f" and of {len(carried) - _NAMED} more" if len(carried) > _NAMED else ""
        return f"of the real clips that it was calibrated on of {names} ({others} too few to say so)"

    def holds_for(self, rate: float) -> str:
        """Words that go on after "set on 99 real videos": of how many sources, and what the threshold of a rate is
        worth for those with too few clips. Empty for one source, or where they are not known.
        """
        if len(self.sources) < 2:
            return ""
        weak = sorted((s for s in self.sources if not s.carries(rate)), key=lambda s: -s.rates.get(rate, 1.0))
        told = [f"{s.rates.get(rate, 1.0):.1%} of {printable(s.name, _LONGEST)}" for s in weak[:_NAMED]]
        told += [f"less of {len(weak) - _NAMED} more"] if len(weak) > _NAMED else []
        limits = f" (up to {', '.join(told)} may exceed it: too few clips to say less)" if told else ""
        return f" of {len(self.sources)} sources{limits}"

    def as_json(self) -> dict[str, Any]:
        """{"0.1": score, ..., "logit": {"0.1": logit, ...}, "n_real", "calibration"}; the keys are rates. Where they
        are known also "sources": {name: {"n_real", "rates"}} and "frames".
        """
        scores = {f"{rate:g}": float(probability(threshold)) for rate, threshold in self.logits.items()}
        logits = {f"{rate:g}": threshold for rate, threshold in self.logits.items()}
        sources = {
            source.name: {
                "n_real": source.n_real,
                "rates": {f"{rate:g}": carried for rate, carried in source.rates.items()},
            }
            for source in self.sources
        }
        more: dict[str, Any] = {"sources": sources} if sources else {}
        more |= {"frames": self.frames} if self.frames is not None else {}
        return {**scores, "logit": logits, "n_real": self.n_real, "calibration": self.calibration, **more}

    @classmethod
    def from_json(cls, calibration: Any) -> Thresholds:
        """Of a section of detector.json. Raises ValueError, KeyError, TypeError or AttributeError for what is none."""
        sources = tuple(
            Source(str(name), int(group["n"]), {float(rate): float(value) for rate, value in group["rates"].items()})
            for name, group in calibration.get("groups", {}).items()
        )
        covers, frames = calibration.get("covers"), calibration.get("frames")
        return cls(
            {float(rate): float(threshold) for rate, threshold in calibration["thresholds"].items()},
            calibration.get("n_real"),
            calibration.get("id"),
            sources,
            None if covers is None else Coverage.from_json(covers),
            None if frames is None else _frames(frames),
            KeyframeRule.from_json(calibration["keyframes"]) if calibration.get("keyframes") else None,
        )


def in_words(logits: Mapping[str, float]) -> str:
    """{false-positive rate: logit} of detector.json, as `scan` shows scores."""
    return ", ".join(f"{probability(logit):.3f} at {float(rate):g}" for rate, logit in logits.items())


def other_frames(set_with: int, looked_at: int) -> str:
    """Words about thresholds of videos that were set with another number of frames than a video is looked at with."""
    return f"The thresholds were set with {set_with} frames a video, and {looked_at} were asked for"


def _frames(value: Any) -> int:
    """How many frames a record names. Raises ValueError for what is no number of frames, or more than may be asked."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= JUDGED_FRAMES.most:
        raise ValueError(f"frames, {printable(str(value), 20)}: they are 1 to {JUDGED_FRAMES.most} of a video")
    return value


def _bound(value: Any) -> float:
    """Raises ValueError for what is no number, or none that a logit could be."""
    if isinstance(value, bool) or not abs(number := float(value)) <= _LARGEST:
        raise ValueError(f"the keyframes' bound {printable(str(value), 20)}")
    return number


def _called(name: str, value: float) -> str:
    if name == "face":
        return f"The face is {value:.0f} px"
    if name == "contrast":
        return f"The face's contrast is {value:.1f} (a logarithm)"
    look, size, unit = name.split(" ")
    return f"The {look} of detail of {size} {unit} is {value:.1f} (a logarithm)"


def _between(name: str, low: float | None, high: float | None) -> str:
    digits, unit = (0, " px") if name == "face" else (1, "")
    if low is None or high is None:
        return f"{low:.{digits}f}{unit} or more" if low is not None else f"{high:.{digits}f}{unit} or less"
    return f"{low:.{digits}f} to {high:.{digits}f}{unit}"


def _end(value: Any) -> float | None:
    """One end of a range. Raises ValueError for what is no number, or none that a picture could have."""
    if value is None:
        return None
    if not abs(number := float(value)) <= _LARGEST:  # NaN is not, either
        raise ValueError(f"the range that ends at {number}")
    return number
