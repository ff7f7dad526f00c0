"""`sfumato bench baseline`: it parses, calls one library function, prints."""

from __future__ import annotations

from pathlib import Path

import click

from sfumato import options


@click.command("baseline")
@click.argument("name", type=click.Choice(["meso4", "imagenet"]))
@click.argument("clips", type=options.FILE)
@options.output("File of weights (safetensors).")
@options.number("--steps", 4000, click.IntRange(1), "Steps of meso4's training.")
@options.frames("Frames of a video to learn from.", default=8, most=1000)
@options.seed("Of meso4's training.")
@options.threads()
def baseline(name: str, clips: Path, out: Path, steps: int, frames: int, seed: int, threads: int | None) -> None:
    """Train an outside detector on the splits train and validation of CLIPS (clips.jsonl): Meso4, or a logistic probe
    on ImageNet features. `sfumato evaluate --detector benchmarks.baselines.detectors:Meso4` (or ImageNetProbe) then
    measures it beside others, with SFUMATO_MESO4 (or SFUMATO_PROBE) naming the file.
    """
    import tempfile

    import torch

    from benchmarks.baselines import imagenet_probe, meso4
    from benchmarks.baselines.detectors import probe_tensors, write_baseline
    from benchmarks.baselines.examples import count, read_examples
    from sfumato.atomic import require_writable
    from sfumato.progress import progress

    require_writable(out)
    if threads is not None:
        torch.set_num_threads(threads)
    backbone = imagenet_probe.imagenet_backbone() if name == "imagenet" else None
    side = imagenet_probe.SIDE if backbone is not None else meso4.SIDE
    with tempfile.TemporaryDirectory(prefix="sfumato-") as place:
        with progress("Looking for faces", count(clips)) as advance:
            train = read_examples(clips, "train", frames, side, Path(place) / "train", advance)
            validation = read_examples(clips, "validation", frames, side, Path(place) / "validation", advance)
        if backbone is not None:
            with progress("Looking at crops", len(train.labels) + len(validation.labels)) as advance:
                seen = [imagenet_probe.features_of(backbone, part.crops, advance) for part in (train, validation)]
            probe, known = imagenet_probe.train_probe(train, seen[0], validation, seen[1])
            tensors = probe_tensors(probe)
        else:
            with progress("Training", steps) as advance:
                net, known = meso4.train_meso4(train, validation, meso4.Meso4Config(steps, seed=seed), advance)
            tensors = net.state_dict()
        write_baseline(out, name, tensors, known)
    left_out = train.left_out + validation.left_out
    if left_out:
        click.echo(f"{left_out} videos without a face, or that cannot be read, were left out", err=True)
    click.echo(f"Validation AUC over videos: {known['validation_auc']:.3f}", err=True)
    click.echo(out)
