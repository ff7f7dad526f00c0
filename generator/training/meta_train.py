"""Meta-training (section 3.3): episodes of many people teach E, G and D what faces have in common.

Prepared footage and a configuration in; a run folder out: options.json, log.jsonl, samples.png, model.safetensors (the
averaged networks), best.safetensors (those of the best validation) and state.safetensors, from which the run resumes.
One process or many: only the first one writes, validates and reports.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from generator.config import TrainConfig
from generator.data.dataset import Dataset, PersonFootage
from generator.networks.checkpoint import Checkpoint, save_checkpoint
from generator.training.divergence import Watch
from generator.training.run_log import RunLog
from generator.training.state import load_state, save_state
from generator.training.trainer import Log, MetaTrainer
from generator.training.validation import Validator
from sfumato.config import to_dict
from sfumato.run import RunFolder
from sfumato.training.distributed import Ranks

Warn = Callable[[str], None]


def meta_train(
    dataset: Dataset, config: TrainConfig, folder: RunFolder, device: torch.device, resume: bool = False,
    advance: Callable[[float], None] = lambda share: None, warn: Warn = lambda text: None, ranks: Ranks | None = None,
) -> Checkpoint:  # fmt: skip
    """Trains until `config.steps` or `config.minutes`. `advance` gets the share of the run done since its last call.

    Raises TrainingDied when losses or gradients stop being finite, CheckpointError when the folder's state cannot be
    resumed, MissingPartError when a loss needs a file that is not there; `warn` gets early signs of trouble (see
    `generator.training.divergence`).
    """
    training, held_out = dataset.split(config.held_out)
    trainer = MetaTrainer(config, training, device, ranks)
    state = folder.path / "state.safetensors"
    best = load_state(state, trainer) if resume and state.exists() else None
    reporter = _Reporter(folder, trainer, held_out, best, warn) if trainer.ranks.first else None
    if reporter is not None:
        people = {"training_people": len(training), "held_out": describe(held_out)}
        about = {"processes": trainer.ranks.world, "perceptual": trainer.reconstruction.networks}
        folder.write_options({"config": to_dict(config), "data": dataset.description, **people, **about})
    reported = 0.0
    try:
        while trainer.share_done < 1:
            log = trainer.step()
            if trainer.steps_done % config.save_every == 0:
                trainer.ranks.agree(
                    trainer.modules.values()
                )  # spectral norm's directions may drift apart in the last bit on GPUs
            if reporter is not None:
                reporter.report(log)
            advance(trainer.share_done - reported)
            reported = trainer.share_done
    finally:
        trainer.close()
        if reporter is not None:
            reporter.log.close()
    return trainer.checkpoint()


class _Reporter:
    """What the first rank does after a step."""

    def __init__(
        self,
        folder: RunFolder,
        trainer: MetaTrainer,
        held_out: tuple[PersonFootage, ...],
        best: float | None,
        warn: Warn,
    ) -> None:
        self.path, self.trainer, self.warn = folder.path, trainer, warn
        self.log, self.watch = RunLog(folder, trainer.steps_done), Watch()
        self.validator = Validator(held_out, trainer.config, trainer.device) if held_out else None
        self.best = -math.inf if best is None else best

    def report(self, log: Log) -> None:
        """Logs, warns, validates and saves, each when it is due."""
        trainer, config = self.trainer, self.trainer.config
        step, last = trainer.steps_done, trainer.share_done >= 1
        for text in self.watch.look(log):
            self.log.warning(step, text)
            self.warn(f"step {step}: {text}")
        if step % config.log_every == 0 or last:
            self.log.losses(step, trainer.seconds_done, log)
        if self.validator is not None and (step % config.validate_every == 0 or last):
            self._validate(self.validator, step)
        if step % config.save_every == 0 or last:
            save_state(self.path / "state.safetensors", trainer, None if self.best == -math.inf else self.best)
            save_checkpoint(self.path / "model.safetensors", trainer.checkpoint())

    def _validate(self, validator: Validator, step: int) -> None:
        sheet = self.path / "samples.png"
        seen = validator.measure(self.trainer.ema_embedder, self.trainer.ema_generator, sheet)
        self.log.validation(step, seen, sheet)
        if seen.score > self.best:
            self.best = seen.score
            save_checkpoint(self.path / "best.safetensors", self.trainer.checkpoint(validation=vars(seen)))


def describe(people: tuple[PersonFootage, ...]) -> list[dict[str, Any]]:
    """People as a record: their key and the files they were found in."""
    return [{"person": p.key, "files": sorted(c.name for c in p.clips)} for p in people]
