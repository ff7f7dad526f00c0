"""What a run says while it goes: log.jsonl always, TensorBoard (`<run>/tensorboard`) where its package is installed.

After a resume nothing is said twice: lines of steps that were lost with the killed process are taken out.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from sfumato.atomic import write_text
from sfumato.run import RunFolder


class RunLog:
    """Lines of `step`, and what was seen then: losses, a validation or a warning."""

    def __init__(self, folder: RunFolder, step: int) -> None:
        """`step`: the last one that the run has behind it, 0 for a new one."""
        self._folder, self._board = folder, open_board(folder.path / "tensorboard", step)
        forget_after(folder.path / "log.jsonl", step)

    def losses(self, step: int, seconds: float, log: dict[str, float]) -> None:
        """One step's losses."""
        self._folder.append("log.jsonl", {"step": step, "seconds": round(seconds, 1), **log})
        self._scalars("train", log, step)

    def validation(self, step: int, seen: object, sheet: Path) -> None:
        """A validation, a record of numbers, and its contact sheet: the board gets the sealed file itself, byte by
        byte, so that the picture keeps its credential in the events.
        """
        self._folder.append("log.jsonl", {"step": step, "validation": vars(seen)})
        self._scalars("validation", vars(seen), step)
        if self._board is not None and sheet.exists():
            from PIL import Image
            from tensorboard.compat.proto.summary_pb2 import Summary

            with Image.open(sheet) as picture:
                width, height = picture.size
            shown = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=sheet.read_bytes())
            self._board.file_writer.add_summary(Summary(value=[Summary.Value(tag="samples", image=shown)]), step)

    def warning(self, step: int, text: str) -> None:
        """An early warning."""
        self._folder.append("log.jsonl", {"step": step, "warning": text})

    def close(self) -> None:
        """Writes out what TensorBoard still holds back."""
        if self._board is not None:
            self._board.close()

    def _scalars(self, group: str, values: dict[str, float], step: int) -> None:
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f"{group}/{name}", value, step)


def open_board(path: Path, step: int) -> Any | None:
    """torch's writer for TensorBoard, which drops what an earlier process wrote after `step`; None where TensorBoard is
    not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(path), purge_step=step + 1)


def forget_after(path: Path, step: int) -> None:
    """Takes out of a log.jsonl what was said after `step`, and a last line that a killed process did not finish."""
    if path.exists():
        kept = [
            line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if _step_of(line) <= step
        ]
        write_text(path, "".join(f"{line}\n" for line in kept))


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
