"""How a path is searched for: how far, by which time, and through chains that are knotted or damaged."""

from __future__ import annotations

import random
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provenance.pki.certificates import outside_validity
from provenance.pki.paths import LONGEST_CHAIN, SIGNING, UNREADABLE_CERTIFICATE, find_path
from tests.provenance.pki.test_paths import (
    DAY,
    HOUR,
    LEAF,
    MIDDLE,
    NOW,
    ROOT,
    Made,
    certificates,
    key_of,
    leaf,
    make,
    path,
)


def test_as_many_certificates_are_looked_at_as_are_said_and_no_more() -> None:
    made = [ROOT]
    for number in range(LONGEST_CHAIN):
        made.append(make(f"authority {number}", made[-1]))
    whole = [leaf(made[-2]), *made[-2:0:-1]]  # ten, and the root given
    assert path(whole, ROOT).certificates == certificates(*whole, ROOT)
    longer = [leaf(made[-1]), *made[-1:0:-1]]
    assert path(longer, ROOT).certificates == ()
    assert len(whole) == 10


@pytest.mark.parametrize(("searches", "found"), [(3, True), (2, False)])
def test_each_issuer_that_is_looked_for_counts_once(
    searches: int, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provenance.pki.paths.MOST_SEARCHES", searches)
    second = make("second", MIDDLE)
    result = path([leaf(second), second, MIDDLE], ROOT)
    assert bool(result.certificates) is found
    assert found or "too many ways" in result.refusal


def test_an_expired_intermediate_is_named() -> None:
    middle = make("middle", ROOT, end=NOW - DAY)
    found = path([leaf(middle), middle], ROOT).certificates
    assert outside_validity(found, NOW) == middle.certificate
    assert outside_validity(found, NOW - 2 * DAY) is None


def test_an_intermediate_that_is_valid_is_preferred_to_an_expired_one() -> None:
    for ended in (NOW - DAY, NOW - HOUR):
        old, new = make("middle", ROOT, end=ended), make("middle", ROOT)
        end = leaf(new)
        for chain in ([end, old, new], [end, new, old]):
            assert path(chain, ROOT).certificates == certificates(end, new, ROOT)


def test_the_time_that_counts_is_the_one_given() -> None:
    old, new = make("middle", ROOT, end=NOW - DAY), make("middle", ROOT)
    found = path([leaf(new, end=NOW - DAY), old, new], ROOT, when=NOW - 2 * DAY)
    assert outside_validity(found.certificates, NOW - 2 * DAY) is None


def test_many_ways_to_put_a_chain_together_are_not_all_tried() -> None:
    knot = Made(make("knot").certificate, key_of("p256", "knot"))
    chain = [leaf(knot), *(make("knot", knot, key=f"knot {number}") for number in range(LONGEST_CHAIN - 1))]
    start = time.process_time()
    assert "too many ways" in path(chain, make("root", key="another"), make("knot", key="elsewhere")).refusal
    assert time.process_time() - start < 5


def test_damaged_certificates_lead_nowhere_and_never_crash() -> None:
    whole = [each.public_bytes(Encoding.DER) for each in certificates(LEAF, MIDDLE)]
    chance, read = random.Random(0), 0
    for _ in range(200):
        damaged = [bytearray(each) for each in whole]
        which = damaged[chance.randrange(2)]
        which[chance.randrange(len(which))] = chance.randrange(256)
        try:
            chain = [x509.load_der_x509_certificate(bytes(each)) for each in damaged]
        except UNREADABLE_CERTIFICATE:
            continue
        read += 1
        if [bytes(each) for each in damaged] != whole:
            found = find_path(chain, [ROOT.certificate], SIGNING, NOW)
            assert not found.certificates or found.certificates[:2] == certificates(LEAF, MIDDLE)
    assert read > 60
