"""Our own assertion: it holds every fact, as JSON and CBOR can hold it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provenance.manifests.generated import generated_manifest
from provenance.manifests.generation_assertion import GENERATION_LABEL
from provenance.manifests.ingredients import portrait_ingredients
from sfumato.errors import SealError
from sfumato.media.video import GeneratedFacts


def _manifest(facts: GeneratedFacts) -> dict[str, Any]:
    return generated_manifest(
        facts, portrait_ingredients(facts.portraits), when=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    )


def test_our_assertion_holds_every_fact(facts: GeneratedFacts, portrait: Path) -> None:
    assertion = _manifest(facts)["assertions"][1]
    assert assertion["label"] == GENERATION_LABEL
    assert assertion["data"] == {
        "schema_version": 1,
        "model_name": "zakharov2019-warp",
        "model_digest": "a" * 64,
        "seed": 7,
        "portrait_digests": [hashlib.sha256(portrait.read_bytes()).hexdigest()],
        "motion_digest": "b" * 64,
        "parameters": {"frames": 10, "strength": 0.5, "relative": True, "motion": "calm"},
    }


def test_an_integer_beyond_64_bits_is_kept_as_digits(facts: GeneratedFacts) -> None:
    data = _manifest(replace(facts, seed=2**64 - 1))["assertions"][1]["data"]
    assert data["seed"] == "18446744073709551615"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(facts: GeneratedFacts, value: float) -> None:
    with pytest.raises(SealError, match="finite"):
        _manifest(replace(facts, parameters={"strength": value}))


def test_a_parameter_of_another_type_is_refused(facts: GeneratedFacts) -> None:
    with pytest.raises(SealError, match="list"):
        _manifest(replace(facts, parameters={"sizes": [1, 2]}))  # type: ignore[dict-item]


def test_a_missing_motion_digest_is_refused(facts: GeneratedFacts) -> None:
    with pytest.raises(SealError, match="motion digest"):
        _manifest(replace(facts, motion_digest=""))
