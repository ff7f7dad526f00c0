"""Training: clips.jsonl in, a run folder with the best averaged weights out.

Heads first with the backbone frozen, then everything (or the norm layers alone); small crops first, if asked, then
whole ones (as in EfficientNetV2, Tan and Le 2021, section 4). Each step sees reals and their fake twins; each head
learns only from its own families and the reals. Weights are averaged (EMA), and the average that does best on the
people of the validation split is kept. The budget is minutes, steps, or both; a stopped run continues from its last
checkpoint, and with a budget of steps ends with the weights of a run that was not
stopped: every draw follows from the seed and the step. Several processes (torchrun) share one batch of pairs; batch
statistics are each process's own, the first one's are kept.
"""

from __future__ import annotations

import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from detector.config import FAMILY_HEADS, DetectorConfig, SampleConfig, TrainConfig
from detector.data.cache import CropCache
from detector.data.pair_makers import Maker
from detector.data.pairs import Batch, PairedBatches, PairSource, names
from detector.inference.bundle import FORMAT, NETWORK
from detector.models.checkpoint import load_detector, load_state, save_state, save_weights
from detector.models.net import DetectorNet, load_weights
from detector.models.restore import restore_net
from detector.training.evidence import validate
from sfumato.config import to_dict
from sfumato.errors import UsageError, choose_from
from sfumato.media.clips import ClipRow, file_digest
from sfumato.run import RunFolder
from sfumato.training.average import Average
from sfumato.training.data_workers import worker_context
from sfumato.training.device import choose_device, seed_everything
from sfumato.training.distributed import Ranks
from sfumato.training.piece import Piece

Advance = Callable[[float], None]


@dataclass
class Progress:
    """Where a run stands; saved with it."""

    step: int = 0
    seconds: float = 0.0
    best: float = -1.0
    validated: int = 0
    scores: dict[str, float] = field(default_factory=dict)


