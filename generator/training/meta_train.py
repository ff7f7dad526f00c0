"""Meta-training (section 3.3): episodes of many people teach E, G and D what faces have in common.

Prepared footage and a configuration in; a run folder out: options.json, log.jsonl, samples.png, model.safetensors (the
averaged networks), best.safetensors (those of the best validation) and state.safetensors, from which the run resumes.
One process or many: only the first one writes, validates and reports.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from generator.config import TrainConfig
from generator.data.dataset import Dataset, PersonFootage
from generator.networks.checkpoint import Checkpoint
from generator.training.reporter import Reporter, Warn
from generator.training.state import load_state
from generator.training.trainer import MetaTrainer
from generator.training.validation import Validation, Validator
from sfumato.config import to_dict
from sfumato.run import RunFolder
from sfumato.training.distributed import Ranks
from sfumato.training.piece import Piece


def meta_train(
    dataset: Dataset, config: TrainConfig, folder: RunFolder, device: torch.device, resume: bool = False,
    advance: Callable[[float], None] = lambda share: None, warn: Warn = lambda text: None, ranks: Ranks | None = None,
    piece: Piece | None = None,
) -> Checkpoint:  # fmt: skip
    """Trains until `config.steps` or `config.minutes`, or until `piece` is over; `resume` then goes on. `advance` gets
    the share of the run done since its last call.

    Raises TrainingDied when losses or gradients stop being finite, CheckpointError when the folder's state cannot be
    resumed, MissingPartError when a loss needs a file that is not there; `warn` gets early signs of trouble (see
    `generator.training.divergence`).
    """
    training, held_out = dataset.split(config.held_out)
    trainer = MetaTrainer(config, training, device, ranks)
    state = folder.path / "state.safetensors"
    best = load_state(state, trainer) if resume and state.exists() else None
    reporter = _reporter(folder, trainer, held_out, best, warn) if trainer.ranks.first else None
    if reporter is not None:
        people = {"training_people": len(training), "held_out": describe(held_out)}
        about = {"processes": trainer.ranks.world, "perceptual": trainer.reconstruction.networks}
        folder.write_options({"config": to_dict(config), "data": dataset.description, **people, **about})
    reported, piece, stop = 0.0, piece or Piece(), False
    try:
        while trainer.share_done < 1 and not stop:
            log = trainer.step()
            stop = piece.over(trainer.ranks)
            if trainer.steps_done % config.save_every == 0:
                trainer.ranks.agree(
                    trainer.modules.values()
                )  # spectral norm's directions may drift apart in the last bit on GPUs
            if reporter is not None:
                reporter.report(log, stop)
            advance(trainer.share_done - reported)
            reported = trainer.share_done
    finally:
        trainer.close()
        if reporter is not None:
            reporter.log.close()
    return trainer.checkpoint()


def _reporter(
    folder: RunFolder, trainer: MetaTrainer, held_out: tuple[PersonFootage, ...], best: float | None, warn: Warn
) -> Reporter:
    """What the first rank does after a step."""
    validator = Validator(held_out, trainer.config, trainer.device) if held_out else None

    def validate(sheet: Path) -> Validation:
        assert validator is not None  # noqa: S101 (asked for with one alone)
        return validator.measure(trainer.ema_embedder, trainer.ema_generator, sheet)

    return Reporter(folder, trainer, trainer.config, validate if validator is not None else None, best, warn)


def describe(people: tuple[PersonFootage, ...]) -> list[dict[str, Any]]:
    """People as a record: their key and the files they were found in."""
    return [{"person": p.key, "files": sorted(c.name for c in p.clips)} for p in people]
