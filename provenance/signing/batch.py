"""Signing many files: folders and patterns in, one result a file out, as each is done; a second call goes on where the
first stopped.

An output counts as done when it reads back valid, was signed with this signer's own key, declares the same, and is not
older than its source. Any other file in its place is left alone unless `overwrite` says otherwise.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provenance.formats.containers import FORMATS, UNSIGNABLE
from provenance.library.settings import reading
from provenance.library.store import SIDECAR_SUFFIX, manifest_store, open_reader
from provenance.pki.cose import read_signature
from provenance.signers.algorithms import leaf_of
from provenance.signing.sign import Signed, sign_beside, sign_file
from provenance.signing.thumbnail import has_picture
from sfumato.errors import OutputError, SfumatoError, UsageError
from sfumato.execution.find_files import Finder
from sfumato.regular_file import open_regular

if TYPE_CHECKING:
    from provenance.manifests.declaration import Declaration
    from provenance.pki.timestamp import Stamping
    from provenance.signers import Signer


@dataclass(frozen=True)
class SigningTask:
    """One file to sign. `output`: where the signed one goes; the source itself where it is to be replaced."""

    source: Path
    output: Path


@dataclass(frozen=True)
class SigningResult:
    """outcome: signed, skipped (done before), or failed; then `error` is there and the output is as it was."""

    task: SigningTask
    outcome: str
    seconds: float
    signed: Signed | None = None
    error: Exception | None = None


def signable_files() -> Finder:
    """What finds files to sign: every kind that people mean, also those that are then refused with the reason."""
    return Finder((*FORMATS, *UNSIGNABLE), patterns=True)


def find_tasks(
    named: Sequence[str],
    output: Path | None,
    *,
    in_place: bool = False,
    sidecar: bool = False,
    finder: Finder | None = None,
) -> list[SigningTask]:
    """What is to be signed and where it goes. `named`: files, folders (searched through), or patterns such as
    'in/*.mp4'.

    output: a file for one named file, else a folder, in which a named folder keeps its shape. Raises UsageError for
    nothing found, for two sources with one output, and for an output that is a source.
    """
    if sidecar and in_place:
        raise UsageError("A sidecar leaves the file as it is", "Leave --in-place out.")
    if output is not None and in_place:
        raise UsageError("-o and --in-place say where the signed files go, each otherwise", "Give one of them.")
    if output is None and not in_place and not sidecar:
        raise UsageError("Say where the signed files go", "Give -o OUT, or --in-place to replace the files themselves.")
    found = list((finder or signable_files()).find(map(Path, named)))
    if not found:
        raise UsageError("No file to sign was found", f"Looked for: {', '.join(FORMATS)}.")
    if output is None and sidecar:
        return _apart([SigningTask(file.path, file.path.with_suffix(SIDECAR_SUFFIX)) for file in found])
    if output is None:
        each = {os.path.realpath(file.path): file.path for file in reversed(found)}  # by several links, yet one file
        return [SigningTask(path, path) for path in reversed(each.values())]
    single = (
        len(found) == 1 and len(named) == 1 and not Path(named[0]).is_dir() and not output.is_dir() and output.suffix
    )
    if sidecar and single and output.suffix != SIDECAR_SUFFIX:  # a reader would take it for what its name says
        raise UsageError(f"A sidecar is called NAME{SIDECAR_SUFFIX}; {output} is not", "Name it so, or give a folder.")
    tasks = [SigningTask(file.path, output if single else output / file.inside) for file in found]
    if sidecar and not single:
        tasks = [SigningTask(task.source, task.output.with_suffix(SIDECAR_SUFFIX)) for task in tasks]
    return _apart(tasks)


def _apart(tasks: list[SigningTask]) -> list[SigningTask]:
    """Raises UsageError for two sources with one output, and for an output that is a source."""
    sources = {os.path.realpath(task.source): task.source for task in tasks}
    taken: dict[str, Path] = {}
    for task in tasks:
        place = os.path.realpath(task.output)
        if place in sources:
            advice = "Choose another folder, or ask for --in-place."
            raise UsageError(f"{task.output} is both an output and a file to be signed", advice)
        if place in taken:
            raise UsageError(
                f"{taken[place]} and {task.source} would both become {task.output}", "Sign them into different folders."
            )
        taken[place] = task.source
    return tasks


def sign_all(
    tasks: Sequence[SigningTask],
    declaration: Declaration,
    signer: Signer,
    stamping: Stamping | None = None,
    *,
    in_place: bool = False,
    sidecar: bool = False,
    workers: int = 1,
    overwrite: bool = False,
) -> Iterator[SigningResult]:
    """Results in the order in which they come. A file that cannot be signed spoils only itself; an interruption stops
    everything.

    in_place: an output may be its source. sidecar: outputs are manifests alone. An output that is done already is
    skipped; one that declares something else, or is older than its source, is not done.
    """

    def one(task: SigningTask) -> SigningResult:
        started = time.monotonic()
        try:
            if not overwrite and _done_before(task, signer, declaration, sidecar=sidecar):
                return SigningResult(task, "skipped", time.monotonic() - started)
            task.output.parent.mkdir(parents=True, exist_ok=True)
            if sidecar:
                signed = sign_beside(task.source, task.output, declaration, signer, stamping)
            else:
                signed = sign_file(task.source, task.output, declaration, signer, stamping, in_place=in_place)
        except (SfumatoError, OSError) as error:
            return SigningResult(task, "failed", time.monotonic() - started, error=error)
        return SigningResult(task, "signed", time.monotonic() - started, signed)

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="sign") as pool:
        waiting = iter(tasks)
        running: set[Future[SigningResult]] = set()
        try:
            while True:
                for task in waiting:
                    running.add(pool.submit(one, task))
                    if len(running) >= 2 * workers:
                        break
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            for future in running:
                future.cancel()


def manifest_by(path: Path, signer: Signer, sidecar: Path | None = None) -> dict[str, Any] | None:
    """The active manifest of `path`, if the file reads back valid and it was signed with the key of `signer`."""
    from c2pa import C2paError

    try:
        with open_regular(path) as file:
            reader = open_reader(path, file, reading(), sidecar, None).reader
            if reader is None:
                return None
            with reader:
                if reader.get_validation_state() not in ("Valid", "Trusted"):
                    return None
                report = json.loads(reader.json())
                label = report["active_manifest"]
                manifest: dict[str, Any] = report["manifests"][label]
                chain = read_signature(manifest_store(reader, label), label).chain
    except (OSError, C2paError, ValueError, KeyError, UsageError):
        return None
    return manifest if chain and chain[0].public_key() == leaf_of(signer.chain_pem)[1] else None


def _done_before(task: SigningTask, signer: Signer, declaration: Declaration, *, sidecar: bool) -> bool:
    """Raises OutputError if something else is in the place of the output, also a file of ours that declares something
    else.
    """
    if not os.path.lexists(task.output):
        return False
    media = task.source if sidecar else task.output
    manifest = manifest_by(media, signer, task.output if sidecar else None)
    stated = (
        manifest is not None
        and declaration.is_stated_in(manifest, media.name)
        and bool(manifest.get("thumbnail")) == (declaration.thumbnail and has_picture(media))
    )
    if task.output == task.source:
        return stated
    if manifest is not None and task.output.stat().st_mtime_ns >= task.source.stat().st_mtime_ns:
        if stated:
            return True
        raise OutputError(
            f"{task.output} is signed with this key, but declares something else", "Give --overwrite to replace it."
        )
    raise OutputError(
        f"{task.output} exists and was not signed from this file with this key", "Give --overwrite to replace it."
    )
