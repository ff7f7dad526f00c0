"""The error-correcting code: what it corrects, and that no two payloads are near each other."""

from __future__ import annotations

import numpy as np
import pytest

from provenance.watermark.code import LENGTH, decode, encode


def test_a_payload_comes_back_from_its_own_signs() -> None:
    for payload in (bytes(8), b"\xff" * 8, b"sfumato!"):
        signs = encode(payload)
        assert signs.shape == (LENGTH,)
        assert set(np.unique(signs)) <= {-1.0, 1.0}
        assert decode(signs) == (payload, LENGTH)


def test_noise_thrice_as_loud_as_the_signs_is_corrected() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        payload = rng.bytes(8)
        soft = encode(payload) + rng.normal(0, 3, LENGTH)  # the true codeword correlates with 15 standard deviations
        assert decode(soft.astype(np.float32))[0] == payload


def test_at_twelve_standard_deviations_nearly_all_are_read() -> None:
    rng, right = np.random.default_rng(1), 0
    for _ in range(60):
        payload = rng.bytes(8)
        soft = 12 / np.sqrt(LENGTH) * encode(payload) + rng.normal(0, 1, LENGTH)
        right += decode(soft.astype(np.float32))[0] == payload
    assert right >= 55


def test_the_correlation_given_is_that_of_the_payload_given() -> None:
    soft = np.random.default_rng(2).normal(0, 1, LENGTH).astype(np.float32)
    payload, correlation = decode(soft)
    assert correlation == pytest.approx(float((encode(payload) * soft).sum()), rel=1e-4)


def test_codewords_of_near_payloads_are_far_apart() -> None:
    base = encode(bytes(8))
    for bit in range(64):
        payload = (1 << bit).to_bytes(8, "big")
        assert float((base * encode(payload)).mean()) < 0.85  # a single bit reaches 13 steps of the register


def test_a_payload_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        encode(b"short")
