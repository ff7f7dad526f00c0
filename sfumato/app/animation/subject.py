"""Whose likeness it is, and by what right. In: pictures of one person, or a person file, and what was stated. Out: a
`Subject`, or the reason why not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.app.animation.consent import right_to_person, stated_right
from sfumato.errors import UsageError

if TYPE_CHECKING:
    from generator.networks.checkpoint import Checkpoint
    from generator.person.person_file import PersonFacts, PersonFile
    from generator.rendering.animator import Animator
    from sfumato.app.animation.config import AnimateConfig
    from sfumato.app.animation.gallery import PortraitFile


@dataclass(frozen=True)
class Subject:
    """Whose likeness it is, and by what right. `digests`: SHA-256 of the files at `paths`; `known`: the content of a
    person file.
    """

    paths: tuple[Path, ...]
    right: str
    digests: tuple[str, ...]
    shipped: tuple[str, ...]  # names of shipped paintings among them
    known: PersonFile | None = None

    @property
    def digest(self) -> str:
        """Of the person file; empty for pictures."""
        return self.digests[0] if self.known else ""

    def require(self, config: AnimateConfig) -> None:
        """Raises UsageError for settings that contradict what there is of it."""
        if self.known is not None:
            if config.faces or config.paste_back or config.tune_seconds or config.tune_iterations:
                cause = (
                    f"{self.paths[0]} is a person who has been learned: --face, --paste-back and tuning want "
                    "the pictures themselves"
                )
                raise UsageError(cause, "Give the pictures, or leave those options out.")
        elif len(config.faces) not in (0, 1, len(self.paths)):
            cause = f"{len(config.faces)} faces for {len(self.paths)} portraits"
            raise UsageError(cause, "Choose one face for all of them, or one for each.")

    def record(self, base_name: str, animator: Animator, config: AnimateConfig) -> PersonFacts:
        """The facts of a person file of this subject, whom `animator` has just learned."""
        from generator.person.person_file import PersonFacts

        checkpoint, person = animator.checkpoint, animator.person
        made, kept = (person.iterations, person.kept) if person else (0, 0)
        return PersonFacts(
            checkpoint.digest,
            base_name,
            checkpoint.landmarks,
            checkpoint.crop,
            self.digests,
            self.right,
            config.seed,
            made,
            kept,
        )


def find_subject(portraits: Sequence[PortraitFile], consent: str | None, checkpoint: Checkpoint) -> Subject:
    """Looks at the files, and at the right to use them.

    Raises UsageError without a portrait or a right, for a person file among others; MediaError for a file that cannot
    be read; CheckpointError for a person file of another checkpoint.
    """
    from generator.person.person_file import SUFFIX, read_person

    if not portraits:
        raise UsageError("No portrait was given", "Name at least one picture.")
    paths, learned = tuple(portrait.path for portrait in portraits), [p for p in portraits if p.path.suffix == SUFFIX]
    if not learned:
        right = stated_right(portraits, consent)
        shipped = dict.fromkeys(known.name for portrait in portraits if (known := portrait.shipped) is not None)
        return Subject(paths, right, tuple(portrait.digest for portrait in portraits), tuple(shipped))
    person = learned[0]
    if len(paths) > 1:
        raise UsageError(f"{person.path} is a whole person, and stands alone", "Give one person file, or pictures.")
    known_person = read_person(person.path)
    right = right_to_person(person.path, known_person, consent)
    known_person.require(checkpoint)
    return Subject(paths, right, (person.digest,), (), known_person)
