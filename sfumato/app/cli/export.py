"""`sfumato export detector`: it parses, calls the export, prints how near the two are."""

from __future__ import annotations

from pathlib import Path

import click

from detector.inference import backend_names
from sfumato import options


@click.command("detector")
@click.argument("source", required=False, metavar="[RUN|FOLDER]", type=options.FOLDER)
@options.output("The folder for `scan --model`.", folder=options.DETECTOR)
@click.option(
    "--backend",
    default=backend_names.DEFAULT,
    show_default=True,
    metavar="NAME",
    help=backend_names.listed() + ".",
)
@options.overwrite("Replace the detector that is there.")
def detector(source: Path | None, out: Path, backend: str, overwrite: bool) -> None:
    """Write a detector for one backend: of a training RUN, of a detector's FOLDER, or the one that ships.

    Refused unless it tells paintings from fakes of them as the source does: AUC within .005, every calibrated logit
    within .1 (bf16: .5).
    """
    from detector.inference.bundle import RECORD
    from sfumato.app.detector_export import export_detector
    from sfumato.atomic import require_free
    from sfumato.text import printable

    require_free(out / RECORD, overwrite)
    found = export_detector(source, out, backend)
    apart = f"AUC {found.exported_auc:.4f} against {found.auc:.4f}, logits within {found.largest_logit_difference:.4f}"
    click.echo(f"{printable(out)}: {apart} on {found.crops} crops a class")
