"""The names of the generator's backends, told without loading what they name."""

import subprocess
import sys

from generator.compiler.backend_names import NAMES, REGISTRY


def test_every_name_on_offer_is_one_of_the_registry() -> None:
    assert sorted(NAMES) == REGISTRY.names()


def test_names_are_told_without_what_they_name() -> None:
    code = "import sys, generator.compiler.backend_names; print({'numpy', 'onnxruntime', 'torch'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
