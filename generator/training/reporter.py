"""What a training run says and keeps after a step: losses, warnings, validations, its state and its checkpoints, each
when it is due. A trainer and a way to validate it in; files of the run's folder out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from generator.networks.checkpoint import Checkpoint, save_checkpoint
from generator.training.divergence import Watch
from generator.training.run_log import RunLog
from generator.training.state import Resumable, save_state
from sfumato.run import RunFolder

Warn = Callable[[str], None]


class Seen(Protocol):
    """What a validation finds: a record of numbers, and how good that is, more being better."""

    @property
    def score(self) -> float: ...


class Pace(Protocol):
    """After how many steps each is due."""

    @property
    def log_every(self) -> int: ...

    @property
    def validate_every(self) -> int: ...

    @property
    def save_every(self) -> int: ...


class Reported(Resumable, Protocol):
    """A trainer as a reporter takes it."""

    @property
    def share_done(self) -> float: ...

    def checkpoint(self, **facts: Any) -> Checkpoint: ...


class Reporter:
    """`validate`: writes the sheet that it is given a path for; None where nobody is held out. `best`: the score of the
    best checkpoint so far, None before the first validation.
    """

    def __init__(
        self, folder: RunFolder, trainer: Reported, pace: Pace, validate: Callable[[Path], Seen] | None,
        best: float | None, warn: Warn,
    ) -> None:  # fmt: skip
        self.path, self.trainer, self.pace, self.validate, self.warn = folder.path, trainer, pace, validate, warn
        self.log, self.watch = RunLog(folder, trainer.steps_done), Watch()
        self.best = -math.inf if best is None else best

    def report(self, log: dict[str, float], stop: bool = False) -> None:
        """Logs, warns, validates and saves. stop: the run is left here, and saved whether that is due or not."""
        step, last = self.trainer.steps_done, self.trainer.share_done >= 1
        for text in self.watch.look(log):
            self.log.warning(step, text)
            self.warn(f"step {step}: {text}")
        if step % self.pace.log_every == 0 or last:
            self.log.losses(step, self.trainer.seconds_done, log)
        if self.validate is not None and (step % self.pace.validate_every == 0 or last):
            self._validated(self.validate, step)
        if step % self.pace.save_every == 0 or last or stop:
            save_state(self.path / "state.safetensors", self.trainer, None if self.best == -math.inf else self.best)
            save_checkpoint(self.path / "model.safetensors", self.trainer.checkpoint())

    def _validated(self, validate: Callable[[Path], Seen], step: int) -> None:
        sheet = self.path / "samples.png"
        seen = validate(sheet)
        self.log.validation(step, seen, sheet)
        if seen.score > self.best:
            self.best = seen.score
            save_checkpoint(self.path / "best.safetensors", self.trainer.checkpoint(validation=vars(seen)))
