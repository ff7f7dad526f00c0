"""What the options of all commands have in common: one spelling, one type, one meaning each. Imports click, the
errors and the limits alone.

`-o/--output` is what is written, `--overwrite` replaces it, `--workers` are processes or threads side by side,
`--model` is the folder of a detector, `--seed` is that of everything random, `--json` is for programs. An input that is
not there ends every command with the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from sfumato.errors import MediaError, MissingFileError, OutputError
from sfumato.limits import JUDGED_FRAMES

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]


class InputPath(click.Path):
    """A path that must be there. Raises MissingFileError where it is not, and click's error where it is of the wrong
    kind.
    """

    def __init__(self, *, file: bool = True, folder: bool = True) -> None:
        super().__init__(exists=True, file_okay=file, dir_okay=folder, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            path = super().convert(value, param, ctx)
        except click.BadParameter:
            if not Path(value).exists():
                raise MissingFileError(f"{self.name.capitalize()} {str(value)!r} does not exist") from None
            raise
        if not Path(value).is_file() and not Path(value).is_dir():  # a pipe or a device, which may never end
            raise MediaError(f"{str(value)!r} is not a regular file", "Copy what it gives into a file first.")
        return path


class NewFolder(click.Path):
    """A folder that a command fills as a whole: new, empty, or one that it filled before, which holds something called
    as one of `holds` (names or patterns). Raises OutputError for a folder of other things; hidden files count for
    nothing.
    """

    def __init__(self, *holds: str) -> None:
        super().__init__(file_okay=False, path_type=Path)
        self.holds = holds

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        folder = Path(str(super().convert(value, param, ctx)))
        try:
            there = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        except OSError as error:
            raise OutputError(f"Cannot look into {folder}: {error.strerror}", "Choose another folder.") from error
        there = [name for name in there if not name.startswith(".")]
        if there and not any(fnmatch(name, pattern) for name in there for pattern in self.holds):
            raise OutputError(
                f"{folder} holds other things ({there[0]!r}{', ...' if len(there) > 1 else ''})",
                "Choose a new or an empty folder: this one is filled as a whole.",
            )
        return folder


GENERATOR = "portrait-256"  # the checkpoint that every command takes unless another is named
FILE = InputPath(folder=False)
FOLDER = InputPath(file=False)
ANY = InputPath()
DETECTOR = NewFolder("detector.*")  # its record, and the network of either backend
RUN = NewFolder("options.json", "crops", "weights")  # crops are cut before a run is written down
SCAN_RUN = NewFolder("options.json", "records.jsonl")
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


def output(
    what: str, *, folder: NewFolder | None = None, anything: bool = False, required: bool = True, **more: Any
) -> Decorator[Any]:
    """-o, --output: the file, or `folder`, that is written; the command's parameter is `out`. `anything`: the command
    itself says what it may be.
    """
    kind = click.Path(path_type=Path) if anything else folder or NEW_FILE
    return click.option("-o", "--output", "out", required=required, type=kind, help=what, **more)


def overwrite(what: str = "Replace what is there.") -> Decorator[Any]:
    """--overwrite."""
    return click.option("--overwrite", is_flag=True, help=what)


def as_json(what: str) -> Decorator[Any]:
    """--json: the command's parameter is `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=what)


def model(what: str = "Folder of another detector.") -> Decorator[Any]:
    """--model: the folder of a detector, None for the one that ships."""
    return click.option("--model", type=FOLDER, help=what)


def workers(what: str, default: int | None = 1, most: int = 256) -> Decorator[Any]:
    """--workers: so many things at once."""
    shown = default is not None
    return click.option("--workers", default=default, show_default=shown, type=click.IntRange(1, most), help=what)


def cluster(who: str) -> Decorator[Any]:
    """--executor and --address. The command's parameter is `cluster`, for `sfumato.execution.executor.cluster_at`."""
    return together(
        "cluster",
        click.option("--executor", type=click.Choice(["processes", "ray"]), help=who),
        click.option("--address", metavar="HOST:PORT", help="Head of the Ray cluster (docs/many-machines.md)."),
    )


def files(
    name: str, what: str, *, into: str | None = None, metavar: str | None = None, required: bool = False
) -> Decorator[Any]:
    """An option that names a file which must be there, and may be repeated. `into`: the command's parameter, where it
    is not called as the option is.
    """
    names = (name,) if into is None else (name, into)
    return click.option(*names, multiple=True, required=required, type=FILE, metavar=metavar, help=what)


