"""What the tests of the demo share: a tiny generator, a tiny detector, two short motions."""

from pathlib import Path

import pytest

from tests.detector_fixtures import write_shipped
from tests.portrait_fixtures import make_checkpoint, make_motion


@pytest.fixture(scope="session")
def demo_stock(tmp_path_factory: pytest.TempPathFactory, tiny_network: bytes) -> Path:
    """A folder with tiny.safetensors, detector/, calm.motion (4 frames) and lively.motion (6)."""
    folder = tmp_path_factory.mktemp("stock")
    make_checkpoint(folder / "tiny.safetensors")
    low = {"0.1": -20.0, "0.01": -10.0}  # every face is flagged
    write_shipped(folder / "detector", tiny_network, low)
    make_motion(folder / "calm.motion", frames=4)
    make_motion(folder / "lively.motion", frames=6)
    return folder
