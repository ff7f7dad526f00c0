"""What can be set for the networks, the losses and the training; each default carries its reason.

`paper` in a comment refers to arXiv 1905.08233, section 3 or 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sfumato.errors import ConfigError


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(message)


@dataclass(frozen=True)
class ModelConfig:
    """Shape of E, G and D. At size 256, width 64, max_width 512 they are the paper's networks."""

    family: str = "zakharov2019"
    size: int = 256  # pixels; paper
    width: int = 64  # channels of the first block; paper
    max_width: int = 512  # channels at most, and N, the length of the embedding; paper
    same_blocks: int = 5  # residual blocks at the bottleneck; the count that gives the paper's 38 M
    encoder_attention: int = 32  # resolution with self-attention in E, D and G's encoder; paper; 0: none
    decoder_attention: int = 64  # the same in G's decoder; paper; 0: none (most of its cost on a CPU)
    spectral_norm: bool = True  # paper; E and G may go without in a short CPU run, D never does
    unit_embedding: bool = (
        False  # P reads e / |e|: E has no norm layers, and in a short fast run |e| grows until P kills G's features
    )
    bottleneck: int = 16  # resolution of G's residual blocks; paper
    # pixels folded into channels in front of E, G and D (and unfolded behind G); 2 makes a CPU step 3 times cheaper
    stem: int = 1
    warps: int = 2  # warp family: how many of the nearest source frames are warped in
    flow_reach: float = 0.15  # warp family: the refining flow's limit, in half picture widths; wider and it tears
    mouth: int = 0  # warp family: channels of the painter of open mouths (generator/networks/mouth.py); 0: none

    def __post_init__(self) -> None:
        _require(
            self.size >= 32 and self.size & (self.size - 1) == 0,
            f"size is {self.size}; it must be a power of two from 32 up",
        )
        # far above every preset: a checkpoint of strangers brings a configuration, and networks are built by it
        _require(self.size <= 1024 and self.max_width <= 1024, "size and max_width must be at most 1024")
        _require(self.same_blocks <= 16 and self.warps <= 16, "same_blocks and warps must be at most 16")
        _require(1 <= self.width <= self.max_width, f"width is {self.width}; it must lie between 1 and max_width")
        _require(self.max_width % 8 == 0 and self.width % 8 == 0, "width and max_width must be multiples of 8")
        _require(self.stem in (1, 2, 4), f"stem is {self.stem}; it must be 1, 2 or 4")
        inner = self.size // self.stem
        _require(4 < self.bottleneck <= inner, f"bottleneck is {self.bottleneck}; it must lie between 8 and {inner}")
        _require(self.bottleneck & (self.bottleneck - 1) == 0, "bottleneck must be a power of two")
        _require(self.same_blocks >= 0 and self.warps >= 1, "same_blocks must be 0 or more, warps 1 or more")
        _require(
            0 <= self.mouth <= 64 and self.mouth % 8 == 0, f"mouth is {self.mouth}; it must be a multiple of 8 up to 64"
        )
        _require(0 <= self.flow_reach <= 1, f"flow_reach is {self.flow_reach}; it must lie in [0, 1]")


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses; 0 switches one off."""

    vgg19: float = 0.15  # L_CNT, paper's second version (first: 1e-2); needs vgg19_weights
    vggface: float = 0.025  # L_CNT, paper's second version (first: 2e-3); needs vggface_weights
    vgg19_weights: str = ""  # a file of Caffe-trained VGG19 weights (.safetensors or .pth)
    vggface_weights: str = ""  # the same of VGGFace, a VGG16
    lite0: float = 0.0  # stands in for VGG19 where its weights are not at hand
    pixel: float = 0.0  # L1 on pixels; not in the paper, what keeps a short run stable
    structure: float = 0.0  # 1 - SSIM; not in the paper
    identity: float = 0.0  # 1 - cosine of SFace embeddings; stands in for VGGFace
    adversarial: float = 1.0  # L_ADV
    feature_matching: float = 10.0  # L_FM, paper
    match: float = 10.0  # L_MCH, paper's second version (first: 80)
    match_reaches_embedder: bool = True  # paper; False kept E alive in 6 of 6 short runs
    adversary_from: float = (
        0.0  # share of the run after which L_ADV, L_FM, L_MCH and D take part; late is better on small data
    )
    mouth: float = 0.0  # extra pixel weight inside the lips, where a warp knows nothing

    def __post_init__(self) -> None:
        for name in (
            "vgg19",
            "vggface",
            "lite0",
            "pixel",
            "structure",
            "identity",
            "adversarial",
            "feature_matching",
            "match",
            "mouth",
        ):
            _require(getattr(self, name) >= 0, f"loss.{name} must not be negative")
        _require(0 <= self.adversary_from <= 1, "loss.adversary_from must lie in [0, 1]")


@dataclass(frozen=True)
class TrainConfig:
    """One meta-training run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    mode: Literal["FT", "FF"] = "FT"  # FF leaves L_MCH out (paper)
    steps: int = 100_000
    minutes: float = 0.0  # ends the run earlier; 0: no limit
    batch: int = 2  # episodes at a time, on each process
    accumulate: int = 1  # batches whose gradients make one step: a large batch in little memory
    workers: int = 0  # processes that decode and draw ahead; 0: the training process does it in between
    frames: int = 8  # K; paper
    vary_frames: bool = (
        False  # K drawn from 1..frames at each step, so that one portrait is a case the networks have seen
    )
    learning_rate: float = 5e-5  # E, G, P; paper
    projection_rate: float = (
        1.0  # P's learning rate, relative to that of E and G; P multiplies e, so its steps weigh |e| times more
    )
    critic_learning_rate: float = 2e-4  # D; paper
    critic_updates: int = 2  # for one of G; paper
    ema: float = 0.999  # of E and G; 0: none
    warm_up: int = 100  # steps of linear learning-rate warm-up
    decay: bool = True  # cosine decay to a tenth; the run's end is known
    clip: float = 1.0  # gradient norm; 0: none
    precision: Literal["fp32", "bf16"] = "fp32"
    pictures: float = 0.3  # share of episodes made from single pictures by warping (pseudo-clips)
    # share of those that take people with several photographs instead: another day, another light, the same person
    albums: float = 0.0
    open_mouths: float = (
        0.0  # share of clip episodes from closed mouths to an open one: what lies behind the lips no warp knows
    )
    landmark_noise: float = (
        0.0  # standard deviation of noise on the source landmarks, of the picture's width: detectors miss by so much
    )
    start_from: str = (
        ""  # a checkpoint whose weights the run starts from: of the same shape, or of half its size and stem
    )
    landmarks: str = "mesh"
    seed: int = 0
    log_every: int = 50
    save_every: int = 500
    validate_every: int = 500
    held_out: int = 10  # identities kept out of training, for validation and the benchmark

    def __post_init__(self) -> None:
        _require(self.steps > 0 and self.batch > 0 and self.frames > 0, "steps, batch and frames must be positive")
        _require(
            self.accumulate >= 1 and 0 <= self.workers <= 256, "accumulate must be 1 or more, workers lie in 0..256"
        )
        _require(
            min(self.log_every, self.save_every, self.validate_every) >= 1,
            "log_every, save_every, validate_every must be 1 or more",
        )
        _require(
            min(self.learning_rate, self.critic_learning_rate, self.projection_rate) > 0,
            "learning rates must be positive",
        )
        _require(0 <= self.ema < 1 and 0 <= self.pictures <= 1, "ema must lie in [0, 1), pictures in [0, 1]")
        _require(0 <= self.albums <= 1 and 0 <= self.open_mouths <= 1, "albums and open_mouths must lie in [0, 1]")
        _require(0 <= self.landmark_noise < 0.1, "landmark_noise must lie in [0, 0.1)")
        _require(
            self.minutes >= 0 and self.critic_updates >= 1, "minutes must not be negative, critic_updates at least 1"
        )