def trust(what: str, metavar: str | None = "PEM") -> Decorator[Any]:
    """--trust: files of roots that are believed; none without it."""
    return files("--trust", what, metavar=metavar)


def allowed_list() -> Decorator[Any]:
    """--allowed-list: files of single signers that count without a chain."""
    what = "Certificates of signers that count by themselves: PEM, or SHA-256 lines; repeatable."
    return files("--allowed-list", what, metavar="FILE")


def credentials(trust_help: str, sidecar_help: str, trust_metavar: str | None = "PEM") -> Decorator[Any]:
    """What content credentials are held to: --trust, --tsa-trust, --trust-list, --tsa-trust-list, --allowed-list,
    --policy, --sidecar. The command's parameter is `credentials`, a mapping of them by their names in Python.
    """
    return together(
        "credentials",
        trust(trust_help, trust_metavar),
        files("--tsa-trust", "Roots that time-stamp authorities may lead to; repeatable.", metavar="PEM"),
        files("--trust-list", "A published, dated list of signers: PEM, or JSON (ETSI TS 119 602).", metavar="FILE"),
        files("--tsa-trust-list", "The same, of time-stamp authorities.", metavar="FILE"),
        allowed_list(),
        click.option("--policy", metavar="TOML", type=FILE, help="What else must hold for a file to count as trusted."),
        sidecar(sidecar_help),
    )


def together(into: str, *group: Decorator[Any]) -> Decorator[Any]:
    """Options that a command gets as one parameter, `into`: {name: value}, in the order of `group`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def call(*arguments: Any, **given: Any) -> Any:
            taken = {name: given.pop(name) for name in names}
            return command(*arguments, **given, **{into: taken})

        before = len(getattr(call, "__click_params__", []))
        for each in reversed(group):
            each(call)
        parameters: list[click.Parameter] = call.__click_params__  # type: ignore[attr-defined]
        names = [str(option.name) for option in reversed(parameters[before:])]
        return call

    return decorate


def inputs() -> Decorator[Any]:
    """How a command takes what it is to look at, beside names. Its parameter is `taking`: null, fetch, fetch_mb and
    fetch_seconds, None unless given.
    """
    return together(
        "taking",
        click.option("-0", "--null", is_flag=True, help="Names on standard input end with NUL, not with line ends."),
        click.option("--fetch", is_flag=True, help="Take http(s):// and s3:// addresses; public ones alone."),
        click.option("--fetch-mb", type=click.IntRange(1, 1_000_000), help="MB of one address.  [default: 512]"),
        click.option("--fetch-seconds", type=click.FloatRange(1, 86_400), help="Seconds for one.  [default: 300]"),
    )


def outputs() -> Decorator[Any]:
    """What records are written as, beside JSON lines. The command's parameter is `outputs`: csv, parquet, sarif, html,
    each a path or None.
    """
    report = click.Path(path_type=Path)
    return together(
        "outputs",
        click.option("--csv", type=NEW_FILE, metavar="FILE", help="Write a table: one row a file."),
        click.option("--parquet", type=NEW_FILE, metavar="FILE", help="The same with types."),
        click.option("--sarif", type=NEW_FILE, metavar="FILE", help="Write SARIF 2.1.0, for pipelines."),
        click.option("--html", type=report, metavar="NAME.html|FOLDER", help="Write the page of `sfumato report`."),
    )


def repository(what: str) -> Decorator[Any]:
    """--repository: where sealed videos were entered, None for the user's own."""
    return click.option("--repository", metavar="PATH|URL", help=f"{what}  [default: the user's own]")


def sidecar(what: str) -> Decorator[Any]:
    """--sidecar: the file of a credential that lies outside what it speaks of."""
    return click.option("--sidecar", metavar="FILE", type=FILE, help=what)


def device(what: str = "cpu, cuda, cuda:1, or auto.") -> Decorator[Any]:
    """--device: where torch computes."""
    return click.option("--device", default="auto", show_default=True, help=what)


def checkpoint() -> Decorator[Any]:
    """--checkpoint: a generator by path or shipped name, GENERATOR unless given."""
    return click.option(
        "--checkpoint", default=GENERATOR, show_default=True, metavar="PATH|NAME", help="The generator."
    )


def consent(what: str) -> Decorator[Any]:
    """--consent: what gives the right to use a likeness, in words; None where it was not said."""
    return click.option("--consent", metavar="TEXT", help=what)


