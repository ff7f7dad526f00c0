"""The command `sfumato`: a table of commands, each imported only when it is called, and one place where errors become
one line.

`sfumato --help` loads click and nothing else. To add a command: write it in its folder's commands.py, and add one line
below. Exit codes: sfumato.exit_codes.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import click

from sfumato.app.cli.repeated import refuse_repeated
from sfumato.errors import MissingPartError, SfumatoError, SfumatoWarning, nearest
from sfumato.execution.stopping import signal_of, stopped_by_signals
from sfumato.exit_codes import MEANINGS, ExitCode
from sfumato.text import printable
from sfumato.version import __version__


@dataclass(frozen=True)
class LazyCommand:
    """Where a command is ("module:attribute") and the line that --help shows without importing it."""

    target: str
    short_help: str


Table = Mapping[str, "LazyCommand | tuple[str, Table]"]

COMMANDS: Table = {
    "demo": LazyCommand(
        "sfumato.app.cli.demo:demo", "The Mona Lisa in three temperaments, sealed, judged and reported."
    ),
    "doctor": LazyCommand(
        "sfumato.app.cli.doctor:doctor", "What works on this machine, and what to do about the rest."
    ),
    "animate": LazyCommand("sfumato.app.cli.animate:animate", "Let a portrait follow a motion; the video is sealed."),
    "learn": LazyCommand(
        "sfumato.app.cli.learn:learn", "Learn a person from pictures, once: a person file to animate."
    ),
    "motion": LazyCommand("generator.commands:motion", "Turn a video into a motion: a landmark track without a face."),
    "act": LazyCommand("generator.commands:act", "Make a motion that nobody made: talking, laughing or calm."),
    "sign": LazyCommand(
        "provenance.commands.sign:sign", "Sign files: what they are, from what they were made, by whom."
    ),
    "keys": (
        "Development keys, and how long certificates last.",
        {
            "new": LazyCommand("provenance.commands.keys:new", "Make a development root, intermediate and leaf."),
            "show": LazyCommand("provenance.commands.keys:show", "Show certificates and when they end."),
        },
    ),
    "recover": LazyCommand(
        "provenance.commands.recover:recover", "Find the manifest of a copy that lost it, by its watermark."
    ),
    "verify": LazyCommand("provenance.commands.verify:verify", "Check the content credentials of files."),
    "audit": (
        "An append-only, signed log of verdicts and decisions.",
        {
            "begin": LazyCommand("provenance.commands.audit:begin", "Begin a log, and say how it is signed."),
            "verify": LazyCommand("provenance.commands.audit:verify", "Check a log; names the first broken line."),
            "head": LazyCommand("provenance.commands.audit:head", "Show its last signed head, to be kept elsewhere."),
            "sign": LazyCommand("provenance.commands.audit:sign", "Sign a head now."),
            "decide": LazyCommand("provenance.commands.audit:decide", "Note what a person decided about a file."),
        },
    ),
    "inspect": LazyCommand(
        "provenance.commands.inspect:inspect", "Show what the credential of a file says, as a tree."
    ),
    "scan": LazyCommand(
        "sfumato.app.cli.scan:scan", "Judge videos and pictures: credentials first, then watermark and detector."
    ),
    "report": LazyCommand(
        "sfumato.app.cli.review.report:report", "The page on which a person reviews what a scan found."
    ),
    "labels": LazyCommand(
        "sfumato.app.cli.review.labels:labels", "Reviewers' decisions as a table to measure and to learn from."
    ),
    "serve": LazyCommand(
        "sfumato.app.cli.service.serve:serve", "The service of a team: files over HTTP, records out, a page to review."
    ),
    "service": (
        "Workers and keys of a service.",
        {
            "work": LazyCommand("sfumato.app.cli.service.serve:work", "Judge what its queue holds, anywhere."),
            "keys": (
                "Keys of its API.",
                {
                    "add": LazyCommand("sfumato.app.cli.service.keys:add", "Make a key; it is shown once."),
                    "list": LazyCommand("sfumato.app.cli.service.keys:list_keys", "List all keys."),
                    "revoke": LazyCommand("sfumato.app.cli.service.keys:revoke", "End a key, for good."),
                },
            ),
        },
    ),
    "calibrate": LazyCommand(
        "sfumato.app.cli.calibrate:calibrate", "Set the detector's thresholds on your own real footage."
    ),
    "calibrate-keyframes": LazyCommand(
        "detector.commands.keyframes:calibrate_keyframes", "Set where keyframes alone decide, for scan --quick."
    ),
    "clips": LazyCommand("sfumato.app.cli.clips:clips", "List a folder of real footage: who is who, split by person."),
    "fakes": LazyCommand(
        "sfumato.app.cli.fakes:fakes", "Fakes of the people in a clips.jsonl, each with its real twin."
    ),
    "evaluate": LazyCommand(
        "detector.commands.evaluate:evaluate", "Measure a detector: ours, or any other by its scores."
    ),
    "datasets": (
        "Data sets: public ones that can be read, and sets of fakes that are made here.",
        {
            "list": LazyCommand("detector.commands.evaluate:list_datasets", "Names of all data sets that can be read."),
            "verify": LazyCommand("detector.commands.evaluate:verify", "Count what is there against what should be."),
            "check": LazyCommand("sfumato.app.cli.sets.check:check", "What is wrong with a set of fakes and twins."),
            "clips": LazyCommand("detector.commands.evaluate:write_clips_of", "Write clips.jsonl, to train on."),
            "make": LazyCommand("sfumato.app.cli.sets.make:make", "Make a set of fakes and their twins, by recipe."),
            "deepfakebench": LazyCommand(
                "detector.commands.evaluate:export_deepfakebench", "Write DeepfakeBench's JSON."
            ),
        },
    ),
    "prepare": LazyCommand(
        "generator.commands:prepare", "Turn footage into crops, landmarks and identities to train on."
    ),
    "pack": (
        "What a training reads, in one small file for another machine.",
        {
            "generator": LazyCommand("generator.commands:pack_generator", "Prepared footage, smaller."),
            "detector": LazyCommand("detector.commands.pack:pack_detector", "The crops of a clips.jsonl, smaller."),
        },
    ),
    "train": (
        "Train a generator or a detector.",
        {
            "generator": LazyCommand(
                "generator.commands:train_generator", "Meta-train a generator on prepared footage."
            ),
            "mouth": LazyCommand("generator.commands:train_mouth", "Teach a generator to paint open mouths."),
            "detector": LazyCommand(
                "detector.commands.train:train_detector", "Train, calibrate and export a detector."
            ),
            "autoencoder": LazyCommand(
                "sfumato.app.cli.fakes:train_autoencoder_command", "The autoencoder of some fakes."
            ),
        },
    ),
    "export": (
        "Write a trained network in a form that other programs run.",
        {
            "generator": LazyCommand(
                "generator.commands:export_generator", "The generator's network as ONNX or OpenVINO IR."
            ),
            "detector": LazyCommand("sfumato.app.cli.export:detector", "A detector for one backend, past a gate."),
        },
    ),
    "bench": (
        "Measure, in a way that can be repeated.",
        {
            "quality": LazyCommand(
                "benchmarks.commands.generator:quality", "Self-reenactment of held-out people: likeness and geometry."
            ),
            "speed": LazyCommand(
                "benchmarks.commands.speed:speed", "Frames a second of every backend, and of the whole program."
            ),
            "judging": LazyCommand(
                "benchmarks.commands.speed:judging", "Crops a second of the detector in every backend."
            ),
            "scan": LazyCommand(
                "benchmarks.commands.scan:scan", "What a scan costs against decoding alone, and over many files."
            ),
            "cross": LazyCommand(
                "benchmarks.commands.generator:cross", "Portraits that follow other people: whose face comes out."
            ),
            "survival": LazyCommand(
                "benchmarks.commands.watermark:survival",
                "What watermark and recovery outlive, and what the mark costs.",
            ),
            "robustness": LazyCommand(
                "benchmarks.commands.detector:robustness", "The detector after 66 treatments of whole videos."
            ),
            "detection": LazyCommand(
                "benchmarks.commands.detector:detection", "The detector on fakes ever further from its training."
            ),
            "quick": LazyCommand("benchmarks.commands.quick:quick", "What a quick scan gains, and what it misses."),
            "temporal": LazyCommand(
                "benchmarks.commands.detector:temporal", "Whether a face's motion says more than its frames."
            ),
            "verifiers": LazyCommand(
                "benchmarks.commands.verifiers:verifiers",
                "What other verifiers say of every format and key that is signed with.",
            ),
            "others": LazyCommand(
                "benchmarks.commands.others:others", "The detector on fakes by others, method by method."
            ),
            "folds": LazyCommand(
                "benchmarks.commands.others:folds", "Short trainings that each leave out a method of fakes by others."
            ),
            "tables": LazyCommand(
                "benchmarks.commands.tables:tables", "Rewrite the tables of MODEL_CARD.md from their records."
            ),
        },
    ),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only to run it or to show its own help."""

    def __init__(self, *arguments: Any, table: Table, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns the command, None for an unknown name. Raises MissingPartError if what it needs is not installed."""
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        if isinstance(entry, LazyCommand):
            return load_command(cmd_name, entry.target)
        help_text, table = entry
        return LazyGroup(cmd_name, table=table, help=help_text)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with the nearest known name in the error, and no option twice that is taken once."""
        if args[0] not in self.table and not args[0].startswith("-") and not ctx.resilient_parsing:
            near = nearest(args[0], self.table)
            raise click.UsageError(f"No such command {args[0]!r}" + (f", did you mean {near!r}?" if near else "."), ctx)
        name, command, words = super().resolve_command(ctx, args)
        if command is not None and not isinstance(command, click.Group):
            refuse_repeated(command, words, ctx)
        return name, command, words

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, entry.short_help if isinstance(entry, LazyCommand) else entry[0])
            for name, entry in self.table.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def load_command(name: str, target: str) -> click.Command:
    """The click command at "module:attribute". Raises MissingPartError if a module on the way is not there."""
    import importlib

    module_name, attribute = target.split(":")
    try:
        command = getattr(importlib.import_module(module_name), attribute, None)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        if module_name == missing or module_name.startswith(f"{missing}."):
            raise MissingPartError(
                f"The command {name!r} is not part of this installation ({missing} is missing)"
            ) from error
        advice = f"Install it: pip install {missing}."
        raise MissingPartError(f"The command {name!r} needs {missing}, which is not installed", advice) from error
    except ImportError as error:  # installed, but a shared library of the system is missing
        raise MissingPartError(f"The command {name!r} cannot be loaded: {error}", "Run: sfumato doctor.") from error
    if not isinstance(command, click.Command):
        raise MissingPartError(f"The command {name!r} is not part of this installation ({target} is missing)")
    return command


