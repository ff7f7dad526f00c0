"""Rights to mine and train: what everybody can read is stated, anything else is refused."""

from __future__ import annotations

from typing import Any

import pytest

from provenance.manifests.own.mining import TRAINING_MINING, check_mining
from sfumato.errors import UsageError


@pytest.mark.parametrize("use", TRAINING_MINING)
def test_every_use_of_the_list_is_taken(use: str) -> None:
    check_mining(
        {"entries": {"cawg.ai_training": {"use": use, "constraint_info": "Ask."}, "org.example.x": {"use": use}}}, "m"
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "no entries"),
        ({"entries": []}, "no entries"),
        ({"entries": {}}, "no entries"),
        ({"entries": {"cawg.ai_training": "notAllowed"}}, "no entries"),
        ({"entries": {"cawg.ai_training": {"use": "notallowed"}}}, "Unknown use 'notallowed' of cawg.ai_training"),
        ({"entries": {"cawg.ai_training": {"use": ["allowed"]}}}, "Unknown use"),
        ({"entries": {"cawg.ai_training": {}}}, "Unknown use 'None'"),
    ],
)
def test_anything_else_is_refused(data: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_mining(data, "m")
