"""The seal leaves three traces: manifest, watermark, repository; and says so when the third one fails."""

from __future__ import annotations

import pytest

from provenance.manifests.definition import check_manifest
from provenance.manifests.soft_binding import SoftBinding
from sfumato.errors import SealError
from tests.watermark_fixtures import PAYLOAD


def test_a_bound_watermark_needs_its_soft_binding() -> None:
    binding = SoftBinding("org.example.mark", PAYLOAD)
    created = {
        "action": "c2pa.created",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    }
    actions = {
        "label": "c2pa.actions.v2",
        "data": {"actions": [created, binding.action("2026-01-01T00:00:00Z", {"name": "x"})]},
    }
    check_manifest({"assertions": [actions, binding.assertion()]}, [])
    with pytest.raises(SealError, match="soft-binding"):
        check_manifest({"assertions": [actions]}, [])
