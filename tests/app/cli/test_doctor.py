"""`sfumato doctor`: tries everything, never falls over, says what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from generator.compiler import backends
from generator.compiler.backends import Array, TorchBackend
from sfumato.app import health
from sfumato.app.cli.main import main
from sfumato.app.health import Finding, examine


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    return list(examine())


def test_what_the_package_needs_works_here(findings: list[Finding]) -> None:
    groups = {"python", "packages", "codecs", "nets", "landmarks", "backends", "folders", "signing"}
    assert groups <= {finding.group for finding in findings}
    assert [finding for finding in findings if finding.spoils and finding.group in groups] == []


def test_whatever_is_not_in_order_comes_with_advice(findings: list[Finding]) -> None:
    assert [finding for finding in findings if finding.state != "ok" and not finding.advice] == []


def test_an_optional_backend_does_not_count(findings: list[Finding]) -> None:
    backend = next(finding for finding in findings if finding.name == "face-alignment" and finding.group == "landmarks")
    assert not backend.spoils


def test_a_backend_that_computes_wrongly_is_broken_and_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(TorchBackend):
        def __call__(self, guide: Array) -> Array:
            return super().__call__(guide) * np.float32(1.1)

    monkeypatch.setattr(backends, "OnnxRuntimeBackend", Wrong)
    found = {finding.name: finding for finding in health._backends()}
    assert found["onnxruntime"].state == "broken" and "wrongly" in found["onnxruntime"].detail
    assert "--backend" in found["onnxruntime"].advice and not found["onnxruntime"].spoils
    assert found["torch"].state == "ok"


def test_a_damaged_net_is_broken_and_a_lost_one_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path(str(health.files("sfumato.media") / "models"))
    (tmp_path / "models").mkdir()
    for path in real.iterdir():
        shutil.copyfile(path, tmp_path / "models" / path.name)
    (tmp_path / "models" / "face_landmark.tflite").write_bytes(b"half")
    (tmp_path / "models" / "face_detection_yunet_2023mar_int8bq.onnx").unlink()
    monkeypatch.setattr(health, "files", lambda package: tmp_path)
    states = {finding.name: finding.state for finding in health._nets()}
    assert states["face_landmark.tflite"] == "broken"
    assert states["face_detection_yunet_2023mar_int8bq.onnx"] == "missing"
    assert states["face_recognition_sface_2021dec_int8bq.onnx"] == "ok"


def test_a_damaged_weights_file_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("weights/half.safetensors", "weights/detector.onnx", "motions/half.motion", "portraits/half.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"half")
    monkeypatch.setattr(health, "files", lambda package: tmp_path)
    shipped = list(health._shipped())
    assert len(shipped) == 4
    assert {finding.state for finding in shipped} == {"broken"}


def test_a_check_that_falls_over_becomes_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def falls_over() -> Iterator[Finding]:
        raise RuntimeError("unforeseen")
        yield

    for name in ("_packages", "_devices", "_nets", "_landmarks", "_backends", "_shipped", "_signing"):
        monkeypatch.setattr(health, name, lambda: iter(()))
    monkeypatch.setattr(health, "_codecs", falls_over)
    found = list(examine())
    assert Finding("codecs", "codecs", "broken", "RuntimeError: unforeseen", health.REINSTALL) in found
    assert found[-1].group == "folders"


def test_keys_that_cannot_be_made_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SFUMATO_KEYS", str(tmp_path / "file" / "keys"))
    (finding,) = health._signing()
    assert finding.state == "broken"
    assert "SFUMATO_KEYS" in finding.advice


def test_json_lines_and_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def pretended(state: health.State, required: bool) -> Iterator[Finding]:
        yield Finding("nets", "a\nb", state, "detail", "advice", required)

    monkeypatch.setattr(health, "examine", lambda: pretended("broken", True))
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["state"] == "broken"
    assert main(["doctor"]) == 1
    assert "a\\nb" in capsys.readouterr().out
    monkeypatch.setattr(health, "examine", lambda: pretended("missing", False))
    assert main(["doctor", "--json"]) == 0