@dataclass(frozen=True)
class MouthConfig:
    """Training of the painter of open mouths on top of a checkpoint, which stays as it is."""

    start: str = "portrait-256"  # the checkpoint that gets it
    width: int = 24  # channels of its first block
    steps: int = 100_000
    minutes: float = 0.0  # ends the run earlier; 0: no limit
    batch: int = 16
    copies: int = 3  # how often each open mouth is taken, each time with what another warp leaves of it
    pixel: float = 1.0  # L1 inside the lips
    perceptual: float = 0.0  # distance of Lite0 features; costs as much as the painter itself
    adversarial: float = 0.1
    feature_matching: float = 1.0
    adversary_from: float = 0.35  # share of the run after which the critic of mouths takes part
    learning_rate: float = 4e-4
    projection_rate: float = 0.1  # P's, relative to the others; see TrainConfig
    critic_learning_rate: float = 2e-4
    ema: float = 0.998
    warm_up: int = 100
    decay: bool = True  # cosine decay to a tenth
    clip: float = 1.0
    seed: int = 0
    log_every: int = 100
    save_every: int = 500
    validate_every: int = 500
    held_out: int = 10  # people kept out, the same as of the generator's own training on this footage

    def __post_init__(self) -> None:
        _require(8 <= self.width <= 64 and self.width % 8 == 0, "width must be a multiple of 8 up to 64")
        _require(self.steps > 0 and self.batch > 0 and self.copies > 0, "steps, batch and copies must be positive")
        _require(
            min(self.pixel, self.perceptual, self.adversarial, self.feature_matching) >= 0,
            "weights must not be negative",
        )
        _require(0 <= self.adversary_from <= 1 and 0 <= self.ema < 1, "adversary_from must lie in [0, 1], ema below 1")
        _require(
            min(self.learning_rate, self.critic_learning_rate, self.projection_rate) > 0,
            "learning rates must be positive",
        )
        _require(
            min(self.log_every, self.save_every, self.validate_every) >= 1 and self.minutes >= 0,
            "log_every, save_every, validate_every must be 1 or more, minutes not negative",
        )


@dataclass(frozen=True)
class TuneConfig:
    """Few-shot learning of one person (paper, section 3.4)."""

    iterations: int = 125  # for one picture; the authors' later code, which found that more kill the expressions
    seconds: float = 0.0  # ends it earlier; 0: no limit
    learning_rate: float = 5e-5
    critic_learning_rate: float = 2e-4
    batch: int = 4
    loss: LossConfig = field(default_factory=LossConfig)
    patience: int = 3  # checks without improvement on held-out frames before it stops
    check_every: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.iterations >= 0 and self.batch > 0, "iterations must not be negative, batch must be positive")
        _require(
            self.seconds >= 0 and self.learning_rate > 0,
            "seconds must not be negative, the learning rate must be positive",
        )
        _require(self.patience >= 1 and self.check_every >= 1, "patience and check_every must be at least 1")
