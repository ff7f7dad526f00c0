"""The generator's commands: they parse, call one library function, print."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from generator.acting.temperament import TEMPERAMENTS
from generator.presets import PRESETS, preset_path
from sfumato import options

_LANDMARKS = click.option(
    "--landmarks", default="mesh", show_default=True, help="Landmark backend: mesh or face-alignment."
)
_LISTED = 20  # refused files, and remarks on files, that are shown; footage has thousands
_COUNTED = 20_000  # files that are counted before the work, for the progress bar


@click.command()
@click.argument("footage", nargs=-1, required=True, type=options.ANY)
@options.output("Folder for the prepared footage.", folder=options.NewFolder("dataset.json", "shards"))
@_LANDMARKS
@click.option("--size", default=192, show_default=True, type=click.IntRange(32, 1024), help="Stored pixels of a crop.")
@options.frames("Frames kept of a shot, at most.", default=64, most=512)
@options.workers("Files read at once, a process each.")
@click.option("--limit", type=click.IntRange(1), help="Only the first files.")
@click.option(
    "--per-person",
    type=click.IntRange(1),
    help="Only the first files of each person that the folders or names tell apart.",
)
@options.choice(
    "--people", ["layout", "folders"], "layout",
    "Whom files show: known layouts (VoxCeleb, HDTF) say it, or each folder below FOOTAGE is a person.",
)  # fmt: skip
@options.overrides("A limit of the screening, e.g. largest_turn=45.")
@click.option(
    "--report/--no-report", default=True, show_default=True, help="Write OUT/report.html, a page with pictures."
)
def prepare(
    footage: tuple[Path, ...], out: Path, landmarks: str, size: int, frames: int, workers: int, limit: int | None,
    per_person: int | None,
    people: Literal["layout", "folders"], overrides: tuple[str, ...], report: bool,
) -> None:  # fmt: skip
    """Turn FOOTAGE (videos, pictures, folders of them) into crops, landmarks and identities to train on.

    Files that are done already are kept, so an interrupted run continues where it stopped. Files and frames without a
    usable face are counted by reason and left out. VoxCeleb's test part, and any folder named test, is prepared but
    never trained on.
    """
    from itertools import islice

    from generator.data.footage import choose, find_sources
    from generator.data.prepare import prepare as prepare_footage
    from generator.data.prepare_report import write_report
    from generator.data.reading import PrepareConfig
    from sfumato.config import load_config
    from sfumato.errors import NoFaceError
    from sfumato.execution.find_files import Finder
    from sfumato.progress import progress
    from sfumato.text import left_out, printable

    chosen = [f"landmarks={landmarks}", f"size={size}", f"frames={frames}"]
    config = load_config(PrepareConfig, None, [*chosen, *overrides])
    selection: dict[str, Any] = {"people": people, "limit": limit or 0, "per_person": per_person or 0}
    known = sum(1 for _ in islice(choose(find_sources(footage, people), limit or 0, per_person or 0), _COUNTED))
    finder = Finder()
    with progress("Preparing", known if known < _COUNTED else None) as advance:
        result = prepare_footage(list(footage), out, config, advance, workers=workers, finder=finder, **selection)
    for line in [*left_out(result.refused, _LISTED), *([printable(finder.told())] if finder.told() else [])]:
        click.echo(line, err=True)
    for what, counts in (("files", result.reasons), ("frames", result.dropped)):
        if counts:
            click.echo(
                f"Left out, {what}: {', '.join(f'{reason} {count}' for reason, count in counts.most_common())}",
                err=True,
            )
    for line in result.remarks[:_LISTED]:
        click.echo(printable(line, 400), err=True)
    if len(result.remarks) > _LISTED:
        click.echo(f"{len(result.remarks) - _LISTED} more remarks on files.", err=True)
    if not result.made and not result.kept:
        raise NoFaceError(
            f"None of {len(result.refused)} file(s) could be used", "Use footage in which a face is seen well."
        )
    if report:
        click.echo(f"Report: {printable(write_report(out, result))}", err=True)
    if result.named:
        kept_out = f"; {result.held_out} file(s) are kept for testing" if result.held_out else ""
        click.echo(f"The layout names {len(result.named)} people{kept_out}", err=True)
    click.echo(
        f"{printable(out)}: {result.made} made ({result.frames} frames), {result.kept} kept, "
        f"{len(result.refused)} left out"
    )


@click.command("generator")
@click.argument("dataset", nargs=-1, required=True, type=options.FOLDER)
@options.output("The pack, something.pack.")
@options.overwrite()
@click.option("--size", default=128, show_default=True, type=click.IntRange(32, 1024), help="Pixels of a picture.")
@options.frames("Frames of a clip, at most; only clips of 24 can be held out.", default=32, least=24, most=512)
@options.quality()
def pack_generator(
    dataset: tuple[Path, ...], out: Path, overwrite: bool, size: int, frames: int, quality: int
) -> None:  # fmt: skip
    """Pack DATASETs, folders made by `sfumato prepare`, into one small file to train on elsewhere.

    Everybody stays who they are: the same people are told apart, held out and kept for testing. A pack holds pictures
    of the footage; whoever gets it must have the right to them.
    """
    from generator.data.dataset import open_dataset, pack_dataset
    from sfumato.atomic import require_free
    from sfumato.progress import progress
    from sfumato.text import printable
    from sfumato.training.pack import require_pack_name

    require_pack_name(out)
    require_free(out, overwrite)
    footage = open_dataset(list(dataset))
    clips = sum(len(person.clips) for person in footage.people)
    with progress("Packing", clips) as advance:
        count = pack_dataset(footage, out, size, frames, quality, advance)
    click.echo(f"{printable(out)}: {count} pictures of {clips} clips, {out.stat().st_size / 2**20:.1f} MB")


@click.command("generator", epilog="Presets: " + ". ".join(f"{name}, {what}" for name, what in PRESETS.items()) + ".")
@click.argument("dataset", nargs=-1, required=True, type=options.ANY)
@options.output("Run folder; gets the checkpoint.", folder=options.RUN)
@click.option("--preset", type=click.Choice(list(PRESETS)), help="Settings to start from (see below).")
@options.config_file("TOML file, over the preset.")
@options.overrides("One setting, over both, e.g. model.size=64 or minutes=20.")
@options.resume()
@options.piece()
@options.device("auto, cpu, cuda, cuda:1, ...")
@options.seed("Seed of everything random (default: the configuration's).", default=None)
@options.threads()
def train_generator(
    dataset: tuple[Path, ...], out: Path, preset: str | None, config_file: Path | None, overrides: tuple[str, ...],
    resume: bool, piece: float | None,
    device: str, seed: int | None, threads: int | None,
) -> None:  # fmt: skip
    """Meta-train a generator on DATASETs, folders made by `sfumato prepare` or packs of them.

    Some people are held out (held_out) and their names written to OUT/options.json. OUT/log.jsonl holds the losses,
    OUT/samples.png what the held-out people look like, OUT/model.safetensors the checkpoint, OUT/best.safetensors the
    one with the highest SSIM + CSIM on them. Several GPUs: torchrun --nproc-per-node N -m sfumato train generator ...
    """
    import torch

    from generator.config import TrainConfig
    from generator.data.dataset import open_dataset
    from generator.losses.perceptual import require_weights
    from generator.training.meta_train import meta_train
    from generator.training.schedule import share_of
    from sfumato.config import load_config
    from sfumato.progress import progress
    from sfumato.run import RunFolder
    from sfumato.text import printable
    from sfumato.training.distributed import ranks_of_this_run
    from sfumato.training.piece import Piece

    this = Piece(piece)
    if threads:
        torch.set_num_threads(threads)
    settings = [*overrides, *([f"seed={seed}"] if seed is not None else [])]
    config = load_config(TrainConfig, config_file, settings, base=preset_path(preset) if preset else None)
    footage = open_dataset(list(dataset), config.landmarks)  # what was asked about comes before what is missing here
    require_weights(config.loss)

    def warn(text: str) -> None:
        click.echo(f"Warning: {text}", err=True)

    folder = RunFolder(out, resume=resume)  # on every rank, before they meet: what is wrong is then wrong for all
    with ranks_of_this_run(device) as ranks:
        if not ranks.first:
            meta_train(footage, config, folder, ranks.device, resume, ranks=ranks, piece=this)
            return
        with progress("Training", 1.0) as advance:
            checkpoint = meta_train(footage, config, folder, ranks.device, resume, advance, warn, ranks, this)
    training = len(footage.split(config.held_out)[0])
    people = f"{training} people, {len(footage.people) - training} held out"
    click.echo(f"{printable(out / 'model.safetensors')}: {checkpoint.record['steps']} steps on {people}")
    share = share_of(config, int(checkpoint.record["steps"]), float(checkpoint.record["seconds"]))
    if share < 1:
        click.echo(f"{share:.0%} of the run is done; --resume goes on", err=True)


@click.command("mouth")
@click.argument("dataset", nargs=-1, required=True, type=options.ANY)
@options.output("Run folder; gets the checkpoint.", folder=options.RUN)
@options.config_file("TOML file.")
@options.overrides("One setting, e.g. start=portrait-256 or minutes=20.")
@options.resume()
@options.device("auto, cpu, cuda, cuda:1, ...")
@options.seed("Seed of everything random (default: the configuration's).", default=None)
@options.threads()
def train_mouth(
    dataset: tuple[Path, ...], out: Path, config_file: Path | None, overrides: tuple[str, ...], resume: bool,
    device: str, seed: int | None, threads: int | None,
) -> None:  # fmt: skip
    """Teach a checkpoint of the warp family to paint open mouths, on DATASETs made by `sfumato prepare` or packs.

    The checkpoint (setting start) stays as it is; what comes out has a painter beside it. Photographs of people who
    show their teeth teach as well as clips. OUT/log.jsonl holds the losses and how much is painted inside open lips,
    OUT/samples.png mouths of held-out people, OUT/model.safetensors the checkpoint, OUT/best.safetensors the best on
    held-out people.
    """
    import torch

    from generator.config import MouthConfig
    from generator.data.dataset import open_dataset
    from generator.training import mouth_train
    from sfumato.config import load_config
    from sfumato.progress import progress
    from sfumato.run import RunFolder
    from sfumato.text import printable
    from sfumato.training.device import choose_device

    if threads:
        torch.set_num_threads(threads)
    settings = [*overrides, *([f"seed={seed}"] if seed is not None else [])]
    config = load_config(MouthConfig, config_file, settings)
    footage = open_dataset(list(dataset))
    where = choose_device(device)
    base = mouth_train.start_of(config, footage, where)
    folder = RunFolder(out, resume=resume)

    def warn(text: str) -> None:
        click.echo(f"Warning: {text}", err=True)

    with progress("Gathering mouths", sum(len(person.clips) for person in footage.people)) as advance:
        mouths = mouth_train.gather_split(footage, config, base.config.size, advance)
    with progress("Training", 1.0) as advance:
        checkpoint = mouth_train.train_mouth(footage, *mouths, base, config, folder, where, resume, advance, warn)
    about = checkpoint.record["mouth"]
    click.echo(f"{printable(out / 'model.safetensors')}: {about['steps']} steps on {about['mouths']} mouths")


@click.command()
@click.argument("video")
@options.output("The motion file, something.motion.")
@options.overwrite()
@options.seconds("Only the first seconds of the video.")
@options.neutral("Seconds into the video at which the face is calm; found unless given.")
@options.smooth("How much jitter to take out.")
@_LANDMARKS
def motion(
    video: str, out: Path, overwrite: bool, seconds: float | None, neutral: float | None, smooth: float, landmarks: str
) -> None:  # fmt: skip
    """Turn VIDEO into a motion: a landmark track on a face that is nobody's.

    VIDEO may be a camera: its index, or camera:INDEX. It is followed for --seconds, or until Ctrl-C. The driver's face
    shape is taken out; what stays is how the head, the eyes and the mouth move.
    """
    from generator.motion.retarget import canonical_depth, canonical_face, without_likeness
    from generator.motion.track import (
        camera_index,
        require_moving,
        track_frames,
        track_video,
        with_neutral,
        write_motion,
    )
    from sfumato.atomic import require_free
    from sfumato.errors import MissingFileError, UsageError
    from sfumato.media.landmarks import load_backend
    from sfumato.progress import progress
    from sfumato.text import printable

    if out.suffix != ".motion":  # before the work, not after it
        raise UsageError(f"{out} does not end in .motion", "Name the output something.motion.")
    require_free(out, overwrite)
    backend = load_backend(landmarks)
    index = camera_index(video)
    if index is None:
        if not Path(video).is_file():
            raise MissingFileError(f"There is no video {video}", "Name a video file, or a camera's index.")
        path = require_moving(Path(video))
        with progress("Following the face") as advance:
            track = track_video(path, backend, seconds, advance=advance, smooth=smooth)
    else:
        from sfumato.media.video.camera import Camera, stopped_by_interrupt

        with (
            stopped_by_interrupt() as stop,
            Camera(index, seconds=seconds, stop=stop) as camera,
            progress("Following the camera; Ctrl-C ends it") as advance,
        ):
            track = track_frames(camera, f"camera {index}", backend, advance=advance, smooth=smooth)
    for remark in track.remarks:
        click.echo(printable(remark), err=True)
    track = track if neutral is None else with_neutral(track, neutral)
    track = without_likeness(track, canonical_face(), canonical_depth())
    write_motion(out, track)
    length = float(track.times[-1])
    click.echo(
        f"{printable(out)}: {len(track)} frames, {length:.1f} s, neutral at {float(track.times[track.neutral]):.1f} s"
    )


@click.command(epilog=f"Temperaments: {'. '.join(f'{one.name}, {one.about}' for one in TEMPERAMENTS.values())}.")
@click.argument("temperament", type=click.Choice(list(TEMPERAMENTS)))
@options.output("The motion file, something.motion.")
@options.overwrite()
@options.seconds("Length of the motion, 3 to 120 seconds (default: that of the one that ships).")
@options.seed("Another seed is another performance (default: that of the one that ships).", default=None)
def act(temperament: str, out: Path, overwrite: bool, seconds: float | None, seed: int | None) -> None:
    """Make a motion that nobody made: a face that is nobody's acts by rules and chance.

    It talks without words, laughs, turns, blinks and looks about, as TEMPERAMENT does, and its end leads to its start.
    The same arguments make the same file; without --seconds and --seed, the one that ships.
    """
    from generator.acting.act import act as perform
    from generator.motion.track import write_motion
    from sfumato.atomic import require_free
    from sfumato.errors import UsageError
    from sfumato.text import printable

    if out.suffix != ".motion":
        raise UsageError(f"{out} does not end in .motion", "Name the output something.motion.")
    require_free(out, overwrite)
    track = perform(TEMPERAMENTS[temperament], seed, seconds)
    write_motion(out, track)
    click.echo(f"{printable(out)}: {len(track)} frames, {len(track) / track.rate:.1f} s")


@click.command("generator")
@click.argument("checkpoint", metavar="CHECKPOINT")
@options.output("x.onnx, or x.xml for OpenVINO.")
@options.overwrite()
def export_generator(checkpoint: str, out: Path, overwrite: bool) -> None:
    """Write the network of CHECKPOINT (a path, or a shipped name) as ONNX or OpenVINO IR.

    Inputs: "guide" and "psi"; output: "head". The file names its checkpoint, and has been read back and compared with
    torch. `sfumato animate` needs no such file: it makes its own in memory.
    """
    from generator.compiler.export import export_network
    from generator.networks.checkpoint import checkpoint_path, load_checkpoint
    from sfumato.atomic import require_free
    from sfumato.text import printable

    for path in (out, out.with_suffix(".bin")) if out.suffix == ".xml" else (out,):
        require_free(path, overwrite)
    difference = export_network(load_checkpoint(checkpoint_path(checkpoint)), out)
    click.echo(f"{printable(out)}: {out.stat().st_size / 1e6:.1f} MB, within {difference:.1e} of torch")
