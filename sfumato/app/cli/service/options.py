"""What the commands of the service share: where it keeps things, what it judges with, which extra it needs.

A command's body imports the service through `required`, so that an extra that is not installed is named.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfumato import options
from sfumato.errors import MissingPartError, UsageError, install_extra
from sfumato.limits import MEGABYTE

if TYPE_CHECKING:
    from sfumato.app.service.running import Judges

VARIABLE = "SFUMATO_DATABASE"
FOLDER = options.NewFolder("uploads", "service.sqlite3*")
_JUDGING = ("workers", "trust", "allowed_list", "repository", "model", "timeout", "memory", "audit")


def folder() -> options.Decorator[Any]:
    """--folder: of uploads, and of the database unless that is elsewhere."""
    return click.option(
        "--folder", type=FOLDER, default="sfumato-service", show_default=True, help="Holds uploads and the database."
    )


def database() -> options.Decorator[Any]:
    """--database: None for an SQLite file in the folder. A password is better kept in the variable."""
    return click.option(
        "--database", metavar="URL", envvar=VARIABLE,
        help=f"postgresql+psycopg://..., or by the variable {VARIABLE}.  [default: an SQLite file in the folder]",
    )  # fmt: skip


def judging(command: Callable[..., Any]) -> Callable[..., Any]:
    """How files are judged: as the options of `sfumato scan`."""
    for option in reversed(
        [
            options.workers("Files judged side by side, each in a process.", 1),
            options.trust("PEM of signers to believe.", metavar=None),
            options.allowed_list(),
            options.repository("Where the manifest that a watermark names is looked up."),
            options.model(),
            click.option("--timeout", type=click.FloatRange(1), default=3600.0, show_default=True,
                         help="Seconds for one file."),
            click.option("--memory", type=click.IntRange(256), default=1500, show_default=True,
                         help="MB of one process."),
            click.option("--audit", type=options.NEW_FILE, metavar="LOG",
                         help="Append each verdict to this log, signed (docs/audit.md)."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


@contextmanager
def judges(
    workers: int, trust: tuple[Path, ...], allowed_list: tuple[Path, ...], repository: str | None, model: Path | None,
    timeout: float, memory: int, audit: Path | None,
) -> Iterator[Judges]:  # fmt: skip
    """Raises what `ScanSetup.scanner` and `AuditedScan` raise, before anything is served."""
    from functools import partial

    from provenance.durable.repository import place_without_secrets
    from provenance.pki.allowed_list import load_allowed_list
    from provenance.pki.certificates import read_anchors
    from sfumato.app.scan.audited import AuditedScan
    from sfumato.app.scan.setup import ScanSetup
    from sfumato.execution.executor import Limits
    from sfumato.media.clips import file_digest

    running = required("sfumato.app.service.running")
    judging_module = importlib.import_module("sfumato.app.service.judging")
    allowed = frozenset[str]().union(*(load_allowed_list(path).fingerprints for path in allowed_list))
    roots = tuple(read_anchors(file) for file in trust)
    model = None if model is None else model.absolute()  # a process that judges is in the folder of its file
    if repository is not None and "://" not in repository:
        repository = str(Path(repository).expanduser().absolute())
    given = {"signers": trust, "allowed": allowed_list}
    lists = tuple((what, file_digest(file)) for what, named in given.items() for file in named)
    setup = ScanSetup(roots, allowed, model=model, repository=repository, lists=lists)
    scanner, begin = setup.scanner(), partial(judging_module.begin_in_folders, setup)
    limits, lock = Limits(timeout, memory * MEGABYTE), threading.Lock()
    with ExitStack() as stack:
        if audit is None:
            yield running.Judges(scanner, begin, workers, limits)
            return
        asked = {"repository": None if repository is None else place_without_secrets(repository)}
        audited = stack.enter_context(AuditedScan(audit, scanner, lists, asked))

        def told(record: dict[str, Any]) -> None:
            with lock:
                audited.add_plain(record)

        yield running.Judges(scanner, begin, workers, limits, told)


def refuse_judging(why: str) -> None:
    """Raises UsageError where an option of `judging` was given to the command that runs."""
    context = click.get_current_context()
    for option in _JUDGING:
        source = context.get_parameter_source(option)
        if source is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(f"{why}: --{option.replace('_', '-')} has no use", "Leave it out, or give it to: work.")


def required(module: str) -> Any:
    """A module of the service. Raises MissingPartError where the extra is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingPartError(
            f"The service needs {error.name}, which is not installed", install_extra("serve")
        ) from error
