"""What is wanting in each manifest, and which comes first, on manifests and fingerprints made here."""

from __future__ import annotations

import base64
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from provenance.durable.evidence import EXAMINED, Candidate, find_candidates
from provenance.durable.fingerprint import ALG, VIEWS, Fingerprint
from provenance.durable.recovered import RecoveredManifest
from provenance.durable.repository import Match
from provenance.manifests.durable_assertion import DurableStatement, draw_payload

MARK, ORIGIN, KEY = "org.example.mark", "0" * 64, "1" * 64
VALUE = base64.b64encode(draw_payload(ORIGIN, KEY)).decode()


def look(bits: int) -> Fingerprint:
    """A fingerprint that differs from `look(0)` in so many of 256 bits."""
    hashes = np.tile(np.packbits(np.arange(256) < bits), (3, len(VIEWS), 1))
    return Fingerprint(hashes, hashes)


STATED = DurableStatement(ORIGIN, ALG, look(0).digest())
GOOD = RecoveredManifest("trusted", "urn:1", (), ((MARK, VALUE),), None, STATED, KEY)


class Known:
    """A repository: by name, a manifest and the fingerprint that was entered with it. Counts the manifests it gave."""

    place = "here"

    def __init__(self, **entries: tuple[RecoveredManifest, Fingerprint | None]) -> None:
        self.entries, self.given = entries, 0

    def manifest(self, name: str) -> bytes:
        self.given += 1
        return name.encode()

    def entry(self, name: str) -> Any:
        return SimpleNamespace(fingerprint=self.entries[name][1])


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is found in one repository; `alike`: what it finds by the look of the file."""

    def one(
        known: Known, names: list[str] | None = None, alike: tuple[Match, ...] = (), trust: tuple[bytes, ...] = ()
    ) -> tuple[Candidate, ...]:
        def read(store: bytes, roots: tuple[bytes, ...]) -> RecoveredManifest:
            assert roots == trust
            return known.entries[store.decode()][0]

        monkeypatch.setattr("provenance.durable.evidence.read_store", read)
        marked = [(known, Match(name)) for name in (known.entries if names is None else names)]
        return find_candidates(marked, [(known, match) for match in alike], look(0), (MARK, VALUE), trust)

    return one


def test_a_manifest_in_which_everything_fits_leaves_no_doubt(find: Any) -> None:
    (found,) = find(Known(**{"urn:1": (GOOD, look(0))}))
    assert (found.manifest_id, found.doubts, found.distance, found.by_watermark) == ("urn:1", (), 0.0, True)
    assert (found.resolver, found.store, found.manifest, found.similarity) == ("here", b"urn:1", GOOD, 100)


@pytest.mark.parametrize(
    ("change", "doubts"),
    [
        ({"signature": "unreadable", "label": None, "bindings": (), "durable": None}, ("manifest.unreadable",)),
        ({"signature": "invalid"}, ("signature.invalid",)),
        ({"key": ""}, ("signature.invalid", "watermark.notDrawn")),
        ({"signature": "untrusted"}, ()),
        ({"label": "urn:2"}, ("label.differs",)),
        ({"bindings": ()}, ("watermark.notStated",)),
        ({"bindings": ((MARK, VALUE), (MARK, "AAAA"))}, ("watermark.notStated",)),
        ({"durable": replace(STATED, origin="2" * 64)}, ("watermark.notDrawn",)),
        ({"durable": replace(STATED, fingerprint_alg="another")}, ("fingerprint.notStated",)),
        ({"durable": replace(STATED, fingerprint="2" * 64)}, ("fingerprint.notStated",)),
        ({"durable": None}, ("watermark.notDrawn", "fingerprint.notStated")),
    ],
)
def test_each_thing_that_does_not_fit_is_a_doubt(find: Any, change: dict[str, Any], doubts: tuple[str, ...]) -> None:
    (found,) = find(Known(**{"urn:1": (replace(GOOD, **change), look(0))}))
    assert found.doubts == doubts


@pytest.mark.parametrize(("signature", "doubts"), [("trusted", ()), ("untrusted", ("signer.untrusted",))])
def test_where_roots_are_given_the_signer_must_lead_to_one(find: Any, signature: str, doubts: tuple[str, ...]) -> None:
    (found,) = find(Known(**{"urn:1": (replace(GOOD, signature=signature), look(0))}), trust=(b"root",))
    assert found.doubts == doubts


@pytest.mark.parametrize(("bits", "doubts"), [(56, ()), (57, ("fingerprint.differs",))])
def test_a_video_looks_like_another_up_to_twenty_two_bits_in_a_hundred(
    find: Any, bits: int, doubts: tuple[str, ...]
) -> None:
    stated = replace(STATED, fingerprint=look(bits).digest())
    (found,) = find(Known(**{"urn:1": (replace(GOOD, durable=stated), look(bits))}))
    assert (found.doubts, found.distance) == (doubts, bits / 256)


def test_the_best_joined_is_first_and_a_signature_that_does_not_hold_last(find: Any) -> None:
    def of(name: str, bits: int = 0, **change: Any) -> tuple[RecoveredManifest, Fingerprint]:
        stated = replace(STATED, fingerprint=look(bits).digest())
        return replace(GOOD, label=name, **{"durable": stated, **change}), look(bits)

    known = Known(
        invalid=of("invalid", signature="invalid"),
        doubtful=of("another", bindings=()),
        far=of("far", 40),
        near=of("near", 20),
        nameless=of("another"),
    )
    assert [found.manifest_id for found in find(known)] == ["near", "far", "nameless", "doubtful", "invalid"]


def test_sixteen_manifests_under_one_watermark_are_examined(find: Any) -> None:
    assert EXAMINED == 16
    known = Known(**{f"urn:{number}": (GOOD, None) for number in range(40)})
    assert len(find(known)) == 16


def test_a_manifest_that_is_named_over_and_over_is_one_and_asked_for_only_so_often(find: Any) -> None:
    known = Known(**{"urn:1": (GOOD, look(0))})
    assert len(find(known, ["urn:1"] * 500)) == 1
    assert known.given == 64


def test_what_only_looks_alike_comes_after_the_nearest_first_and_the_unknown_last(find: Any) -> None:
    known = Known(
        **{
            "urn:1": (GOOD, None),
            "near": (GOOD, look(2)),
            "far": (GOOD, look(9)),
            "?": (GOOD, None),
            "??": (GOOD, None),
        }
    )
    alike = tuple(
        Match(name, similarity)
        for name, similarity in [("?", 50), ("far", 99), ("??", 60), ("near", 98), ("urn:1", 70)]
    )
    found = find(known, ["urn:1"], alike)
    assert [each.manifest_id for each in found] == ["urn:1", "near", "far", "??", "?"]
    assert [each.by_watermark for each in found] == [True, False, False, False, False]
    assert [each.distance for each in found] == [None, 2 / 256, 9 / 256, None, None]
    assert [each.similarity for each in found] == [70, 98, 99, 60, 50]  # of the first, too, what the look says
    assert found[0].doubts == ("fingerprint.unknown",)


def test_of_two_answers_about_one_look_the_first_counts(find: Any) -> None:
    (found,) = find(Known(near=(GOOD, look(1))), [], (Match("near", 90), Match("near", 10)))
    assert found.similarity == 90
