"""The command line: instant help, errors of one line, the right exit code."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sfumato import errors
from sfumato.app.cli import main as cli
from sfumato.app.cli.main import COMMANDS, LazyCommand, Table, main
from sfumato.version import __version__

NETS = {
    "torch",
    "torchvision",
    "cv2",
    "timm",
    "av",
    "c2pa",
    "sklearn",
    "scipy",
    "pyarrow",
    "onnxruntime",
    "face_alignment",
    "openvino",
}


def command_paths(table: Table = COMMANDS, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command with the groups before it: ("train", "generator")."""
    paths: list[tuple[str, ...]] = []
    for name, entry in table.items():
        paths += [(*before, name)] if isinstance(entry, LazyCommand) else command_paths(entry[1], (*before, name))
    return paths


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, "-m", "sfumato", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="resource usage of children")
def test_help_takes_less_than_300_ms_of_cpu() -> None:
    import resource

    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.3, spent


def test_help_loads_click_and_nothing_heavy() -> None:
    code = (
        "import sys; from sfumato.app.cli.main import main\n"
        "for arguments in (['--help'], ['train', '--help'], ['--version']): main(arguments)\n"
        "print('|' + ' '.join(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    loaded = set(output.rpartition("|")[2].split())
    assert "click" in loaded
    assert not loaded & (NETS | {"numpy", "rich", "cryptography"})
    assert not [name for name in loaded if name.split(".")[0] in ("generator", "detector", "provenance", "benchmarks")]


def test_help_of_every_command_works_and_loads_no_net() -> None:
    code = (
        "import json, sys; from sfumato.app.cli.main import main\n"
        f"codes = [main([*path, '--help']) for path in {command_paths()!r}]\n"
        "print('|' + json.dumps([codes, list(sys.modules)]))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    codes, loaded = json.loads(ended.stdout.rpartition("|")[2])
    assert dict(zip(command_paths(), codes, strict=True)) == dict.fromkeys(command_paths(), 0), ended.stderr
    assert not set(loaded) & NETS


def test_the_short_help_covers_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert f"\n  {name} " in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"sfumato {__version__}\n"


def test_without_a_command_help_is_shown() -> None:
    ended = run()
    assert ended.returncode == 2
    assert "Commands:" in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["doctro"], "Error: No such command 'doctro', did you mean 'doctor'? See: sfumato --help"),
        (["nonsense"], "Error: No such command 'nonsense'. See: sfumato --help"),
        (
            ["train", "generatr"],
            "Error: No such command 'generatr', did you mean 'generator'? See: sfumato train --help",
        ),
        (["--nonsense"], "Error: No such option '--nonsense'. See: sfumato --help"),
        (["doctor", "--nonsense"], "Error: No such option '--nonsense'. See: sfumato doctor --help"),
        (
            ["animate", "mona-lisa", "-m", "cheerful", "--mode", "absolut"],
            "Error: Invalid value for '--mode': 'absolut' is not one of 'relative', 'absolute'; did "
            "you mean 'absolute'? "
            "See: sfumato animate --help",
        ),
    ],
)
def test_a_wrong_request_gets_one_line_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.err == said + "\n"
    assert shown.out == ""


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registers a command `fail` that raises `error`."""

    @click.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli.cli, "table", {**COMMANDS, "fail": LazyCommand("here:fail", "Fails.")})
    load = cli.load_command
    monkeypatch.setattr(cli, "load_command", lambda name, target: fail if name == "fail" else load(name, target))


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (errors.UsageError("There is no face 3", "Choose 1 or 2."), 2, "There is no face 3. Choose 1 or 2."),
        (errors.MediaError("No video in a.mp4"), 3, "No video in a.mp4"),
        (errors.MediaError("No video in a\nb\x1b[2J.mp4"), 3, "No video in a\\nb\\x1b[2J.mp4"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/a.mp4"), 2, "The disk is full: /x/a.mp4. Make room"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 2, "Permission denied: /x."),
        (MemoryError(), 2, "Not enough memory"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError("division\nby zero"), 70, "A fault of sfumato: ZeroDivisionError: division\\nby zero."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_is_one_line(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(error, monkeypatch)
    assert main(["fail"]) == code
    shown = capsys.readouterr().err.strip()
    assert len(shown.splitlines()) == 1
    assert shown.startswith("Error: ")
    assert said in shown


def test_the_traceback_is_shown_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(errors.UsageError("No"), monkeypatch)
    assert main(["--traceback", "fail"]) == 2
    assert "Traceback" in capsys.readouterr().err
    assert main(["fail"]) == 2
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.setenv("SFUMATO_TRACEBACK", "1")
    assert main(["fail"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_command_that_is_not_installed_spoils_only_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = {
        "gone": LazyCommand("sfumato.app.no_such_file:gone", "Is gone."),
        "half": LazyCommand("sfumato.app.cli.doctor:gone", "Is half."),
    }
    monkeypatch.setattr(cli.cli, "table", {**COMMANDS, **table})
    assert main(["--help"]) == 0
    assert "Is gone." in capsys.readouterr().out
    for name in table:
        assert main([name]) == 2
        assert capsys.readouterr().err.startswith(f"Error: The command {name!r} is not part of this installation")


def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "needs_more.py").write_text("import no_such_package_here")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(cli.cli, "table", {"more": LazyCommand("needs_more:more", "Needs more.")})
    assert main(["more"]) == 2
    assert "needs no_such_package_here, which is not installed" in capsys.readouterr().err


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert cli._red("x") == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert cli._red("x") == "x"


def test_a_pipe_gets_no_colour_codes() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    command = [sys.executable, "-m", "sfumato", "nonsense"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert ended.returncode == 2
    assert "\x1b" not in ended.stderr


def test_warnings_of_ours_are_one_line_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import warnings

    from sfumato.errors import SfumatoWarning

    monkeypatch.setattr(warnings, "showwarning", cli._show_warning)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning(SfumatoWarning("the \x1b[31mrepository fails"), SfumatoWarning, "file.py", 1)
    error = capsys.readouterr().err
    assert error == "Warning: the \\x1b[31mrepository fails\n"
    assert "file.py" not in error