class Trainer:
    """One run. `fit` trains; the best weights lie in `<run>/detector.safetensors` afterwards."""

    def __init__(
        self,
        run: RunFolder,
        config: DetectorConfig,
        training: PairSource,
        validation: PairSource,
        ranks: Ranks | None = None,
    ) -> None:
        self.run, self.config, self.ranks = run, config, ranks or Ranks(device=choose_device(config.train.device))
        device = self.device = self.ranks.device
        self.training, self.validation = training, validation
        seed_everything(config.train.seed)
        self.net = DetectorNet(config.model).to(device)
        if config.train.start is not None:
            self._start_from(config.train.start)
        # 2 to 4 times faster convolutions on CPUs, and what a GPU's tensor cores want
        self.net = self.net.to(memory_format=torch.channels_last)
        self.ranks.agree([self.net])
        self.average = Average(self.net, config.train.ema, buffers=True)
        settings = config.train
        self.net.backbone.freeze(settings.frozen, settings.tune == "norm")
        beside = [
            self.net.heads,
            *([self.net.frequency] if self.net.frequency is not None else []),
        ]  # what starts from nothing
        parameters = [parameter for parameter in self.net.backbone.parameters() if parameter.requires_grad]
        groups = [
            {
                "params": [p for part in beside for p in part.parameters()],
                "peak": settings.head_rate,
                "weight_decay": 0.0,
            },
            {
                "params": [p for p in parameters if p.ndim > 1],
                "peak": settings.rate,
                "weight_decay": settings.weight_decay,
            },
            {"params": [p for p in parameters if p.ndim <= 1], "peak": settings.rate, "weight_decay": 0.0},
        ]
        self._forward: Callable[[Tensor], Tensor] = self._compiled() if settings.compile else self.net
        self.optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=settings.rate, betas=(0.9, 0.99))
        self.progress = Progress()

    def _start_from(self, path: Path) -> None:
        """`path`: detector.safetensors, or the folder of an exported detector. Raises CheckpointError when it is
        missing, damaged, or of another net.
        """
        if path.is_dir():
            batches = PairedBatches(self.training, self.config.train.seed)
            pictures = torch.cat([batches[step].images for step in range(2)])
            self.net = restore_net(path, self.config.model, pictures).to(self.device)
            return
        earlier, _, record = load_detector(path)
        load_weights(self.net, earlier.state_dict(), record)
        self.net.backbone.source = f"{earlier.backbone.source}, then {record.get('step')} steps of an earlier run"

    def _compiled(self) -> Callable[[Tensor], Tensor]:
        """Raises UsageError where torch would find no compiler, at the first step and in many lines."""
        compiler = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")  # what torch looks for
        if self.device.type == "cpu" and not shutil.which(compiler):
            raise UsageError(
                "train.compile needs a C++ compiler",
                "Install g++ (Debian: apt install g++), or --set train.compile=false.",
            )
        forward: Callable[[Tensor], Tensor] = torch.compile(self.net, dynamic=False)  # a graph for each of two sizes
        return forward

    def resume(self) -> None:
        """Continues from the folder's checkpoint, if it has one. Raises CheckpointError if it is of another run."""
        path = self.run.path / "checkpoint.safetensors"
        if path.exists():
            self.progress = Progress(**load_state(path, self.net, self.average, self.optimizer))

    def fit(self, advance: Advance = lambda amount: None, piece: Piece | None = None) -> Progress:
        """Trains to the end of the budget, or until `piece` is over. `advance` gets shares of 1."""
        settings, progress, piece = self.config.train, self.progress, piece or Piece()
        batches = self._batches(progress.step) if self.share() < 1 else iter(())
        started, shown = time.monotonic() - progress.seconds, self.share()
        loss_sum = torch.zeros((), device=self.device)
        while (share := self.share()) < 1:
            batch = next(batches)
            loss_sum += self.train_step(batch, share)
            progress.step += 1
            progress.seconds = self.ranks.mean({"seconds": time.monotonic() - started})[
                "seconds"
            ]  # all must stop at the same step
            if progress.step % 20 == 0:
                self._log(loss=self.ranks.mean({"loss": loss_sum.item() / 20})["loss"], share=share)
                loss_sum.zero_()
            if self.share() >= (progress.validated + 1) / settings.validations:
                self._validate()
                progress.seconds = self.ranks.mean({"seconds": time.monotonic() - started})["seconds"]
                self._save()
            advance(self.share() - shown)
            shown = self.share()
            if shown < 1 and piece.over(self.ranks):
                self._save()
                return progress
        if progress.validated == 0:
            self._validate()
        self._save()
        return progress

    def share(self) -> float:
        """How much of the budget is used, 0 to 1."""
        return share_of(self.config.train, self.progress)

    def train_step(self, batch: Batch, share: float) -> Tensor:
        """One update; returns this process's part of the loss before it: the mean over the processes is the batch's."""
        heads_only = share < self.config.train.head_share
        draw = np.random.default_rng([self.config.train.seed, self.progress.step, self.ranks.rank])
        torch.manual_seed(
            int(draw.integers(2**62))
        )  # dropout, too, follows from the step: a resumed run draws as the whole one
        self.net.train()
        if heads_only:
            self.net.backbone.eval()
        self._set_rates(share)
        batch = batch.to(self.device)
        images = batch.images.to(memory_format=torch.channels_last)
        if share < self.config.train.small_share:
            images = F.interpolate(images, size=self.config.train.small_size, mode="bilinear", antialias=True)
            images = images.to(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.train.precision == "bf16"):
            if heads_only:
                with torch.no_grad():
                    features = self.net.backbone(images)
                logits = self.net.judge(features, images)
            else:
                logits = self._forward(images)
        logits = logits.float()
        loss = evidence_loss(logits, batch.target, batch.weight, self.ranks)
        if self.config.train.pair_weight:
            loss = loss + self.config.train.pair_weight * pair_loss(logits, batch.target, self.ranks)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.ranks.average_gradients(self.net.parameters())
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimizer.step()
        self.average.update_parameters(self.net)
        return loss.detach()

    def _set_rates(self, share: float) -> None:
        """Heads: constant while alone. Then all: up over a twentieth of what is left, down along a cosine to a
        hundredth.
        """
        alone = self.config.train.head_share
        place = max(0.0, (share - alone) / (1 - alone))
        wave = min(1.0, place / 0.05 + 0.02) * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * place)))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * (1.0 if share < alone else wave)

    def _batches(self, first: int) -> Any:
        dataset = PairedBatches(
            self.training, self.config.train.seed, first=self.ranks.share(self.config.train.pairs).start
        )
        if self.config.train.workers == 0:
            return (dataset[step] for step in range(first, 10**9))
        loader = torch.utils.data.DataLoader(
            dataset,
            batch_size=None,
            sampler=range(first, 10**9),
            num_workers=self.config.train.workers,
            prefetch_factor=4,
            multiprocessing_context=worker_context("detector.data.pairs"),
            pin_memory=self.device.type == "cuda",
        )
        return iter(loader)

    def _validate(self) -> None:
        progress = self.progress
        progress.validated = max(progress.validated + 1, int(self.share() * self.config.train.validations))
        if not self.ranks.first:
            return
        scores = validate(self.average.net, self.validation, self.config.train.validation_pairs, self.device)
        mean = sum(scores.values()) / len(scores)
        kept = (
            mean > progress.best or self.config.samples.shuffled
        )  # a control must not be chosen by what it must not know
        self._log(validation=scores, kept=kept)
        if kept:
            progress.best, progress.scores = mean, scores
            record = {"step": progress.step, "validation": scores}
            save_weights(self.run.path / "detector.safetensors", self.average.net, self.config, record)

    def _save(self) -> None:
        if not self.ranks.first:
            return
        save_state(
            self.run.path / "checkpoint.safetensors", self.net, self.average, self.optimizer, vars(self.progress)
        )

    def _log(self, **values: Any) -> None:
        if not self.ranks.first:
            return
        self.run.append("log.jsonl", {"step": self.progress.step, "seconds": round(self.progress.seconds, 1), **values})


