"""`sfumato animate`: pictures of one person and a motion in, one sealed mp4 out; or many of both, see
sfumato.app.animation.batch.

The work is done by sfumato.app.animation; here it is asked for, consented to, and reported. Exit codes: 0 made, 1 not
everything of a batch was made, 2 the request cannot be served, 3 an input cannot be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.compiler import backend_names
from sfumato import options
from sfumato.errors import UsageError
from sfumato.media.frame_size import LARGEST, LARGEST_WHOLE, SMALLEST
from sfumato.text import json_line, printable

if TYPE_CHECKING:
    from sfumato.app.animation.config import AnimateConfig
    from sfumato.app.animation.driver import Driver
    from sfumato.app.animation.gallery import PortraitFile
    from sfumato.app.animation.living_portrait import LivingPortrait
    from sfumato.app.animation.studio import Studio

_BACKENDS = ("auto", *backend_names.NAMES)


@click.command()
@click.argument("portraits", nargs=-1, required=True, metavar="PORTRAIT...")
@click.option(
    "-m", "--motion", "motions", multiple=True, required=True, metavar="M",
    help="A .motion file, the name of a shipped motion, a video to follow, "
    "or a camera: its index. With --each several.",
)  # fmt: skip
@options.output("The video to write; with --each the folder of all.", anything=True, metavar="OUT")
@click.option("--each", is_flag=True, help="A video of every PORTRAIT with every motion; goes on where it stopped.")
@options.overwrite()
@click.option(
    "--size", type=int, metavar="PIXELS",
    help=f"Of the square video, {SMALLEST} to {LARGEST}, even (256); "
    f"with --paste-back of its longer side, to {LARGEST_WHOLE}.",
)  # fmt: skip
@click.option("--fps", type=click.FloatRange(1, 120), help="Frames a second; the motion's own unless given.")
@options.seconds("Use only the first seconds of the motion.")
@options.faces()
@options.choice("--mode", ["relative", "absolute"], "relative", "Keep the portrait's pose, or take the motion's.")
@options.number("--strength", 1.0, click.FloatRange(0, 3), "Of the expression; 0 leaves only head motion.")
@options.neutral("Seconds into the motion at which the face is calm; found unless given.")
@options.smooth("How much jitter to take out of a video.")
@click.option("--paste-back", is_flag=True, help="Put the face back into the whole picture.")
@options.tune_iterations("Fine-tune on the portraits so often.", default=0)
@options.tune_seconds("Fine-tune on the portraits for so long.")
@options.seed(signed=True)
@options.checkpoint()
@click.option(
    "--landmarks",
    type=click.Choice(["mesh", "face-alignment"]),
    help="Landmark backend; the checkpoint's own unless given.",
)
@options.device()
@click.option(
    "--backend", default="auto", show_default=True, type=click.Choice(_BACKENDS), help="What runs the network."
)
@click.option("--sound", is_flag=True, help="Copy the sound of the motion's video.")
@click.option("--sound-from", type=options.FILE, help="Copy the sound of another file.")
@options.consent("What gives you the right to use the portrait. Sealed into the video, for all to read.")
@options.as_json("One JSON object on stdout.")
def animate(
    portraits: tuple[str, ...],
    motions: tuple[str, ...],
    out: Path,
    each: bool,
    overwrite: bool,
    consent: str | None,
    checkpoint: str,
    landmarks: str | None,
    device: str,
    backend: str,
    as_json: bool,
    **settings: Any,
) -> int:
    """Let the person of one or several PORTRAITs follow a motion.

    A PORTRAIT is a picture, a person file made by `sfumato learn`, or one of the shipped paintings: mona-lisa,
    la-velata, lady-agnew. Several pictures must show the same person; with --each every one is a person of its own,
    and a folder stands for what is in it. The video is an mp4 that carries Content Credentials: made by a trained
    algorithm, from which portrait, by which model. There is no way to get it without.

    A camera (-m 0) is followed for --seconds, or until Ctrl-C. Any portrait that is not one of the shipped paintings
    needs --consent: say what gives you the right to use it.
    """
    from generator.networks.checkpoint import checkpoint_path
    from sfumato.app.animation.batch import find_motions, find_portraits
    from sfumato.app.animation.config import AnimateConfig
    from sfumato.app.animation.driver import find_driver
    from sfumato.app.animation.gallery import PortraitFile, portrait_path
    from sfumato.app.animation.living_portrait import describe, record
    from sfumato.app.animation.studio import Studio
    from sfumato.app.cli.consent import ask_for_consent
    from sfumato.execution.find_files import Finder
    from sfumato.progress import progress
    from sfumato.training.device import choose_device

    if each:
        config, path, place = AnimateConfig(**settings), checkpoint_path(checkpoint), choose_device(device)
        finder = Finder()
        pairs = find_portraits(portraits, finder.passed_over), find_motions(motions, finder.passed_over)
        if finder.told():
            click.echo(printable(finder.told()), err=True)
        studio = Studio(path, landmarks, place, backend=backend)
        return _animate_all(studio, *pairs, out, config, consent, overwrite=overwrite, as_json=as_json)
    if len(motions) > 1:
        raise UsageError("One video follows one motion", "Say --each for several; -o is then a folder.")
    pictures = [PortraitFile(portrait_path(name)) for name in portraits]
    consent = consent if consent is not None else ask_for_consent(pictures)
    config, driver = AnimateConfig(**settings), find_driver(motions[0])
    studio = Studio(checkpoint_path(checkpoint), landmarks, choose_device(device), stage=progress, backend=backend)
    made = studio.run(studio.job(pictures, driver, out, config, consent, overwrite=overwrite))
    _tell_surprises(made, pictures, config)
    from provenance.verifying.verify import verify

    found = verify(out)
    click.echo(json_line(record(made, found)) if as_json else describe(made, found))
    return 0


def _animate_all(
    studio: Studio, portraits: Sequence[Path], drivers: Sequence[Driver], folder: Path, config: AnimateConfig,
    consent: str | None,
    *, overwrite: bool, as_json: bool,
) -> int:  # fmt: skip
    """A batch, told as it goes. Returns 1 when something failed, else 0."""
    from sfumato.app.animation.batch import animate_all, count_states, write_sheet
    from sfumato.progress import progress

    outcomes = []
    with progress("Animating, videos", len(portraits) * len(drivers)) as advance:
        for outcome in animate_all(
            studio, portraits, drivers, folder, config, consent, overwrite=overwrite, advance=advance
        ):
            outcomes.append(outcome)
            if outcome.state == "failed":
                click.echo(f"Left out {printable(outcome.path.name)}: {printable(outcome.reason)}", err=True)
            for remark in outcome.remarks:
                click.echo(printable(remark), err=True)
            if as_json:
                click.echo(json_line({"path": str(outcome.path), "state": outcome.state, "reason": outcome.reason}))
    write_sheet(folder, outcomes)
    count = count_states(outcomes)
    if not as_json:
        click.echo(f"{printable(folder)}: {count['made']} made, {count['kept']} kept, {count['failed']} left out")
    return 1 if count["failed"] else 0


def _tell_surprises(made: LivingPortrait, pictures: Sequence[PortraitFile], config: AnimateConfig) -> None:
    """What somebody may not have expected: faces that were not taken, a motion that left something out or is shorter
    than asked for.
    """
    for remark in made.remarks:
        click.echo(printable(remark), err=True)
    if not config.faces:
        # One person file stands for several pictures; whose faces they are was settled when they were learnt.
        for picture, others in zip(pictures, made.others, strict=False):
            if others:
                click.echo(
                    f"{printable(picture.path)} shows {others + 1} faces; the largest was taken. "
                    "--face N takes another.",
                    err=True,
                )
    if config.seconds is not None and made.seconds < config.seconds - 1 / made.rate:
        click.echo(
            f"The motion ends after {made.seconds:.1f} s, before the {config.seconds:g} s of --seconds.", err=True
        )
