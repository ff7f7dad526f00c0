"""Options that all commands share: a missing input is told apart from one of the wrong kind."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from sfumato import options
from sfumato.errors import MissingFileError
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


def test_output_is_one_parameter_by_both_spellings(tmp_path: Path) -> None:
    @click.command()
    @options.output("Something.")
    def write(out: Path) -> None:
        click.echo(out)

    for spelling in ("-o", "--output"):
        assert write.main([spelling, "x"], standalone_mode=False) is None
    with pytest.raises(click.MissingParameter):
        write.main([], standalone_mode=False)