def faces() -> Decorator[Any]:
    """--face: the command's parameter is `faces`, numbers from 1; none, one, or one a portrait."""
    what = "Which face, counted from the largest; once, or once a portrait."
    return click.option("--face", "faces", multiple=True, type=click.IntRange(1), help=what)


def tune_seconds(what: str, default: float = 0.0, most: int = 86_400, shown: bool = True) -> Decorator[Any]:
    """--tune-seconds: how long a person is fine-tuned, `most` seconds at most."""
    kind = click.FloatRange(0, most)
    return click.option("--tune-seconds", default=default, show_default=shown, type=kind, help=what)


def tune_iterations(what: str, default: int | None = None) -> Decorator[Any]:
    """--tune-iterations: how often a person's pictures are gone through; None: the command's own choice."""
    shown = default is not None
    return click.option("--tune-iterations", default=default, show_default=shown, type=click.IntRange(0), help=what)


def seconds(what: str) -> Decorator[Any]:
    """--seconds: only so much from the beginning; None: all of it."""
    return click.option("--seconds", type=click.FloatRange(0, min_open=True), help=what)


def neutral(what: str) -> Decorator[Any]:
    """--neutral: seconds to the moment at which a driver's face is calm; None: it is looked for."""
    return click.option("--neutral", type=click.FloatRange(0), help=what)


def smooth(what: str) -> Decorator[Any]:
    """--smooth: how much jitter of landmarks is taken out; 0: none."""
    return click.option("--smooth", default=1.0, show_default=True, type=click.FloatRange(0, 3), help=what)


def seed(what: str | None = None, default: int | None = 0, *, signed: bool = False) -> Decorator[Any]:
    """--seed: of everything random. `signed`: it may be below 0."""
    kind = click.INT if signed else click.IntRange(0)
    return click.option("--seed", default=default, show_default=default is not None, type=kind, help=what)


def frames(what: str, default: int | str, least: int = 1, most: int | None = JUDGED_FRAMES.most) -> Decorator[Any]:
    """--frames: so many of each video. `default`: a number, or in words what the command takes where it gets None."""
    kind, in_words = click.IntRange(least, most), isinstance(default, str)
    return click.option(
        "--frames", default=None if in_words else default, show_default=default if in_words else True, type=kind,
        help=what,
    )  # fmt: skip


def config_file(what: str = "TOML file of settings.") -> Decorator[Any]:
    """--config: the command's parameter is `config_file`."""
    return click.option("--config", "config_file", type=FILE, help=what)


def overrides(what: str) -> Decorator[Any]:
    """--set: the command's parameter is `overrides`, settings as KEY=VALUE that go over those of a file."""
    return click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help=what)


def resume() -> Decorator[Any]:
    """--resume."""
    return click.option("--resume", is_flag=True, help="Go on with a run that was stopped.")


def piece() -> Decorator[Any]:
    """--piece: the command's parameter is `piece`, minutes; None: the run to its end."""
    what = "Leave the run after so many minutes of this call, saved; --resume goes on."
    return click.option("--piece", metavar="MINUTES", type=click.FloatRange(min=0, min_open=True), help=what)


def threads() -> Decorator[Any]:
    """--threads: of torch; None: as many as it takes by itself."""
    what = "Threads for torch (default: its own choice)."
    return click.option("--threads", type=click.IntRange(min=1), help=what)


def several(name: str, into: str, what: str, *, metavar: str | None = None, **more: Any) -> Decorator[Any]:
    """An option that may be repeated; the command's parameter is `into`, a tuple of words, empty unless given."""
    return click.option(name, into, multiple=True, metavar=metavar, help=what, **more)


def quality() -> Decorator[Any]:
    """--quality: of WebP."""
    what = "Of WebP; a picture grows with it."
    return click.option("--quality", default=80, show_default=True, type=click.IntRange(1, 100), help=what)


def number(name: str, default: float, among: click.IntRange | click.FloatRange, what: str) -> Decorator[Any]:
    """An option that is a number; `default` unless given, which --help shows."""
    return click.option(name, default=default, show_default=True, type=among, help=what)


def choice(name: str, among: Sequence[str], usual: str, what: str) -> Decorator[Any]:
    """An option that is one of several words; `usual` unless given."""
    return click.option(name, type=click.Choice(among), default=usual, show_default=True, help=what)
