"""Exported networks answer as torch does, say of which checkpoint they are, and are refused for another one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from generator.compiler.export import export_network, open_network
from generator.networks.checkpoint import Checkpoint
from sfumato.app.cli.main import main
from sfumato.errors import CheckpointError, UsageError
from tests.generator_fixtures import PLAIN, WARP, checkpoint


def made(family: str = WARP) -> Checkpoint:
    return replace(
        checkpoint(family, **({"stem": 2} if family == WARP else {"encoder_attention": 16})), digest="a" * 64
    )


@pytest.mark.parametrize("suffix", ["onnx", "xml"])
@pytest.mark.parametrize("family", [WARP, PLAIN])
def test_an_exported_network_answers_as_torch_does(tmp_path: Path, suffix: str, family: str) -> None:
    if suffix == "xml":
        pytest.importorskip("openvino")
    ours = made(family)
    assert export_network(ours, tmp_path / f"x.{suffix}") < 1e-5
    network = open_network(tmp_path / f"x.{suffix}", ours)
    channels = 3 if family == PLAIN else 3 + 5 * ours.config.warps
    guide, psi = torch.rand(1, channels, 32, 32), 0.2 * torch.randn(1, ours.generator.network.coefficients)
    with torch.inference_mode():
        expected = ours.generator.network(guide, psi).numpy()
    assert np.abs(network(guide.numpy(), psi.numpy()) - expected).max() < 1e-4
    assert np.abs(network(guide.numpy(), 0 * psi.numpy()) - expected).max() > 1e-3  # psi is read


@pytest.mark.parametrize("suffix", ["onnx", "xml"])
def test_a_network_of_another_checkpoint_is_refused(tmp_path: Path, suffix: str) -> None:
    if suffix == "xml":
        pytest.importorskip("openvino")
    ours = made()
    path = tmp_path / f"x.{suffix}"
    export_network(ours, path)
    for other in (
        replace(ours, digest="b" * 64),
        replace(ours, landmarks="face-alignment"),
        replace(ours, crop="other"),
    ):
        with pytest.raises(CheckpointError, match="another checkpoint"):
            open_network(path, other)


@pytest.mark.parametrize("content", [b"", b"not a network", None])
def test_a_damaged_or_missing_network_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match="export generator"):
        open_network(path, made())


def test_a_foreign_network_is_refused(tmp_path: Path) -> None:
    from importlib.resources import files

    yunet = Path(str(files("sfumato.media") / "models" / "face_detection_yunet_2023mar_int8bq.onnx"))
    with pytest.raises(CheckpointError):
        open_network(yunet, made())


def test_another_suffix_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.onnx"):
        export_network(made(), tmp_path / "x.pt")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_file_and_says_how_near_it_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "generator", "portrait-128", "-o", str(tmp_path / "x.onnx")]) == 0
    assert "x.onnx" in (said := capfd.readouterr().out) and "of torch" in said
    before = (tmp_path / "x.onnx").read_bytes()
    assert main(["export", "generator", "paper-128", "-o", str(tmp_path / "x.onnx")]) == 2
    assert "--overwrite" in capfd.readouterr().err and (tmp_path / "x.onnx").read_bytes() == before
    assert main(["export", "generator", "paper-128", "-o", str(tmp_path / "x.onnx"), "--overwrite"]) == 0
    assert main(["export", "generator", "nobody", "-o", str(tmp_path / "y.onnx")]) != 0
    assert [path.name for path in tmp_path.iterdir()] == ["x.onnx"]


def test_a_family_without_a_network_is_refused(tmp_path: Path) -> None:
    from generator.networks.landmark_warp import landmark_warp

    with pytest.raises(UsageError, match="no network"):
        export_network(landmark_warp(), tmp_path / "x.onnx")