def share_of(settings: TrainConfig, progress: Progress) -> float:
    """How much of the budget is used, 0 to 1."""
    by_steps = progress.step / settings.steps if settings.steps else 0.0
    return min(1.0, max(by_steps, progress.seconds / (60 * settings.minutes)))


def evidence_loss(logits: Tensor, target: Tensor, weight: Tensor, ranks: Ranks | None = None) -> Tensor:
    """Binary cross-entropy, averaged over each head's own samples, summed over the heads. All (B, heads).

    ranks: the processes that hold the other parts of the batch; the mean of their results is that of the whole.
    """
    ranks = ranks or Ranks()
    losses = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight
    samples = ranks.mean_of(weight.sum(0))
    taught = (
        ranks.mean_of((target * weight).sum(0)) > 0
    )  # a head with no fake in this batch learns nothing: reals alone would sink it
    return ((losses.sum(0) / samples.clamp(min=1e-6)) * taught).sum()


def pair_loss(logits: Tensor, target: Tensor, ranks: Ranks | None = None) -> Tensor:
    """-log of the probability that a fake lies above its own twin (RankNet, Burges et al. 2005, section 3), by head,
    then summed.

    logits, target: (2P, heads), reals and fakes in turn. What a picture shows of the person, the light and the codec is
    in both logits and cancels; what is left to learn from is the forgery.
    """
    ranks = ranks or Ranks()
    taught = target[1::2]  # (P, heads): 1 where the fake is this head's business
    losses = F.softplus(logits[0::2] - logits[1::2]) * taught
    return (losses.sum(0) / ranks.mean_of(taught.sum(0)).clamp(min=1e-6)).sum()


def train(
    rows: Sequence[ClipRow],
    run: RunFolder,
    config: DetectorConfig,
    cache: CropCache,
    resume: bool = False,
    advance: Advance = lambda amount: None,
    ranks: Ranks | None = None,
    piece: Piece | None = None,
) -> Progress:
    """Trains on the split `train`, chooses the best average on `validation`. `rows`: those with crops
    (`CropCache.prepare`).

    The run is left where `piece` is over; `resume` goes on. `advance` gets shares of 1. `ranks`: this process among
    those that train together, each with train.pairs pairs of a batch. Writes options.json, log.jsonl,
    checkpoint.safetensors and detector.safetensors into the run folder. Raises UsageError when a split has no real
    clip, when the mix leaves no fakes, or when samples.mix or samples.leave_out names what is not there.
    """
    ranks = ranks or Ranks(device=choose_device(config.train.device))
    splits = {name: [row for row in rows if row.split == name] for name in ("train", "validation")}
    for name, split in splits.items():
        if not any(row.label == "real" for row in split):
            refused = next(iter(cache.refused.items()), None)
            reason = (
                f"First refused: {refused[0]}: {refused[1]}."
                if refused
                else "clips.jsonl needs the splits train and validation."
            )
            raise UsageError(f"The split {name!r} has no real clip with a usable face", reason)
    training, validation = (PairSource(split, cache, config) for split in splits.values())
    known: list[Maker | ClipRow] = [*training.found, *(row for row in rows if row.label == "fake")]
    for name in config.samples.mix:
        if name not in (*FAMILY_HEADS, *SampleConfig().mix) and not any(names(name, made) for made in known):
            advice = choose_from(name, sorted({*FAMILY_HEADS, *(m.method for m in known)}))
            raise UsageError(f"samples.mix names {name!r}, which nothing here is", advice)
    for name in config.samples.leave_out:
        if not any(
            names(name, made) for made in known
        ):  # a slip of the pen would be trained on, and tested as if it were held out
            raise UsageError(
                f"samples.leave_out names {name!r}, which nothing is",
                choose_from(name, sorted({m.method for m in known})),
            )
    options = {
        "command": "train detector", "format": FORMAT, "config": to_dict(config), "seed": config.train.seed,
        "device": str(ranks.device),
        "processes": ranks.world, "threads": torch.get_num_threads(), "torch": torch.__version__,
        "clips": {name: len(split) for name, split in splits.items()},
        "people": {name: len({row.identity for row in split}) for name, split in splits.items()},
        "families": training.families, "methods": training.methods, "refused": len(cache.refused),
        "started_from": _start_digest(config.train.start) if config.train.start else None,
    }  # fmt: skip
    trainer = Trainer(run, config, training, validation, ranks)
    if resume:
        trainer.resume()
    if ranks.first and not (trainer.share() == 1 and (run.path / "options.json").exists()):
        run.write_options(options)  # a run that is over, perhaps on another machine, keeps what it wrote of itself
    return trainer.fit(advance, piece)


def _start_digest(start: Path) -> str:
    """Raises MediaError if it cannot be read."""
    return file_digest(start / NETWORK if start.is_dir() else start)
