"""`sfumato fakes`: our own generator's videos of the people in clips.jsonl, to train and to test the detector on.

In: clips.jsonl with real clips and their splits, generator checkpoints. Out: sealed mp4 files beside them and a clips.jsonl that
lists both. Every fake names its real twin; the person, and the one whose motion drives it, come from the same split, so that
nothing a detector is tested on was in its training.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfumato.errors import ConfigError, MediaError, OutputError, UsageError
from sfumato.media.clips import ClipRow, clip_file, file_digest

if TYPE_CHECKING:
    import numpy as np

    from generator.animate import Portrait
    from generator.checkpoint import Checkpoint
    from generator.motion import Motion
    from sfumato.media.video import Seal


Driver = ClipRow | str  # a real video, or the name of a motion that ships


@dataclass(frozen=True)
class FakesConfig:
    """How many, of what kind."""

    share: float = 0.3  # of the people of each split who are animated; the others are there as reals only
    frames: int = 10  # a fake: enough for a track, and many short ones teach more than few long ones
    stride: int = 3  # frames of the motion between two of the fake: 10 frames then span a second
    sizes: tuple[int, ...] = (128, 192, 256, 320, 384)  # px, one drawn a fake: the resolution must not give it away
    best_crf: int = 18
    worst_crf: int = 26
    sources: int = 4  # at most so many pictures of a person, 1 in half of the fakes
    tuned: float = 0.0  # share of the fakes whose person is fine-tuned first
    tune_seconds: float = 10.0
    seconds: float = 6.0  # of each driving video that are followed
    templates: float = 0.0  # share of the fakes of the training split driven by the motions that ship, which anyone can use
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1 or not 0 <= self.tuned <= 1 or not 0 <= self.templates <= 1:
            raise ConfigError("share, tuned and templates are shares", "Choose above 0 to 1, and 0 to 1 for the other two.")
        if self.frames < 3 or self.stride < 1 or self.sources < 1 or not self.sizes or any(size % 2 or size < 64 for size in self.sizes):
            raise ConfigError("frames, stride, sources or sizes are out of range", "At least 3, 1, 1; sizes even, from 64.")
        if not 0 <= self.best_crf <= self.worst_crf <= 51:
            raise ConfigError("best_crf and worst_crf are out of range", "0 to 51, the best first.")


class FakeMaker:
    """Animates people of a clips.jsonl. One checkpoint a fake, in turn."""

    def __init__(self, clips: Path, rows: Sequence[ClipRow], checkpoints: Sequence[Checkpoint], config: FakesConfig, seal: Seal) -> None:
        """Raises UsageError without checkpoints or when they were trained with different landmarks."""
        from sfumato.media.faces import FaceDetector
        from sfumato.media.landmarks import load_backend

        if not checkpoints or len({checkpoint.landmarks for checkpoint in checkpoints}) > 1:
            raise UsageError("Checkpoints must be given, all of one landmark backend", "Use --checkpoint.")
        self.clips, self.config, self.seal, self.checkpoints = clips, config, seal, list(checkpoints)
        self.reals = [row for row in rows if row.label == "real"]
        self.key = self._key()
        self._detector, self._landmarks = FaceDetector(), load_backend(checkpoints[0].landmarks)
        self._motion = lru_cache(maxsize=None)(self._track)

    def plan(self) -> list[tuple[ClipRow, Driver]]:
        """(whom, by whom) for every fake: people drawn by seed, drivers from the same split. Splits without a video give none.

        Some people of the training split follow a motion that ships instead; only there, so that no driver is in two splits.
        """
        import numpy as np

        from detector.frames import is_picture
        from generator.motion import shipped_motions

        templates = shipped_motions()
        pairs: list[tuple[ClipRow, Driver]] = []
        for split in ("train", "validation", "calibration", "test"):
            rng = np.random.default_rng([self.config.seed, len(split)])
            reals = [row for row in self.reals if row.split == split]
            drivers = [row for row in reals if not is_picture(Path(row.path))]
            people: dict[str, list[ClipRow]] = {}
            for row in reals:
                people.setdefault(row.identity, []).append(row)
            names = sorted(people)
            filmed = {row.identity for row in drivers}
            count = round(self.config.share * len(names))
            for name in (
                [*sorted(filmed), *(str(n) for n in rng.permutation([n for n in names if n not in filmed]))][:count] if drivers else []
            ):
                chosen = people[name][int(rng.integers(len(people[name])))]
                driver: Driver = drivers[int(rng.integers(len(drivers)))]
                if chosen in drivers and rng.random() < 0.5:
                    driver = chosen
                elif split == "train" and rng.random() < self.config.templates:
                    driver = templates[int(rng.integers(len(templates)))]
                pairs.append((chosen, driver))
        return pairs

    def make(self, number: int, whom: ClipRow, driver: Driver) -> ClipRow | None:
        """Writes fake `number` and returns its row; None if the source or the driver shows no usable face."""
        import numpy as np

        from generator.animate import Animator, tune_config
        from generator.checkpoint import TRAINING_FREE
        from generator.motion import motion_path
        from generator.retarget import Retargeter
        from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter

        config = self.config
        rng = np.random.default_rng([config.seed, 1000, number])
        checkpoint = self.checkpoints[number % len(self.checkpoints)]
        size = int(rng.choice(config.sizes))
        try:
            portraits = self._portraits(whom, size, rng)
            motion = self._motion(driver)
        except MediaError:
            return None
        animator = Animator(checkpoint)
        tuned = bool(rng.random() < config.tuned) and checkpoint.config.family != TRAINING_FREE
        animator.set_identity(portraits, tune_config(checkpoint, config.tune_seconds, seed=config.seed) if tuned else None)
        span = min(len(motion), config.frames * config.stride)
        start = int(rng.integers(len(motion) - span + 1))
        retargeter = Retargeter(portraits[0].landmarks, motion)
        name = f"generated/{self.key}-{number:05d}.mp4"
        file = self.clips.parent / name
        file.parent.mkdir(exist_ok=True)
        crf = int(rng.integers(config.best_crf, config.worst_crf + 1))
        facts = GeneratedFacts(
            title=f"training fake {number}", model_name=checkpoint.config.family, model_digest=checkpoint.digest, seed=config.seed,
            portraits=(), motion_digest=file_digest(motion_path(driver)) if isinstance(driver, str) else driver.sha256,
            parameters={"source": whom.sha256, "sources": len(portraits), "size": size, "tuned": tuned},
        )  # fmt: skip
        with GeneratedVideoWriter(file, width=size, height=size, rate=25.0, seal=self.seal, facts=facts, crf=crf) as video:
            for index in range(start, start + span, config.stride):
                video.write(animator.render(retargeter.frame(index), size))
        return ClipRow(
            path=name, label="fake", method=checkpoint.config.family + ("-tuned" if tuned else ""), family="reenact",
            identity=whom.identity, sha256=file_digest(file), driver_id=f"motion:{driver}" if isinstance(driver, str) else driver.identity,
            pair_of=whom.path, split=whom.split, seed=config.seed, generator_digest=checkpoint.digest,
        )  # fmt: skip

    def _key(self) -> str:
        """Names the whole request: the same people, checkpoints and settings give the same fakes."""
        facts = [asdict(self.config), [checkpoint.digest for checkpoint in self.checkpoints], [asdict(row) for row in self.reals]]
        return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:12]

    def _portraits(self, row: ClipRow, size: int, rng: np.random.Generator) -> list[Portrait]:
        """One picture, or up to `sources` frames of a video, evenly spaced."""
        from detector.frames import SampledFrames
        from generator.animate import read_portrait

        wanted = 1 if rng.random() < 0.5 else self.config.sources
        source = SampledFrames(clip_file(self.clips, row), wanted)
        return [read_portrait(frame.image, self._detector, self._landmarks, size, row.path) for frame in source][:wanted]

    def _track(self, driver: Driver) -> Motion:
        from generator.motion import motion_path, read_motion, track_video

        if isinstance(driver, str):
            return read_motion(motion_path(driver))
        return track_video(clip_file(self.clips, driver), self._landmarks, self.config.seconds)


def make_fakes(
    clips: Path, rows: Sequence[ClipRow], checkpoints: Sequence[Checkpoint], config: FakesConfig, seal: Seal,
    advance: Callable[[float, float], Any] = lambda amount, total: None,
) -> list[ClipRow]:  # fmt: skip
    """The rows given and those of their fakes. `advance` gets 1 and the total a fake. Raises UsageError if none can be made.

    A stopped call made again goes on where it was: what is done is kept in `generated/<key>.jsonl`.
    """
    maker = FakeMaker(clips, rows, checkpoints, config, seal)
    plan = maker.plan()
    if not plan:
        raise UsageError("No split holds a real video to drive the fakes", "clips.jsonl needs videos, not pictures alone, in each split.")
    journal = Journal(clips.parent / "generated" / f"{maker.key}.jsonl")
    made = []
    for number, (whom, driver) in enumerate(plan):
        if number not in journal.done:
            journal.add(number, maker.make(number, whom, driver))
        fake = journal.done[number]
        made += [fake] if fake else []
        advance(1, len(plan))
    return [*rows, *made]


class Journal:
    """done: {number: row, or None for nobody to animate}. A line a fake; one that was cut off in the writing is made again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[int, ClipRow | None] = {}
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                values = entry["row"]
                row = ClipRow(**(values | {"source_ids": tuple(values["source_ids"])})) if values is not None else None
                if row is None or (path.parent.parent / row.path).is_file():
                    self.done[int(entry["number"])] = row

    def add(self, number: int, row: ClipRow | None) -> None:
        """Raises OutputError when the line cannot be written."""
        line = json.dumps({"number": number, "row": asdict(row) if row else None}, ensure_ascii=False)
        try:
            self.path.parent.mkdir(exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"\n{line}\n")  # the first line end closes a line that a crash left open
        except OSError as error:
            raise OutputError(f"Cannot write {self.path}: {error.strerror}", "Make room, or choose another folder.") from error
        self.done[number] = row


