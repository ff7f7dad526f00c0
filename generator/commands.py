"""The generator's commands: they parse, call one library function, print."""

from __future__ import annotations

from pathlib import Path

import click

_LISTED = 20  # refused files shown by name; footage has thousands


@click.command()
@click.argument("footage", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the prepared footage.")
@click.option("--landmarks", default="mesh", show_default=True, help="Landmark backend: mesh or face-alignment.")
@click.option("--size", default=192, show_default=True, type=click.IntRange(32, 1024), help="Stored pixels of a crop.")
@click.option("--frames", default=64, show_default=True, type=click.IntRange(1, 10_000), help="Frames kept of a clip, at most.")
def prepare(footage: tuple[Path, ...], out: Path, landmarks: str, size: int, frames: int) -> None:
    """Turn FOOTAGE (videos, pictures, folders of them) into crops, landmarks and identities to train on.

    Files that are done already are kept, so an interrupted run continues where it stopped. Files without a usable face are
    listed and left out.
    """
    from generator.prepare import PrepareConfig, find_media
    from generator.prepare import prepare as prepare_footage
    from sfumato.errors import NoFaceError
    from sfumato.progress import progress
    from sfumato.text import printable

    files = find_media(list(footage))
    with progress("Preparing", len(files)) as advance:
        result = prepare_footage(files, out, PrepareConfig(size=size, frames=frames, landmarks=landmarks), advance)
    for path, reason in result.refused[:_LISTED]:
        click.echo(f"Left out {printable(path)}: {printable(reason)}", err=True)
    if len(result.refused) > _LISTED:
        click.echo(f"Left out {len(result.refused) - _LISTED} more.", err=True)
    if not result.made and not result.kept:
        raise NoFaceError(f"None of {len(files)} file(s) could be used", "Use footage in which a face is seen well.")
    click.echo(f"{printable(out)}: {result.made} made ({result.frames} frames), {result.kept} kept, {len(result.refused)} left out")


@click.command("generator")
@click.argument("dataset", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Run folder; gets the checkpoint.")
@click.option("--config", "config_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file of settings.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="One setting, e.g. model.size=64 or minutes=20.")
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ...")
@click.option("--seed", type=click.IntRange(0), help="Seed of everything random (default: the configuration's).")
@click.option("--threads", type=click.IntRange(min=1), help="Threads for torch (default: its own choice).")
def train_generator(
    dataset: tuple[Path, ...], out: Path, config_file: Path | None, overrides: tuple[str, ...], resume: bool, device: str,
    seed: int | None, threads: int | None,
) -> None:  # fmt: skip
    """Meta-train a generator on DATASETs, folders made by `sfumato prepare`.

    Some people are held out (held_out) and their names written to OUT/options.json. OUT/log.jsonl holds the losses,
    OUT/samples.png what the held-out people look like, OUT/model.safetensors the checkpoint.
    """
    import torch

    from generator.config import TrainConfig
    from generator.dataset import open_dataset
    from generator.meta_train import meta_train
    from sfumato.config import load_config
    from sfumato.progress import progress
    from sfumato.run import RunFolder, choose_device
    from sfumato.text import printable

    if threads:
        torch.set_num_threads(threads)
    config = load_config(TrainConfig, config_file, [*overrides, *([f"seed={seed}"] if seed is not None else [])])
    chosen = choose_device(device)
    footage = open_dataset(list(dataset), config.landmarks)
    folder = RunFolder(out, resume=resume)
    with progress("Training", 1.0) as advance:
        checkpoint = meta_train(footage, config, folder, chosen, resume, advance, lambda text: click.echo(f"Warning: {text}", err=True))
    click.echo(f"{printable(out / 'model.safetensors')}: {checkpoint.record['steps']} steps on {len(footage.people)} people")


@click.command()
@click.argument("video", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The motion file, something.motion.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Only the first seconds of the video.")
@click.option("--landmarks", default="mesh", show_default=True, help="Landmark backend: mesh or face-alignment.")
def motion(video: Path, out: Path, seconds: float | None, landmarks: str) -> None:
    """Turn VIDEO into a motion: a landmark track on a face that is nobody's.

    The driver's face shape is taken out; what stays is how the head, the eyes and the mouth move.
    """
    from generator.motion import track_video, write_motion
    from generator.retarget import canonical_face, without_likeness
    from sfumato.errors import UsageError
    from sfumato.media.landmarks import load_backend
    from sfumato.progress import progress
    from sfumato.text import printable

    if out.suffix != ".motion":  # before the work, not after it
        raise UsageError(f"{out} does not end in .motion", "Name the output something.motion.")
    backend = load_backend(landmarks)
    with progress("Following the face") as advance:
        track = without_likeness(track_video(video, backend, seconds, advance=advance), canonical_face())
    write_motion(out, track)
    length = float(track.times[-1])
    click.echo(f"{printable(out)}: {len(track)} frames, {length:.1f} s, neutral at {float(track.times[track.neutral]):.1f} s")


@click.command("generator")
@click.argument("checkpoint", metavar="CHECKPOINT")
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="x.onnx, or x.xml for OpenVINO.")
def export_generator(checkpoint: str, out: Path) -> None:
    """Write the network of CHECKPOINT (a path, or a shipped name) as ONNX or OpenVINO IR.

    Inputs: "guide" and "psi"; output: "head". The file names its checkpoint, and has been read back and compared with torch.
    `sfumato animate` needs no such file: it makes its own in memory.
    """
    from generator.checkpoint import checkpoint_path, load_checkpoint
    from generator.export import export_network
    from sfumato.text import printable

    difference = export_network(load_checkpoint(checkpoint_path(checkpoint)), out)
    click.echo(f"{printable(out)}: {out.stat().st_size / 1e6:.1f} MB, within {difference:.1e} of torch")
