"""The average of a net's weights: its formula, its batch statistics, its count."""

import pytest
import torch

from detector.models.net import DetectorNet
from sfumato.training.average import Average
from tests.detector_fixtures import TINY


def nets(count: int) -> list[DetectorNet]:
    """Nets of one shape whose every number is another, integers included."""
    made = []
    for seed in range(count):
        torch.manual_seed(seed)
        net = DetectorNet(TINY.model)
        for value in net.state_dict().values():
            value.copy_(torch.rand(value.shape) if value.is_floating_point() else torch.tensor(seed))
        made.append(net)
    return made


@pytest.mark.parametrize("decay", [0.0, 0.15, 0.99])
def test_each_number_is_the_moving_average_of_its_course(decay) -> None:
    first, *steps = nets(6)
    average = Average(first, decay, buffers=True)
    expected = {name: value.clone() for name, value in first.state_dict().items()}
    for count, net in enumerate(steps):
        kept = min(decay, (1 + count) / (10 + count))
        for name, new in net.state_dict().items():
            if new.is_floating_point():
                expected[name].lerp_(new, 1 - kept)
            else:
                expected[name].copy_(new)
        average.update_parameters(net)
    found = average.net.state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_it_starts_as_the_net_and_follows_a_copy() -> None:
    net, other = nets(2)
    average = Average(net, 0.9, buffers=True)
    net.load_state_dict(other.state_dict())
    assert not torch.equal(average.net.heads.weight, other.heads.weight)


def test_it_is_judged_with_and_never_trained() -> None:
    average = Average(nets(1)[0], 0.9, buffers=True)
    average.update_parameters(nets(1)[0])
    assert not average.net.training
    assert not any(parameter.requires_grad for parameter in average.net.parameters())


def test_a_restored_count_goes_on_where_it_was() -> None:
    first, second, third = nets(3)
    whole, parts = Average(first, 0.9, buffers=True), Average(first, 0.9, buffers=True)
    whole.update_parameters(second)
    parts.net.load_state_dict(whole.net.state_dict())
    parts.updates = whole.updates
    for average in (whole, parts):
        average.update_parameters(third)
    assert torch.equal(whole.net.heads.weight, parts.net.heads.weight)
    assert parts.updates == 2
