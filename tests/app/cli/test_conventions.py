"""What holds for every command: the spelling of options, and the exit code of a file that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sfumato.app.cli.main import COMMANDS, LazyCommand, Table, load_command, main
from sfumato.exit_codes import ExitCode
from sfumato.options import NewFolder


def commands(table: Table = COMMANDS, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, entry in table.items():
        if isinstance(entry, LazyCommand):
            yield (*before, name), load_command(name, entry.target)
        else:
            yield from commands(entry[1], (*before, name))


EVERY = [pytest.param(words, command, id=" ".join(words)) for words, command in commands()]
OLD = {"--out", "--jobs", "--processes", "--detector", "--out-folder"}  # spellings that gave way


@pytest.mark.parametrize(("words", "command"), EVERY)
def test_options_are_spelled_alike(words: tuple[str, ...], command: click.Command) -> None:
    for option in (parameter for parameter in command.params if isinstance(parameter, click.Option)):
        old = OLD - {"--detector"} if option.multiple else OLD  # one detector is --model, several are compared
        assert not old & set(option.opts)
        assert ("-o" in option.opts) == ("--output" in option.opts)
        if "--json" in option.opts:
            assert option.name == "as_json"


@pytest.mark.parametrize(("words", "command"), [each for each in EVERY if each.id in ("scan", "evaluate", "calibrate")])
def test_frames_follow_the_detector_unless_asked_and_help_says_so(
    words: tuple[str, ...], command: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert next(option for option in command.params if option.name == "frames").default is None
    assert main([*words, "--help"]) == ExitCode.DONE
    assert "[default: (as the thresholds were set, else 32);" in " ".join(capsys.readouterr().out.split())


FOLDERS = [
    pytest.param((*words, option.opts[0]), option.type, id=" ".join((*words, option.opts[-1])))
    for words, command in commands()
    for option in command.params
    if isinstance(option, click.Option) and isinstance(option.type, click.Path) and not option.type.exists
    if not option.type.file_okay
    and option.name != "folder"  # that of `scan --explain` gets files, each by its own name
]


@pytest.mark.parametrize(("words", "kind"), FOLDERS)
def test_a_folder_of_other_things_is_left_alone(
    words: tuple[str, ...], kind: click.Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert isinstance(kind, NewFolder)
    assert main([*words, str(tmp_path)]) == ExitCode.REQUEST
    assert "holds other things ('thesis.txt')" in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(("words", "command"), EVERY)
def test_an_option_that_is_taken_once_is_refused_twice(
    words: tuple[str, ...], command: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    once = [
        option for option in command.params
        if isinstance(option, click.Option) and not (option.multiple or option.is_flag or option.hidden)
    ]  # fmt: skip
    for option in once:
        name = option.opts[-1]
        assert main([*words, *(word for _ in range(2) for word in (name, "1"))]) == ExitCode.REQUEST
        assert f"Option '{name}' was given 2 times, and is taken once" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        "animate GONE.png -m serene -o x.mp4 --consent yes",
        "animate mona-lisa -m GONE.mp4 -o x.mp4",
        "animate mona-lisa -m serene -o x.mp4 --checkpoint GONE.safetensors",
        "animate mona-lisa -m serene -o x.mp4 --sound-from GONE.mp4",
        "learn GONE.png -o x.person --consent yes",
        "motion GONE.mp4 -o x.motion",
        "sign GONE.mp4 -o x.mp4 --kind generated",
        "sign README.md -o x --kind edited --parent GONE.mp4",
        "keys show GONE.pem",
        "recover GONE.mp4",
        "verify GONE.mp4",
        "verify GONE.mp4 --trust GONE.pem",
        "inspect GONE.mp4",
        "audit verify GONE.jsonl",
        "audit verify README.md --head GONE.json",
        "audit sign GONE.jsonl",
        "audit head GONE.jsonl",
        "audit decide GONE.jsonl x.mp4 --decision a --who b --why c",
        "scan GONE.mp4",
        "scan GONE.mp4 --trust GONE.pem",
        "calibrate GONE -o x",
        "clips GONE",
        "fakes GONE.jsonl --kind swap -o x.jsonl",
        "study make GONE -o x",
        "study score GONE README.md",
        "evaluate GONE.jsonl",
        "evaluate README.md --predictions GONE.csv",
        "datasets verify folder GONE",
        "datasets clips folder GONE",
        "datasets deepfakebench folder GONE -o x.json",
        "datasets write GONE -o x --as card",
        "prepare GONE -o x",
        "train generator GONE -o x",
        "train detector GONE.jsonl -o x",
        "train autoencoder GONE.jsonl -o x.safetensors",
        "export generator GONE.safetensors -o x.onnx",
        "export detector GONE -o x",
        "bench quality --footage GONE",
        "bench cross --portrait GONE.png --driver GONE.mp4",
        "bench survival --footage GONE",
        "bench robustness GONE.jsonl",
        "bench detection GONE.jsonl",
        "bench temporal GONE.jsonl",
        "bench tables GONE.md",
    ],
)
def test_a_missing_file_is_the_same_code_everywhere(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").write_text("")
    monkeypatch.chdir(tmp_path)
    assert main(line.split()) == ExitCode.INPUT
    told = capsys.readouterr()
    assert "GONE" in told.out + told.err