@dataclass
class Session:
    """What the global options say, for as long as one call lasts."""

    traceback: bool


@click.group(
    cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True
)
@click.option("--traceback", is_flag=True, help="Show where an error came from (also: SFUMATO_TRACEBACK=1).")
@click.version_option(__version__, prog_name="sfumato", message="%(prog)s %(version)s")
@click.pass_obj
def cli(session: Session, traceback: bool) -> None:
    """Living portraits that say what they are, and a judge for those that do not."""
    session.traceback = session.traceback or traceback


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line (default: sys.argv) and returns its exit code. Errors are printed on stderr, one line
    each.
    """
    os.environ.setdefault(
        "OPENCV_LOG_LEVEL", "ERROR"
    )  # its warnings about backends are not for users; read when cv2 is imported
    warnings.showwarning = _show_warning
    session = Session(traceback=os.environ.get("SFUMATO_TRACEBACK", "") not in ("", "0"))
    try:
        with stopped_by_signals():
            result = cli.main(
                args=None if arguments is None else list(arguments),
                prog_name="sfumato",
                standalone_mode=False,
                obj=session,
            )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
        return ExitCode.REQUEST
    except (Exception, KeyboardInterrupt) as error:
        if session.traceback:
            import traceback

            traceback.print_exception(error)
        line, code = explain(error)
        click.echo(_red(f"Error: {line}"), err=True)
        return code
    return result if isinstance(result, int) else 0


def explain(error: Exception | KeyboardInterrupt) -> tuple[str, int]:
    """One printable line about `error`, with advice, and the exit code that belongs to it."""
    if isinstance(error, SfumatoError):
        return printable(error), error.exit_code
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt):
        number = signal_of(error)
        code = ExitCode.INTERRUPTED if number is None else 128 + number
        return f"{MEANINGS[ExitCode(code)]}.", code
    if isinstance(error, click.ClickException):
        command = getattr(getattr(error, "ctx", None), "command_path", "sfumato")
        message = " ".join(error.format_message().split())  # click sets long choices on lines of their own
        message = f"{message.rstrip('.')}{meant}" if (meant := _meant(error)) else message
        return printable(
            f"{message if message.endswith('?') else message.rstrip('.') + '.'} See: {command} --help"
        ), error.exit_code
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return printable(
            f"The disk is full{_about(error)}. Make room, or choose another folder; the output was not written."
        ), ExitCode.REQUEST
    if isinstance(error, PermissionError):
        return printable(
            f"Permission denied{_about(error)}. Choose a file or folder you have the right to."
        ), ExitCode.REQUEST
    if (
        isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    ):  # the second is torch's, known without torch
        return "Not enough memory. Choose a smaller size or a shorter video, or close other programs.", ExitCode.REQUEST
    return printable(
        f"A fault of sfumato: {type(error).__name__}: {error}. SFUMATO_TRACEBACK=1 shows where."
    ), ExitCode.FAULT


def _meant(error: click.ClickException) -> str:
    """Which choice was probably meant, where a value is none of an option's choices."""
    choices = getattr(getattr(error, "param", None), "type", None)
    wrong = re.match(r"'([^']*)' is not one of ", error.message)
    near = nearest(wrong[1], map(str, choices.choices)) if wrong and isinstance(choices, click.Choice) else None
    return f"; did you mean {near!r}?" if near else ""


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Warnings of ours as one line; those of others as Python shows them."""
    if issubclass(category, SfumatoWarning):
        click.echo(_red(f"Warning: {printable(message)}"), err=True)
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))


def _about(error: OSError) -> str:
    return f": {error.filename}" if error.filename else ""


def _red(text: str) -> str:
    return text if os.environ.get("NO_COLOR") else click.style(text, fg="red")


if __name__ == "__main__":
    sys.exit(main())
