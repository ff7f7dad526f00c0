"""`sfumato datasets make --executor ray`: the digest of one machine, though a worker is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sfumato.app.cli.main import main
from sfumato.app.sets.making.make_pairs import Order
from sfumato.app.sets.making.models import begin_elsewhere, models_of
from sfumato.app.sets.making.recipe import read_recipe
from sfumato.app.sets.making.sources import read_sources
from sfumato.errors import UsageError
from tests.app.cli.sets.test_make import RECIPE as SWAPS
from tests.ray_fixtures import ROOT, local_ray

RECIPE = (
    SWAPS.partition("[[fakes]]")[0]
    + """
[[fakes]]
kind = "animated"
generators = ["landmark-warp"]
motions = ["serene"]
seeds = [0, 1]
pairs = 6
"""
)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_cluster_makes_the_set_of_one_machine_though_a_worker_is_killed(recipe: Path, tmp_path: Path) -> None:
    assert main(["datasets", "make", str(recipe), "-o", str(tmp_path / "one")]) == 0
    videos, killed = tmp_path / "many" / "videos", 0
    with local_ray() as cluster:
        words = [sys.executable, "-m", "sfumato", "datasets", "make", recipe, "-o", tmp_path / "many", "--executor"]
        words += ["ray", "--address", cluster.address, "--timings", tmp_path / "timings.json"]
        with subprocess.Popen(list(map(str, words)), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            while process.poll() is None and not killed:
                if videos.is_dir() and any(videos.iterdir()) and (found := cluster.supervisors()):
                    killed = found[0]
                    os.kill(killed, signal.SIGKILL)
                time.sleep(0.01)
            process.communicate()
    assert killed
    assert process.returncode == 0
    one, many = (json.loads((tmp_path / name / "set.json").read_text()) for name in ("one", "many"))
    assert many == one
    assert main(["verify", str(tmp_path / "many")]) == 1  # by a development key
    timings = json.loads((tmp_path / "timings.json").read_text())
    assert (timings["clips"], timings["workers"]) == (12, None)


def test_a_machine_with_another_generator_makes_no_pair(recipe: Path, tmp_path: Path) -> None:
    order = Order(read_recipe(recipe).recipe, (), tmp_path, tmp_path)
    models = models_of(order.recipe)
    begin_elsewhere(order, models)
    with pytest.raises(UsageError, match=r"something else here: motion:serene\."):
        begin_elsewhere(order, models | {"motion:serene": "0" * 64})
    rule = replace(order.recipe.fakes[0], motions=("eloquent",))
    with pytest.raises(UsageError, match=r"something else here: motion:serene\."):
        begin_elsewhere(replace(order, recipe=replace(order.recipe, fakes=(rule,))), models)


def test_a_machine_without_the_footage_makes_no_pair(recipe: Path, tmp_path: Path) -> None:
    asked = read_recipe(recipe).recipe
    sources = read_sources(asked)
    order = Order(asked, (replace(sources[0], file=tmp_path / "not-shared.jpg"), *sources[1:]), tmp_path, tmp_path)
    with pytest.raises(UsageError, match="Of the footage 1 file is not here, the first "):
        begin_elsewhere(order, models_of(asked))


@pytest.mark.parametrize("option", [("--executor", "ray"), ("--address", "127.0.0.1:6379")])
def test_executor_and_address_go_together(
    option: tuple[str, str], recipe: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["datasets", "make", str(recipe), "-o", str(tmp_path / "SET"), *option]) == 2
    assert "--executor ray and --address go together" in capfd.readouterr().err
    assert not (tmp_path / "SET").exists()