@click.command("fakes")
@click.argument("clips", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--checkpoint", "checkpoints", multiple=True, required=True, metavar="PATH|NAME", help="A generator; may be repeated.")
@click.option("--out", required=True, help="Name of the new list, beside CLIPS.")
@click.option("--config", "config_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file of settings.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="One setting, e.g. share=0.5.")
def fakes(clips: Path, checkpoints: tuple[str, ...], out: str, config_file: Path | None, overrides: tuple[str, ...]) -> None:
    """Animate people of CLIPS (clips.jsonl) and list the fakes with their real twins, for `sfumato train detector`.

    Fakes that CLIPS lists already stay in the new list, so that several generators can add to it in turn.
    """
    from generator.checkpoint import checkpoint_path, load_checkpoint
    from provenance.sign import C2paSeal
    from sfumato.config import load_config
    from sfumato.media.clips import check_disjoint, read_clips, write_clips
    from sfumato.progress import progress

    if Path(out).name != out:
        raise UsageError(f"--out {out} is not a plain file name", "The list lies beside CLIPS, because its paths are relative to it.")
    config = load_config(FakesConfig, config_file, overrides)
    rows = list(read_clips(clips))
    check_disjoint(rows)
    loaded = [_with_digest(load_checkpoint(path), path) for path in map(checkpoint_path, checkpoints)]
    with progress("Making fakes") as advance:  # unmarked: a detector would learn the watermark instead of the forgery
        made = make_fakes(clips, rows, loaded, config, C2paSeal(mark=False), lambda amount, total: advance(amount))
    check_disjoint(made)
    click.echo(f"{write_clips(clips.parent / out, made)} clips, {len(made) - len(rows)} of them made now", err=True)
    click.echo(clips.parent / out)


def _with_digest(checkpoint: Checkpoint, path: Path) -> Checkpoint:
    return checkpoint if checkpoint.digest else replace(checkpoint, digest=hashlib.sha256(path.read_bytes()).hexdigest())
