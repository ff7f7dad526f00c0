"""Options that all commands share: a missing input is told apart from one of the wrong kind."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sfumato import options
from sfumato.errors import MissingFileError, OutputError
from sfumato.exit_codes import ExitCode


@pytest.mark.parametrize("kind", [options.FILE, options.FOLDER, options.ANY])
def test_a_missing_input_is_named_and_has_the_code_of_inputs(kind: options.InputPath, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"gone\.mp4' does not exist") as caught:
        kind.convert(str(tmp_path / "gone.mp4"), None, None)
    assert caught.value.exit_code == ExitCode.INPUT


def test_an_input_of_the_wrong_kind_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(click.BadParameter):
        options.FILE.convert(str(tmp_path), None, None)


def test_what_is_there_is_a_path(tmp_path: Path) -> None:
    assert options.FOLDER.convert(str(tmp_path), None, None) == tmp_path


@pytest.mark.parametrize("names", [(), (".hidden",), ("mine.json", "other.txt")])
def test_a_new_an_empty_and_an_earlier_folder_can_be_filled(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).touch()
    kind = options.NewFolder("mine.*")
    assert kind.convert(str(tmp_path), None, None) == tmp_path
    assert kind.convert(str(tmp_path / "new"), None, None) == tmp_path / "new"


def test_a_folder_of_other_things_is_refused_by_name(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).touch()
    with pytest.raises(OutputError, match=r"holds other things \('a.txt', ...\). Choose a new or an empty folder"):
        options.NewFolder("mine.*").convert(str(tmp_path), None, None)


def test_output_is_one_parameter_by_both_spellings(tmp_path: Path) -> None:
    @click.command()
    @options.output("Something.")
    def write(out: Path) -> None:
        click.echo(out)

    for spelling in ("-o", "--output"):
        assert write.main([spelling, "x"], standalone_mode=False) is None
    with pytest.raises(click.MissingParameter):
        write.main([], standalone_mode=False)


def test_settings_of_a_run_are_called_alike_in_every_command() -> None:
    @click.command()
    @options.config_file()
    @options.overrides("One setting.")
    def train(config_file: Path | None, overrides: tuple[str, ...]) -> tuple[Path | None, tuple[str, ...]]:
        return config_file, overrides

    assert train.main(["--set", "a=1", "--set", "b=2"], standalone_mode=False) == (None, ("a=1", "b=2"))


def test_files_may_be_repeated_and_must_be_there(tmp_path: Path) -> None:
    @click.command()
    @options.files("--portrait", "A picture.", into="portraits")
    def show(portraits: tuple[Path, ...]) -> tuple[Path, ...]:
        return portraits

    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    for picture in pictures:
        picture.touch()
    words = [word for picture in pictures for word in ("--portrait", str(picture))]
    assert show.main(words, standalone_mode=False) == tuple(pictures)
    with pytest.raises(MissingFileError):
        show.main(["--portrait", str(tmp_path / "gone.png")], standalone_mode=False)


def test_words_may_be_repeated_and_numbers_stay_in_their_range() -> None:
    @click.command()
    @options.several("--host", "hosts", "A host.", metavar="HOST")
    @options.number("--strength", 1.0, click.FloatRange(0, 3), "How strong.")
    def ask(hosts: tuple[str, ...], strength: float) -> tuple[tuple[str, ...], float]:
        return hosts, strength

    assert ask.main([], standalone_mode=False) == ((), 1.0)
    assert ask.main(["--host", "a", "--host", "b", "--strength", "3"], standalone_mode=False) == (("a", "b"), 3.0)
    with pytest.raises(click.BadParameter):
        ask.main(["--strength", "4"], standalone_mode=False)


@pytest.mark.parametrize(("signed", "code"), [(True, 0), (False, ExitCode.REQUEST)])
def test_only_some_seeds_may_be_below_zero(signed: bool, code: int) -> None:
    @click.command()
    @options.seed(signed=signed)
    def draw(seed: int) -> None: ...

    assert CliRunner().invoke(draw, ["--seed", "-1"]).exit_code == code


def test_a_person_is_not_tuned_unless_asked() -> None:
    @click.command()
    @options.faces()
    @options.tune_seconds("So long.")
    @options.tune_iterations("So often.")
    def learn(**settings: object) -> dict[str, object]:
        return settings

    assert learn.main([], standalone_mode=False) == {"faces": (), "tune_seconds": 0.0, "tune_iterations": None}


@pytest.mark.parametrize(("default", "given", "shown"), [(12, "12", "12"), ("as ever", "None", "(as ever)")])
def test_a_default_of_frames_in_words_is_left_to_the_command(default: int | str, given: str, shown: str) -> None:
    @click.command()
    @options.frames("Of each video.", default)
    def look(frames: int | None) -> None:
        click.echo(str(frames))

    assert CliRunner().invoke(look, []).output.strip() == given
    assert CliRunner().invoke(look, ["--frames", "3"]).output == "3\n"
    assert f"[default: {shown}; 1<=x<=10000]" in " ".join(CliRunner().invoke(look, ["--help"]).output.split())


def test_options_together_are_one_parameter_and_help_has_them_in_order() -> None:
    @click.command()
    @options.number("--first", 1, click.IntRange(0), "x")
    @options.together("both", options.number("--second", 2, click.IntRange(0), "x"), options.seed("x"))
    @options.together("rest", click.option("--last/--not-last"))
    def command(**given: object) -> dict[str, object]:
        return given

    assert [option.name for option in command.params] == ["first", "second", "seed", "last"]
    found = CliRunner().invoke(command, ["--seed", "7", "--last"], standalone_mode=False)
    assert found.return_value == {"first": 1, "both": {"second": 2, "seed": 7}, "rest": {"last": True}}
