"""How a portrait is animated: what is out of range is refused."""

import pytest

from sfumato.app.animation.config import AnimateConfig
from sfumato.errors import UsageError


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 63},
        {"size": 129},
        {"size": 2048},
        {"fps": 0.5},
        {"fps": 500},
        {"seconds": 0},
        {"strength": -1},
        {"strength": 9},
        {"tune_seconds": -1},
    ],
)
def test_config_refuses(wrong) -> None:
    with pytest.raises(UsageError):
        AnimateConfig(**wrong)
