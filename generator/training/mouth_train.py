"""A run that teaches the painter of open mouths. Prepared footage and a configuration in; a run folder out:
options.json, log.jsonl, samples.png, model.safetensors (the base checkpoint with the painter), best.safetensors (the
one with the least L1 on held-out people) and state.safetensors, from which the run resumes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from generator.config import MouthConfig
from generator.data.dataset import Dataset
from generator.data.mouths import Mouths, gather_mouths
from generator.networks.checkpoint import Checkpoint, checkpoint_path, load_checkpoint
from generator.training.meta_train import describe
from generator.training.mouth_trainer import MouthTrainer, change, embeddings_of, inside_l1, squares
from generator.training.reporter import Reporter, Warn
from generator.training.state import load_state
from generator.training.validation import weights_digest
from sfumato.config import to_dict
from sfumato.errors import SealError, SfumatoWarning, UsageError
from sfumato.run import RunFolder

_SHOWN = 12  # columns of the contact sheet


@dataclass(frozen=True)
class MouthValidation:
    """Means over mouths of held-out people, inside the lips: L1 in [0, 2] of the paint and of what the warp leaves, and
    how much the paint changes (see `change`).
    """

    l1: float
    warp: float
    painted: float

    @property
    def score(self) -> float:
        """What the best checkpoint is best in."""
        return -self.l1


def start_of(config: MouthConfig, dataset: Dataset, device: torch.device) -> Checkpoint:
    """The checkpoint that gets the painter. Raises what `load_checkpoint` does, and CheckpointError where the footage
    has other landmarks.
    """
    base = load_checkpoint(checkpoint_path(config.start), device)
    base.require(str(dataset.description["landmarks"]))
    return base


def gather_split(
    dataset: Dataset, config: MouthConfig, size: int, advance: Callable[[float], None] = lambda amount: None
) -> tuple[Mouths, Mouths | None]:
    """Mouths to learn from, and those of held-out people (None where they have none). Raises UsageError where nobody
    opens the mouth.
    """
    training, held_out = dataset.split(config.held_out)
    mouths = gather_mouths(training, size, config.seed, config.copies, advance)
    if mouths is None:
        raise UsageError("Nobody in this footage opens the mouth", "Prepare footage of people who speak or laugh.")
    return mouths, gather_mouths(held_out, size, config.seed, 1, advance)


def train_mouth(
    dataset: Dataset, mouths: Mouths, unseen: Mouths | None, base: Checkpoint, config: MouthConfig, folder: RunFolder,
    device: torch.device, resume: bool = False,
    advance: Callable[[float], None] = lambda share: None, warn: Warn = lambda text: None,
) -> Checkpoint:  # fmt: skip
    """Trains until `config.steps` or `config.minutes`. `advance` gets the share of the run done since its last call.
    `mouths`, `unseen`: of `dataset`, by `gather_split`.

    Raises UsageError for a base without a warp, TrainingDied when losses or gradients stop being finite,
    CheckpointError when the folder's state cannot be resumed.
    """
    trainer = MouthTrainer(config, base, mouths, device)
    state = folder.path / "state.safetensors"
    best = load_state(state, trainer) if resume and state.exists() else None
    validate = partial(MouthValidator(base, unseen, device).measure, trainer) if unseen is not None else None
    reporter = Reporter(folder, trainer, config, validate, best, warn)
    training, held_out = dataset.split(config.held_out)
    people = {"training_people": len(training), "held_out": describe(held_out), "mouths": len(mouths)}
    folder.write_options({"config": to_dict(config), "data": dataset.description, "start": base.digest, **people})
    reported = 0.0
    try:
        while trainer.share_done < 1:
            reporter.report(trainer.step())
            advance(trainer.share_done - reported)
            reported = trainer.share_done
    finally:
        reporter.log.close()
    return trainer.checkpoint()


class MouthValidator:
    """Measures a painter on the mouths of held-out people."""

    def __init__(self, base: Checkpoint, mouths: Mouths, device: torch.device) -> None:
        self.mouths, self.device = mouths, device
        self.embeddings = embeddings_of(base, mouths, device)

    @torch.no_grad()
    def measure(self, trainer: MouthTrainer, sheet: Path) -> MouthValidation:
        """`sheet` gets a picture, sealed: what the warp leaves, what is painted, what it was, of some mouths."""
        painter = trainer.average.net
        numbers, columns = [], []
        shown = set(torch.linspace(0, len(self.mouths) - 1, _SHOWN).long().tolist())
        for start in range(0, len(self.mouths), 32):
            rows = torch.arange(start, min(start + 32, len(self.mouths)))
            left, was, lips, embedding = squares(self.mouths, rows, self.embeddings, self.device)
            made = trainer.paint(painter, left, lips, embedding)
            for index, row in enumerate(rows.tolist()):
                one = slice(index, index + 1)
                numbers.append(
                    (
                        float(inside_l1(made[one], was[one], lips[one])),
                        float(inside_l1(left[one], was[one], lips[one])),
                        change(made[one], left[one], was[one], lips[one]),
                    )
                )
                if row in shown:
                    columns.append(torch.cat([left[index], made[index], was[index]], dim=1).cpu())
        _write(sheet, torch.cat(columns, dim=2), trainer)
        l1, warp, painted = (float(v) for v in torch.tensor(numbers).mean(0))
        return MouthValidation(l1, warp, painted)


def _write(sheet: Path, picture: Tensor, trainer: MouthTrainer) -> None:
    """picture: (3, H, W) in [-1, 1]."""
    from sfumato.media.sealed_picture import write_generated_picture
    from sfumato.media.tensors import to_image
    from sfumato.media.video import GeneratedFacts

    facts = GeneratedFacts(
        title="Samples of a training run",
        model_name="painter of mouths, in training",
        model_digest=weights_digest(trainer.average.net),
        seed=trainer.config.seed,
        portraits=(),
        motion_digest=trainer.base.digest,
    )
    try:
        write_generated_picture(sheet, to_image(picture), facts)
    except SealError as error:  # no reason to end a run of hours
        warnings.warn(
            SfumatoWarning(f"The samples were not written, since they cannot be sealed: {error}"), stacklevel=2
        )
