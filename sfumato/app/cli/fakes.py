"""The commands `sfumato fakes` and `sfumato train autoencoder`: they parse, call the library, print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sfumato import options
from sfumato.errors import UsageError
from sfumato.text import left_out

_KINDS = ("animated", "swap", "composite", "autoencoder")  # as plan.KINDS, which need not be loaded for --help


@click.command("fakes")
@click.argument("clips", type=options.FILE)
@click.option("--kind", "kinds", multiple=True, type=click.Choice(_KINDS), default=("animated",), show_default=True,
              help="May be repeated: each kind for its own share of the people.")  # fmt: skip
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    metavar="PATH|NAME",
    help=f"A generator, for animated, composite; repeatable.  [{options.GENERATOR}]",
)
@options.files("--autoencoder", "Of `sfumato train autoencoder`; repeatable.", into="autoencoders")
@click.option("-o", "--output", "out", required=True, help="Name of the new list, beside CLIPS.")
@click.option(
    "--only-pairs", is_flag=True, help="List fakes and twins alone, without the other reals of CLIPS: for evaluation."
)
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write a picture: real twins beside their fakes.",
)
@options.config_file()
@options.overrides("One setting, e.g. share=0.5.")
def fakes(
    clips: Path, kinds: tuple[str, ...], checkpoints: tuple[str, ...], autoencoders: tuple[Path, ...], out: str,
    only_pairs: bool,
    sheet: Path | None, config_file: Path | None, overrides: tuple[str, ...],
) -> None:  # fmt: skip
    """Fake people of CLIPS (clips.jsonl) and list the fakes with their real twins, for `sfumato train detector`.

    Fakes that CLIPS lists already stay in the new list, so that several calls can add to it in turn.
    """
    from detector.data.fakes.autoencoder import load_autoencoder
    from generator.networks.checkpoint import checkpoint_path, load_checkpoint
    from provenance.signing.seal import development_signer
    from sfumato.app.fakes.make import make_fakes
    from sfumato.app.fakes.makers import TakeMaker
    from sfumato.app.fakes.plan import FakesConfig
    from sfumato.app.fakes.sheet import write_sheet
    from sfumato.config import load_config
    from sfumato.media.clips import TWIN, check_disjoint, read_clips, write_clips
    from sfumato.progress import progress

    if Path(out).name != out:
        raise UsageError(
            f"--output {out} is not a plain file name",
            "The list lies beside CLIPS, because its paths are relative to it.",
        )
    if (clips.parent / out).resolve() == clips.resolve():
        raise UsageError(
            f"--output {out} is CLIPS itself", "Choose another name: CLIPS is what a stopped call goes on from."
        )
    config = load_config(FakesConfig, config_file, overrides)
    rows = list(read_clips(clips))
    check_disjoint(rows)
    names = checkpoints or ((options.GENERATOR,) if {"animated", "composite"} & set(kinds) else ())
    loaded = [load_checkpoint(checkpoint_path(name)) for name in names]
    maker = TakeMaker(clips, config, loaded, [load_autoencoder(path) for path in autoencoders])
    chosen: list[Any] = list(dict.fromkeys(kinds))
    for kind in chosen:
        maker.require(kind)
    signer, made = development_signer(), []
    for kind in chosen:
        with progress(f"Making fakes: {kind}") as advance:
            pairs = make_fakes(maker, rows, kind, signer, lambda amount, total: advance(amount))
        click.echo(f"{kind}: {len(pairs) // 2} fakes and their twins", err=True)
        made += pairs
    for line in left_out(maker.refused.items()):
        click.echo(line, err=True)
    known = {row.path for row in made}
    listed = [*(row for row in rows if row.path not in known), *made]
    check_disjoint(listed)
    if sheet is not None:
        write_sheet(sheet, clips, made)
    if only_pairs:
        listed = [row for row in listed if row.label == "fake" or row.method == TWIN]
    click.echo(
        f"{write_clips(clips.parent / out, listed)} clips, {len(made)} of them fakes of this call and their twins",
        err=True,
    )
    click.echo(clips.parent / out)


@click.command("autoencoder")
@click.argument("clips", type=options.FILE)
@options.output("The file to write, *.safetensors.")
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), default=4.0, show_default=True, help="Time for training."
)
@options.seed("Odd seeds upsample by transposed convolutions.")
def train_autoencoder_command(clips: Path, out: Path, minutes: float, seed: int) -> None:
    """Train an autoencoder on the reals of CLIPS's training split, for `sfumato fakes --kind autoencoder`."""
    from detector.data.fakes.autoencoder import save_autoencoder, train_autoencoder
    from sfumato.app.fakes.crops import crop_batches
    from sfumato.media.clips import read_clips
    from sfumato.progress import progress

    if out.suffix != ".safetensors":
        raise UsageError(f"{out} does not end in .safetensors", "Name the file so; other programs go by it.")
    rows = list(read_clips(clips))
    with progress("Training the autoencoder", 1.0) as advance:
        trained = train_autoencoder(crop_batches(clips, rows, seed), 60 * minutes, seed=seed, advance=advance)
    save_autoencoder(out, trained)
    click.echo(
        f"{trained.config.upsampling}, {trained.record['steps']} steps, loss {trained.record['loss']:.3f}", err=True
    )
    click.echo(out)
