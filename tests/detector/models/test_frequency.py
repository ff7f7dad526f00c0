"""The frequency branch: noise in, features out, whatever the content."""

import torch

from detector.config import ModelConfig
from detector.models.net import DetectorNet


def tiny(**changes) -> ModelConfig:
    return ModelConfig(**({"backbone": "test_resnet", "size": 48, "pretrained": "none"} | changes))


def test_frequency_branch_sees_noise_and_no_content() -> None:
    branch = DetectorNet(tiny(frequency=True)).frequency.eval()
    flat = torch.full((1, 3, 48, 48), 0.3)
    ramp = flat + torch.linspace(-0.5, 0.5, 48)[None, None, :, None]
    noisy = flat + 0.02 * torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert branch(flat).shape == (1, branch.width)
        assert torch.allclose(branch(flat), branch(ramp), atol=1e-3)
        assert (branch(flat) - branch(noisy)).abs().max() > 1e-2
