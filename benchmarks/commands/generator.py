"""`sfumato bench quality` and `cross`: they parse, call one library function, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmarks.commands import options as shared
from sfumato import options

if TYPE_CHECKING:
    from benchmarks.generator.quality import Measured, Result
    from benchmarks.rows.generator import Figures
    from generator.networks.checkpoint import Checkpoint

_INTERVAL = "95 % paired percentile bootstrap over clips, 2000 draws, seed {seed}; method minus the other"
_COLUMNS = {"ssim": "SSIM", "csim": "CSIM", "perceptual": "perceptual", "landmark_error": "landmarks"}


@click.command()
@shared.footage("Clips, one person each.")
@shared.clips()
@shared.checkpoint("The warp family's checkpoint: a path or a shipped name.")
@click.option(
    "--plain-checkpoint", metavar="PATH", help="The paper's family's.  [default: paper-128, without --checkpoint]"
)
@click.option("--previous", metavar="PATH", help="Another checkpoint, with which every method is compared as well.")
@click.option(
    "--shots",
    multiple=True,
    default=(1, 8, 32),
    show_default=True,
    type=click.IntRange(1),
    help="T: source frames; repeatable.",
)
@click.option("--targets", default=16, show_default=True, type=click.IntRange(2), help="Target frames of a clip.")
@shared.size("At which all methods are compared")
@options.tune_seconds("Fine-tuning of each person; 0: none.", default=20.0, most=60)
@click.option(
    "--inception",
    metavar="FILE",
    type=options.FILE,
    help="pt_inception-2015-12-05-6726825d.pth: FID as well; extra fid.",
)
@options.seed("Of fine-tuning and bootstrap.")
@shared.as_json()
@shared.record()
def quality(
    footage: Path, clips: tuple[str, ...], checkpoint: str | None, plain_checkpoint: str | None, previous: str | None,
    shots: tuple[int, ...], targets: int, size: int, tune_seconds: float, inception: Path | None, seed: int,
    as_json: bool, out: Path | None,
) -> None:  # fmt: skip
    """Self-reenactment: each clip's second half made from frames of its first.

    SSIM: 11 px Gaussian window, per picture. CSIM: cosine of SFace embeddings of output and target. Perceptual and
    FD-lite0: distances in the features of EfficientNet-Lite0, for each picture and for all. FID, with --inception: as
    FD-lite0, in those of Inception-v3. Few frames make both too large: compare methods of one table alone. Landmarks:
    error in eye distances. Learning: seconds a person. The intervals (95 %, paired bootstrap over clips) are against
    the checkpoint given as --previous, else against the warp alone, which learns nothing. Below it stand figures of the
    mouth and of how the face follows, which docs/evaluation.md explains, and what networks the numbers look through.
    """
    import json

    from benchmarks.generator.quality import PREVIOUS, PROTOCOL, QualityConfig, choose_clips, measure
    from benchmarks.metrics.inception import Inception
    from benchmarks.record import append_results, describe
    from generator.networks.checkpoint import SHIPPED
    from sfumato.execution.find_files import VIDEOS, Finder
    from sfumato.progress import progress
    from sfumato.text import printable

    config = QualityConfig(tuple(sorted(set(shots))), targets, size, tune_seconds, seed)
    through = None if inception is None else Inception(inception)
    finder = Finder(VIDEOS)
    chosen = choose_clips(footage, clips, finder)
    if finder.told():
        click.echo(printable(finder.told()), err=True)
    compared = (
        plain_checkpoint is not None or checkpoint is None
    )  # one's own checkpoint stands alone unless another is asked for
    plain, warp = _load(plain_checkpoint, SHIPPED[1]) if compared else None, _load(checkpoint, SHIPPED[0])
    checkpoints = {c.config.family: c for c in (plain, warp) if c is not None}
    if previous is not None and (older := _load(previous, previous)) is not None:
        checkpoints[PREVIOUS] = older
    with progress("Measuring", len(chosen) * len(config.shots)) as advance:
        done = measure(chosen, checkpoints, config, _shipped_digest(warp, checkpoint), advance, through)
    for path, reason in done.skipped:
        click.echo(f"Left out {printable(path)}: {printable(reason)}", err=True)
    rows = [result.row(_digest(result, checkpoints), done.footage, config) for result in done.results]
    if out is not None:
        append_results(out, rows, describe("sfumato bench quality", PROTOCOL, _INTERVAL.format(seed=seed)))
    if as_json:
        for row in rows:
            click.echo(json.dumps(row.line()))
    else:
        _print_table(done, size)


def _load(given: str | None, shipped: str) -> Checkpoint | None:
    """The checkpoint asked for, else the shipped one; None, and said so, when that is not installed."""
    from generator.networks.checkpoint import checkpoint_path, load_checkpoint
    from sfumato.errors import CheckpointError

    try:
        path = checkpoint_path(given or shipped)
    except CheckpointError as error:
        if given:
            raise
        click.echo(f"Without {shipped}: {error.message}.", err=True)
        return None
    return load_checkpoint(path)


def _shipped_digest(warp: Checkpoint | None, given: str | None) -> str | None:
    """sha256 of the checkpoint the program uses by itself, None when it is not installed."""
    from generator.networks.checkpoint import checkpoint_path
    from sfumato.errors import CheckpointError
    from sfumato.media.clips import file_digest

    if warp is not None and given is None:
        return warp.digest
    try:
        return file_digest(checkpoint_path())
    except CheckpointError:
        return None


def _digest(result: Result, checkpoints: dict[str, Checkpoint]) -> str | None:
    from benchmarks.generator.quality import TUNED

    used = checkpoints.get(result.method.removesuffix(TUNED))
    return None if used is None else used.digest


def _print_table(done: Measured, size: int) -> None:
    from benchmarks.generator.quality import PREVIOUS
    from benchmarks.tables.quality import networks_text

    other = PREVIOUS if any(r.method == PREVIOUS for r in done.results) else "warp"
    against = {f"{name}_vs_{other}": f"{_COLUMNS[name]} - {other}" for name in ("csim", "perceptual")}
    fid = any(r.fid is not None for r in done.results)
    lines = [["method", "T", *_COLUMNS.values(), "FD-lite0", *["FID"] * fid, "learning", *against.values()]]
    for r in done.results:
        distances = [f"{value:.2f}" for value in (r.fd_lite0, r.fid) if value is not None]
        numbers = [*(f"{r.scores[name]:.3f}" for name in _COLUMNS), *distances, f"{r.learning:.1f} s"]
        pairs = [r.differences.get(name) for name in against]
        intervals = ["" if pair is None else f"{pair[0]:+.3f} to {pair[1]:+.3f}" for pair in pairs]
        lines.append([r.method + (" *" if r.shipped else ""), str(r.shots), *numbers, *intervals])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        cells = [
            text.ljust(w) if column == 0 else text.rjust(w)
            for column, (text, w) in enumerate(zip(line, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
    _print_figures([(f"{r.method}, T = {r.shots}", r.figures) for r in done.results])
    legend = " * is what `sfumato animate` uses." if any(r.shipped for r in done.results) else ""
    click.echo(f"N = {done.results[0].clips} clips, {done.results[0].frames} frames at {size} px.{legend}")
    click.echo(f"Networks: {networks_text(r.networks for r in done.results)}.")


def _print_figures(rows: list[tuple[str, Figures]]) -> None:
    """A paragraph for each figure: every method's value, its interval and its sample size."""
    from benchmarks.tables.markdown import number_text

    for name in dict.fromkeys(name for _, figures in rows for name in figures):
        click.echo(f"\n{name}")
        for title, figures in rows:
            if name in figures:
                row = figures[name]
                click.echo(f"  {title:<44}  {number_text(row.value, '.4f')}, {row.of} of {row.n}")


