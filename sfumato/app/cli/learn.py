"""`sfumato learn`: pictures of one person in, one person file out, with which `sfumato animate` needs no pictures and
no learning.

A person file is a likeness. It is signed with this machine's keys together with the right that was stated; elsewhere
the right has to be stated again.
"""

from __future__ import annotations

from pathlib import Path

import click

from sfumato import options
from sfumato.atomic import require_free
from sfumato.text import printable


@click.command()
@click.argument("portraits", nargs=-1, required=True, metavar="PORTRAIT...")
@options.output("The person file to write.", anything=True, metavar="X.person")
@options.overwrite()
@options.faces()
@options.tune_seconds("Fine-tune for so long at most.", shown=False)
@options.tune_iterations("Fine-tune so often at most; 0: not at all.  [125 to 230, by pictures]")
@options.seed(signed=True)
@options.checkpoint()
@options.device()
@options.consent("What gives you the right to use the portraits. Kept in the file, sealed into its videos.")
def learn(
    portraits: tuple[str, ...],
    out: Path,
    overwrite: bool,
    faces: tuple[int, ...],
    tune_seconds: float,
    tune_iterations: int | None,
    seed: int,
    checkpoint: str,
    device: str,
    consent: str | None,
) -> None:
    """Learn the person of the PORTRAITs, pictures of one and the same, and write a person file for `sfumato animate
    X.person`.

    The file works wherever the same checkpoint is. It shows the person: treat it as you would their pictures.

    With four pictures or more, some are kept out of the tuning, which ends when it no longer helps on them; the best
    state is kept.
    """
    from generator.networks.checkpoint import TRAINING_FREE, checkpoint_path
    from generator.person.fine_tune import usual_iterations
    from generator.person.person_file import check_destination
    from sfumato.app.animation.config import AnimateConfig
    from sfumato.app.animation.gallery import PortraitFile, portrait_path
    from sfumato.app.animation.studio import Studio
    from sfumato.app.cli.consent import ask_for_consent
    from sfumato.progress import progress
    from sfumato.training.device import choose_device

    check_destination(out)
    require_free(out, overwrite)
    pictures = [PortraitFile(portrait_path(name)) for name in portraits]
    consent = consent if consent is not None else ask_for_consent(pictures)
    studio = Studio(checkpoint_path(checkpoint), device=choose_device(device), stage=progress)
    if tune_iterations is None:
        nothing_to_tune = studio.animator.checkpoint.config.family == TRAINING_FREE
        tune_iterations = 0 if tune_seconds or nothing_to_tune else usual_iterations(len(pictures))
    config = AnimateConfig(faces=faces, tune_seconds=tune_seconds, tune_iterations=tune_iterations, seed=seed)
    likeness = studio.learn(pictures, out, config, consent)
    person, size = likeness.person, out.stat().st_size / 1e6
    learned = f"{person.iterations} iterations, the best after {person.kept}" if person.history else "not tuned"
    click.echo(f"{printable(out)}: {len(pictures)} picture(s), {learned}; {size:.1f} MB")
    click.echo(f"  right to use the portraits: {printable(likeness.subject.right)}")
