"""FID: the formula on the network's features, and every file that is not its weights is refused, its code never run."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import svdvals

from benchmarks.metrics import inception
from benchmarks.metrics.inception import WEIGHTS_SHA256, Inception
from benchmarks.metrics.perceptual import frechet_distance
from sfumato.errors import MissingPartError, UsageError


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random ones, as the true file has them: tensors by name."""
    library = pytest.importorskip(
        "torch_fidelity.feature_extractor_inceptionv3", reason="needs torch-fidelity (pip install -e '.[fid]')"
    )

    class Random(library.FeatureExtractorInceptionV3):
        def load_state_dict(self, state: object) -> None:
            """Stays as it is."""

    nothing = io.BytesIO()
    torch.save({}, nothing)
    nothing.seek(0)
    torch.manual_seed(0)
    network = Random("random", ["2048"], feature_extractor_weights_path=nothing)
    for name, part in network.named_parameters():
        if name.endswith("conv.weight"):
            torch.nn.init.kaiming_normal_(part, nonlinearity="relu")  # so that something arrives at the end
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Lets a file stand for the true one."""

    def take(path: Path) -> Path:
        monkeypatch.setattr(inception, "WEIGHTS_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
        return path

    return take


def test_fid_is_the_frechet_distance_of_the_networks_features(
    weights: Path,
    known,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    monkeypatch.setattr(library, "load_state_dict_from_url", lambda *_, **__: pytest.fail("it went to the network"))
    network = Inception(known(weights))
    pictures = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), np.uint8)
    features = torch.cat([network.features(picture) for picture in pictures])
    assert features.shape == (6, 2048) and features.std() > 0.001
    alone = library.FeatureExtractorInceptionV3("alone", ["2048"], feature_extractor_weights_path=weights)
    assert torch.equal(features[:1], alone(torch.from_numpy(pictures[:1]).permute(0, 3, 1, 2))[0])
    made, wanted = features[:3].double().numpy(), features[3:].double().numpy()
    x, y = made - made.mean(0), wanted - wanted.mean(0)
    # The trace of the root of the product of two covariances is the sum of the singular values of x y', over n - 1.
    traces = (np.square(x).sum() + np.square(y).sum() - 2 * svdvals(x @ y.T).sum()) / 2
    formula = np.square(made.mean(0) - wanted.mean(0)).sum() + traces
    assert frechet_distance(features[:3], features[3:]) == pytest.approx(formula, rel=1e-6)
    assert network.digest == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_the_sha256_is_that_of_the_name() -> None:
    assert inception.WEIGHTS.removesuffix(".pth").endswith(WEIGHTS_SHA256[:8])


def test_other_weights_are_no_fid(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(UsageError, match=r"begins with .*, not 6726825d.*no FID"):
        Inception(tmp_path / "other.pth")


class Code:
    """What runs when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_code_in_a_file_is_never_run_whatever_its_sha256(tmp_path: Path, known) -> None:  # type: ignore[no-untyped-def]
    torch.save({"a": Code(tmp_path / "ran")}, tmp_path / "code.pth")
    for path in (tmp_path / "code.pth", known(tmp_path / "code.pth")):
        with pytest.raises(UsageError):
            Inception(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("holds", [[torch.zeros(1)], {"a": 1}], ids=["a list", "a number"])
def test_a_file_of_other_things_is_refused(tmp_path: Path, known, holds: object) -> None:  # type: ignore[no-untyped-def]
    torch.save(holds, tmp_path / "things.pth")
    with pytest.raises(UsageError, match="more than tensors by name"):
        Inception(known(tmp_path / "things.pth"))


def test_tensors_of_another_network_are_refused(tmp_path: Path, known) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("torch_fidelity")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(UsageError, match="does not hold the weights of Inception-v3"):
        Inception(known(tmp_path / "other.pth"))


@pytest.mark.parametrize("left", [0, 100, 700])
def test_a_torn_file_is_refused_whatever_its_sha256(tmp_path: Path, known, left: int) -> None:  # type: ignore[no-untyped-def]
    torch.save({"a": torch.zeros(9)}, tmp_path / "torn.pth")
    (tmp_path / "torn.pth").write_bytes((tmp_path / "torn.pth").read_bytes()[:left])
    with pytest.raises(UsageError, match="no FID"):
        Inception(tmp_path / "torn.pth")
    with pytest.raises(UsageError, match="does not hold"):
        Inception(known(tmp_path / "torn.pth"))


@pytest.mark.parametrize("name", ["none.pth", "."])
def test_what_is_no_file_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingPartError, match="cannot be read from") as found:
        Inception(tmp_path / name)
    assert "sfumato fetches none" in found.value.advice


def test_without_the_package_the_extra_is_named(tmp_path: Path, known, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    torch.save({"a": torch.zeros(1)}, tmp_path / "weights.pth")
    monkeypatch.setattr(inception, "find_spec", lambda name: None)
    with pytest.raises(MissingPartError) as found:
        Inception(known(tmp_path / "weights.pth"))
    assert "[fid]" in found.value.advice


def test_a_file_larger_than_the_weights_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "large.pth").open("wb") as file:
        file.truncate(inception._LARGEST + 1)
    with pytest.raises(UsageError, match="larger than"):
        Inception(tmp_path / "large.pth")