@click.command()
@options.files("--portrait", "May be repeated.", into="portraits", metavar="PICTURE", required=True)
@options.files("--driver", "May be repeated.", into="drivers", metavar="VIDEO", required=True)
@shared.checkpoint("A checkpoint, or a shipped name.")
@click.option("--previous", metavar="PATH", help="Another checkpoint that is measured beside it.")
@shared.size("Of the output")
@click.option("--moments", default=24, show_default=True, type=click.IntRange(4), help="Of each video: for CSIM.")
@click.option(
    "--seconds", default=10.0, show_default=True, type=click.FloatRange(0.5, 60), help="Of each video, at most."
)
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a contact sheet, a sealed .png; needs --consent.",
)
@options.consent("What gives you the right to use the portraits; sealed into the sheet.")
@options.seed("Of the bootstrap.")
@shared.as_json("lists")
@shared.record()
def cross(
    portraits: tuple[Path, ...], drivers: tuple[Path, ...], checkpoint: str | None, previous: str | None, size: int,
    moments: int, seconds: float, sheet: Path | None, consent: str | None, seed: int, as_json: bool, out: Path | None,
) -> None:  # fmt: skip
    """Cross-person: every portrait follows every driver, and every driver itself. Whose face comes out, and does it
    follow?

    Beside the checkpoint stand the warp alone, which learns nothing, and what --previous names. CSIM to source and to
    driver: cosine of SFace embeddings of the output and of the portrait, and of the driver at that moment. Shape:
    distance of contour, brows and nose from the portrait's and from the driver's, in eye distances. The other figures
    are explained in docs/evaluation.md.
    """
    import json
    from dataclasses import replace

    from benchmarks.generator.cross_person import PROTOCOL, CrossConfig, measure
    from benchmarks.generator.quality import PREVIOUS
    from benchmarks.record import append_results, describe
    from benchmarks.rows.generator import DrivenRow
    from benchmarks.tables.quality import networks_text
    from generator.networks.checkpoint import SHIPPED, TRAINING_FREE
    from generator.networks.landmark_warp import landmark_warp
    from generator.rendering.animator import Animator
    from sfumato.errors import UsageError
    from sfumato.progress import progress
    from sfumato.text import printable

    if sheet is not None and (not consent or sheet.suffix.lower() != ".png"):
        raise UsageError(
            "A contact sheet shows people as they never moved", "Name it something.png and say --consent TEXT."
        )
    given = _load(checkpoint or SHIPPED[0], SHIPPED[0])
    if given is None:
        raise UsageError("There is no checkpoint to measure", "Name one with --checkpoint.")
    method = "warp" if given.config.family == TRAINING_FREE else given.config.family
    checkpoints = {method: given}
    if previous is not None and (older := _load(previous, previous)) is not None:
        checkpoints[PREVIOUS] = older
    checkpoints.setdefault("warp", replace(landmark_warp(), landmarks=given.landmarks))
    config = CrossConfig(size, moments, seconds, seed)
    with progress("Measuring", (len(portraits) + 1) * len(drivers) * len(checkpoints)) as advance:
        animators = {name: Animator(each) for name, each in checkpoints.items()}
        done = measure(list(portraits), list(drivers), animators, config, advance)
    for path, reason in done.skipped:
        click.echo(f"Left out {printable(path)}: {printable(reason)}", err=True)
    models = {name: None if name == "warp" else each.digest for name, each in checkpoints.items()}
    shipped = method if given.digest == _shipped_digest(given, checkpoint) else ""
    rows = done.rows(models, shipped, config)
    if out is not None:
        interval = "95 % percentile bootstrap over pairs, 2000 draws, seed {seed}; versus: method minus the other"
        append_results(out, rows, describe("sfumato bench cross", PROTOCOL, interval.format(seed=seed)))
    if sheet is not None:
        _write_sheet(sheet, done.sheet, given, portraits, str(consent))
    if as_json:
        for row in rows:
            click.echo(json.dumps(row.line()))
        return
    _print_figures([(f"{row.method}, {row.driving}", row.figures) for row in rows if isinstance(row, DrivenRow)])
    click.echo(f"\nFaces were read by {', '.join(done.readers)}.")
    click.echo(f"Networks: {networks_text([done.networks])}.")


def _write_sheet(path: Path, sheet: Any, checkpoint: Checkpoint, portraits: tuple[Path, ...], consent: str) -> None:
    """Sealed as every generated picture is."""
    from provenance.manifests.declaration import Declaration
    from provenance.signing.seal import development_signer
    from provenance.signing.sign import sign_file
    from sfumato.media.images import write_image
    from sfumato.media.video.private_folder import private_folder

    parameters = {"consent": consent, "family": checkpoint.config.family}
    declaration = Declaration(
        title="Contact sheet of living portraits", model_name=checkpoint.config.family, model_digest=checkpoint.digest,
        portraits=portraits, parameters=parameters,
    )  # fmt: skip
    with private_folder() as folder:
        unsealed = folder / "sheet.png"
        write_image(unsealed, sheet)
        sign_file(unsealed, path, declaration, development_signer())
