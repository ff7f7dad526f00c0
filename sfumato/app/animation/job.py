"""One video to be made, resolved before anything is rendered. In: portraits, a motion, an output, settings and what was
stated. Out: an `AnimationJob`, all of whose files were found, looked at and hashed once, or the reason why not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato.app.animation.driver import driver_digest, require_sound, track_digest
from sfumato.app.animation.subject import find_subject
from sfumato.atomic import require_free
from sfumato.errors import OutputError

if TYPE_CHECKING:
    from generator.motion.track import Motion
    from generator.rendering.animator import Animator
    from sfumato.app.animation.config import AnimateConfig
    from sfumato.app.animation.driver import Driver
    from sfumato.app.animation.gallery import PortraitFile
    from sfumato.app.animation.subject import Subject
    from sfumato.media.video import GeneratedFacts


@dataclass(frozen=True)
class AnimationJob:
    """Who follows what, how, and where it goes. `sound`: the file whose sound is copied. `facts`: what the seal will
    say; its digests are those of the files as they were when the job was resolved, of a camera's motion zeros.
    """

    subject: Subject
    driver: Driver
    output: Path
    config: AnimateConfig
    sound: Path | None
    facts: GeneratedFacts

    def facts_of(self, motion: Motion) -> GeneratedFacts:
        """What the seal says now that `motion` was followed: only a camera's is not known before."""
        return self.facts if self.driver.path else replace(self.facts, motion_digest=track_digest(motion))

    def assertion(self) -> dict[str, Any]:
        """What the seal of the finished video states, as `Verification.facts` has it."""
        from provenance.manifests.generation_assertion import generation_assertion
        from provenance.manifests.ingredients import portrait_ingredients

        return generation_assertion(self.facts, portrait_ingredients(self.facts.portraits, self.facts.known_digests))


def resolve_job(
    portraits: Sequence[PortraitFile], driver: Driver, output: Path, config: AnimateConfig, consent: str | None,
    animator: Animator, checkpoint: Path, *, overwrite: bool = False,
) -> AnimationJob:  # fmt: skip
    """`checkpoint`: the file that `animator` was loaded from.

    Raises UsageError (no consent, contradictions, no sound), MediaError, CheckpointError (a person file that does not
    fit), OutputError for an output that is a source, cannot be written, or exists and is not to be overwritten.
    """
    subject = find_subject(portraits, consent, animator.checkpoint)
    subject.require(config)
    facts = _facts(subject, driver, config, animator, checkpoint)
    sound = require_sound(driver) if config.sound else config.sound_from
    _require_output(output, (*subject.paths, checkpoint, *([driver.path] if driver.path else [])), facts, sound)
    require_free(output, overwrite)
    return AnimationJob(subject, driver, output, config, sound, facts)


def _facts(subject: Subject, driver: Driver, config: AnimateConfig, animator: Animator, path: Path) -> GeneratedFacts:
    from generator.networks.checkpoint import checkpoint_name
    from sfumato.media.video import GeneratedFacts

    checkpoint = animator.checkpoint
    family = checkpoint.config.family
    asked = {
        "size": config.size if config.paste_back else config.size or 256, "fps": config.fps,
        "seconds": config.seconds,
        "neutral": config.neutral, "tune_iterations": config.tune_iterations or None,
        "paste_back": config.paste_back or None,
        "smooth": config.smooth if config.smooth != 1 else None, "faces": " ".join(map(str, config.faces)) or None,
        "person": subject.digest or None,
    }  # fmt: skip
    parameters: dict[str, str | int | float | bool] = {
        "family": family,
        "network_size": animator.size,
        "mode": config.mode,
        "strength": config.strength,
        "tune_seconds": config.tune_seconds,
        "landmarks": checkpoint.landmarks,
        "backend": animator.backend,
        "motion": driver.kind,
        "consent": subject.right,
        **{name: value for name, value in asked.items() if value is not None},
    }
    return GeneratedFacts(
        title=", ".join(["Living portrait", *subject.shipped, *([driver.template] if driver.template else [])]),
        model_name=f"{checkpoint_name(path)} ({family})",
        model_digest=checkpoint.digest,
        seed=config.seed,
        portraits=() if subject.known else subject.paths,
        motion_digest=driver_digest(driver),
        parameters=parameters,
        portrait_digests=subject.known.facts.portraits if subject.known else (),
        known_digests=() if subject.known else subject.digests,
    )


def _require_output(output: Path, sources: Sequence[Path], facts: GeneratedFacts, sound: Path | None) -> None:
    """Now rather than after minutes of work."""
    from sfumato.media.video.writer import check_output

    for source in sources:
        if output.exists() and source.exists() and output.samefile(source):
            raise OutputError(
                f"{output} is also a source", "Choose another name for the output; a source is never overwritten."
            )
    check_output(output, facts.portraits, sound)
