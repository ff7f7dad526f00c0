"""What configures the detector: the net, the samples it sees, its training and its calibration. One frozen dataclass
each.

Read from TOML and `--set section.key=value`; stored whole beside the weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sfumato.errors import ConfigError
from sfumato.limits import JUDGED_FRAMES

HEADS = ("blend", "synthesis")  # of the net
LAYER_HEADS = ("blend-layers", "synthesis-layers")  # the same two, read from all layers of the finished net
MOTION = "motion"  # how a face moves through a video
# Of pictures one head of each kind is asked, where it was taught: seams the net has learnt from photographs, generated
# pictures only what reads all layers. What the others say of pictures is about photographs.
PICTURE_HEADS = {"blend": "blend", "synthesis": "synthesis-layers"}
KINDS = ("blend", "synthesis", MOTION)  # of evidence
SCAN_FPR = 0.01  # the false-positive rate at which a scan flags unless told otherwise
SCAN_FRAMES = 32  # of a video that are judged where it is not known with how many its thresholds were set
FRAMES_RULE = f"as the thresholds were set, else {SCAN_FRAMES}"  # ShippedDetector.frames, as --help says it
FAMILY_HEADS: dict[str, tuple[str, ...]] = {  # which evidence a family of fakes teaches; reals teach both heads
    "blend": ("blend",),
    "reenact": ("synthesis",),
    "synthesis": ("synthesis",),
    "composite": ("blend", "synthesis"),
}
TAUGHT_BY: dict[str, tuple[str, ...]] = {  # the families whose fakes teach a head that is learnt on the finished net
    "blend-layers": ("blend", "composite"),
    "synthesis-layers": ("reenact", "synthesis"),
    MOTION: ("reenact",),  # a lip-sync moves a real head
}
_MIX = {  # of a batch's pairs; what a data set lacks leaves its share to the others
    "self-blend": 0.3,
    "swap": 0.15,
    "lip-sync": 0.0,  # made on the fly, and only where a mix asks for it: none that was measured has learnt from it
    "blend": 0.05,  # listed ones: other people's swaps
    "reenact": 0.3,
    "synthesis": 0.1,
    "composite": 0.1,
}


@dataclass(frozen=True)
class ModelConfig:
    """The net. Any timm backbone by name."""

    # ImageNet weights come from the package index, so a pretrained start needs no model hub
    backbone: str = "tf_efficientnet_lite0"
    size: int = (
        160  # px of the crop: a 128 px generator's traces survive it, and a training step costs half of one at 224
    )
    frequency: bool = False  # a small second branch that sees only the high frequencies
    dropout: float = 0.2  # before the heads; the data are few people
    mirrored: bool = True  # judge each crop as it is and mirrored, by the mean: fewer odd reals for twice the time
    pretrained: Literal["auto", "none"] = (
        "auto"  # auto: weights found on this machine, otherwise from scratch; never a download
    )
    weights: Path | None = None  # a timm backbone saved as safetensors; overrides `pretrained`

    def __post_init__(self) -> None:
        _require(32 <= self.size <= 1024, "model.size", self.size, "a side from 32 to 1024 px")
        _require(0 <= self.dropout < 1, "model.dropout", self.dropout, "at least 0 and below 1")


@dataclass(frozen=True)
class SampleConfig:
    """Which crops are cut and how pairs are drawn from them."""

    frames_per_clip: int = 12  # many people and few frames teach more than few people and many frames
    stored_side: int = 288  # px of a cached crop at most; smaller faces stay at their own resolution
    min_face: int = 40  # px; below it nothing but the codec is left to see
    mix: Mapping[str, float] = field(
        default_factory=lambda: dict(_MIX)
    )  # by method ("swap" is every swap-...) or by family
    autoencoder: Path | None = (
        None  # reconstructs real crops on the fly, as family "synthesis"; without it only listed clips do
    )
    leave_out: tuple[str, ...] = ()  # methods or families that are not learnt from, nor used to choose or calibrate
    shuffled: bool = False  # exchange real and fake in half of the pairs: a control, whose detector must know nothing
    filmed_share: float = 0.0  # pairs made on the fly that are of people with a video; the others are of anybody
    twin_codec_share: float = 0.9  # pairs of a still and a video whose still gets the H.264 pass that the other had
    match_sharpness_share: float = (
        0.6  # twins brought to one sharpness, so that blur cannot mean fake; strangers are all
    )
    # frames drawn of a listed fake, of which the one least like its twin is learnt from: at rest a warp shows nothing
    looks: int = 1
    scale_jitter: float = 0.1  # of the crop's side, either way
    shift_jitter: float = 0.04  # of the crop's side, each axis: the detector's box is no better than that

    def __post_init__(self) -> None:
        most = JUDGED_FRAMES.most  # the record of the detector says how many there were
        _require(1 <= self.frames_per_clip <= most, "samples.frames_per_clip", self.frames_per_clip, f"1 to {most}")
        _require(1 <= self.looks <= 16, "samples.looks", self.looks, "1 to 16 frames")
        _require(64 <= self.stored_side <= 1024, "samples.stored_side", self.stored_side, "from 64 to 1024 px")
        for name in ("filmed_share", "twin_codec_share", "match_sharpness_share"):
            _require(0 <= getattr(self, name) <= 1, f"samples.{name}", getattr(self, name), "a share from 0 to 1")
        mixed = all(0 <= share < math.inf for share in self.mix.values()) and sum(self.mix.values()) > 0
        _require(mixed, "samples.mix", self.mix, "shares above 0")
        _require(
            0 <= self.scale_jitter <= 0.12,
            "samples.scale_jitter",
            self.scale_jitter,
            "0 to 0.12: the cached crop ends there",
        )
        _require(
            0 <= self.shift_jitter <= 0.06,
            "samples.shift_jitter",
            self.shift_jitter,
            "0 to 0.06: the cached crop ends there",
        )


@dataclass(frozen=True)
class DegradeConfig:
    """How often each pass is drawn; both pictures of a pair always get the same pass."""

    colour: float = 0.3
    tone: float = 0.35  # gamma, tint, saturation down to grey: paintings, old film, odd lamps
    resize: float = 0.35  # down and up again: uploads and messengers do it
    blur: float = 0.2
    noise: float = 0.15
    jpeg: float = 0.4
    h264: float = 0.35  # of those that were not made smaller
    worst_crf: int = 35  # of H.264, whose best is 18; past 40 little is left to learn from
    # made smaller, left so and mostly encoded again: messengers do it, and an encoder then spends its bits on less
    shrink: float = 0.0
    generator_side: int = 128  # px our generator works at; reals must be seen at that sharpness too
    generator_side_share: float = 0.25

    def __post_init__(self) -> None:
        for name in ("colour", "tone", "resize", "blur", "noise", "jpeg", "h264", "shrink", "generator_side_share"):
            _require(0 <= getattr(self, name) <= 1, f"degrade.{name}", getattr(self, name), "a probability")
        _require(18 <= self.worst_crf <= 51, "degrade.worst_crf", self.worst_crf, "18 to 51")
        _require(self.generator_side >= 32, "degrade.generator_side", self.generator_side, "at least 32 px")


@dataclass(frozen=True)
class TrainConfig:
    """How the net is fitted. A budget in minutes, in steps, or both: whichever ends first."""

    minutes: float = 10.0
    steps: int = 0  # 0: by minutes alone; with steps alone the same seed gives the same weights
    pairs: int = 12  # in a batch: 24 pictures, enough for batch statistics, small enough for one core
    pair_weight: float = 0.0  # of the loss that asks each fake to lie above its own twin, beside that of the two apart
    # of the budget on crops of train.small_size: many cheap steps for what is coarse, before those for the fine
    small_share: float = 0.0
    small_size: int = 112  # px; the net's part of a step costs a third of one at 192
    head_share: float = 0.06  # of the budget with the backbone frozen, so that random heads do not spoil it
    # first groups of layers (stem, then stages) that keep their weights: a third less time, and better on few people
    frozen: int = 3
    tune: Literal["all", "norm"] = (
        "all"  # norm: of the backbone only scale and offset of its norm layers; little data, or little time
    )
    head_rate: float = 2e-3
    rate: float = 4e-4  # AdamW, cosine to a hundredth; short runs need the larger end
    weight_decay: float = 0.02
    start: Path | None = (
        None  # to go on from: detector.safetensors of an earlier run, or a folder that an export wrote; of the same net
    )
    ema: float = 0.99  # averages over about 100 steps; a short run has under 1,000
    validations: int = 4
    validation_pairs: int = 320  # in all, over the methods
    seed: int = 0
    workers: int = 0  # processes that prepare batches (a tenth of a step's time); 0: none, right for one core
    precision: Literal["fp32", "bf16"] = "fp32"  # of the net's part of a step; bf16 is for GPUs
    compile: bool = False  # fuse layers with torch.compile, which needs a C++ compiler and its time at the start
    device: str = "auto"

    def __post_init__(self) -> None:
        _require(self.pair_weight >= 0, "train.pair_weight", self.pair_weight, "0 or more")
        _require(self.minutes > 0, "train.minutes", self.minutes, "above 0")
        _require(self.steps >= 0, "train.steps", self.steps, "0 or more")
        _require(self.pairs >= 2, "train.pairs", self.pairs, "at least 2: batch statistics need several pictures")
        _require(0 <= self.small_share < 1, "train.small_share", self.small_share, "at least 0 and below 1")
        _require(32 <= self.small_size <= 1024, "train.small_size", self.small_size, "a side from 32 to 1024 px")
        _require(0 <= self.head_share < 1, "train.head_share", self.head_share, "at least 0 and below 1")
        _require(self.frozen >= 0, "train.frozen", self.frozen, "0 or more groups")
        _require(0 <= self.ema < 1, "train.ema", self.ema, "at least 0 and below 1")
        _require(self.rate > 0 and self.head_rate > 0, "train.rate", self.rate, "above 0")
        _require(self.workers >= 0, "train.workers", self.workers, "0 or more")
        _require(self.validations >= 1, "train.validations", self.validations, "at least 1")


@dataclass(frozen=True)
class HeadsConfig:
    """The heads that are learnt on the finished net from listed fakes: lines through what all its layers see, and
    through how faces move. Strengths: of what the clips say against the pull of every weight to 0.
    """

    layers: bool = True
    motion: bool = True
    frames: int = 8  # of a clip, for the layers
    layer_strength: float = 3.0
    motion_strength: float = 4.0
    acted_strength: float = 100.0  # of the line of motions by rules: hundreds teach it, so its weights are pulled less

    def __post_init__(self) -> None:
        _require(1 <= self.frames <= 64, "heads.frames", self.frames, "1 to 64")
        for name in ("layer_strength", "motion_strength", "acted_strength"):
            _require(0 < getattr(self, name) <= 1e4, f"heads.{name}", getattr(self, name), "above 0")


@dataclass(frozen=True)
class CalibrationConfig:
    """Thresholds by the conformal rule; an alpha below 1 / (n + 1) is left out, and the record says so."""

    alphas: tuple[float, ...] = (
        0.1,
        0.01,
        0.001,
    )  # "inconclusive", "suspicious", "likely-synthetic" of the verdict begin there
    copies: int = 8  # of each real of the validation split, of all qualities, for the quality norm; 0: no norm
    test: bool = True  # measure on the split test; a detector that is only to be compared with others does without
    fit_share: float = 0.25  # of the calibration identities fit the stack; the others set the thresholds

    def __post_init__(self) -> None:
        _require(
            len(self.alphas) > 0 and all(0 < a < 1 for a in self.alphas),
            "calibration.alphas",
            self.alphas,
            "between 0 and 1",
        )
        _require(0 <= self.copies <= 100, "calibration.copies", self.copies, "0 to 100")
        _require(0 < self.fit_share < 1, "calibration.fit_share", self.fit_share, "between 0 and 1")


@dataclass(frozen=True)
class DetectorConfig:
    model: ModelConfig = field(default_factory=ModelConfig)
    samples: SampleConfig = field(default_factory=SampleConfig)
    degrade: DegradeConfig = field(default_factory=DegradeConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    heads: HeadsConfig = field(default_factory=HeadsConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)

    def __post_init__(self) -> None:
        small = self.train.small_share == 0 or self.train.small_size < self.model.size
        _require(small, "train.small_size", self.train.small_size, f"below model.size, {self.model.size}")


def _require(holds: bool, name: str, value: object, rule: str) -> None:
    if not holds:
        raise ConfigError(f"{name} is {value!r}", f"It must be {rule}.")
