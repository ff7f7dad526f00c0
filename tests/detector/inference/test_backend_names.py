"""The names of the detector's backends: one list for commands and registry, told without loading what they name."""

import subprocess
import sys

from detector.inference.backend_names import DEFAULT, REGISTRY, listed
from sfumato.app.cli.export import detector as export_detector_command
from sfumato.app.cli.scan import scan


def test_the_default_is_one_of_them() -> None:
    assert DEFAULT in REGISTRY.names()


def test_both_commands_tell_the_same_names() -> None:
    told = [
        parameter.help for command in (scan, export_detector_command) for parameter in command.params
        if parameter.name == "backend"
    ]  # fmt: skip
    assert [text.startswith(listed()) for text in told] == [True, True]


def test_names_are_told_without_what_they_name() -> None:
    code = "import sys, detector.inference.backend_names; print({'numpy', 'onnxruntime', 'torch'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
