"""Repositories that lie: each lie by itself is found in what the manifest's signature covers, and told."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance.commands.recover import recover as command
from provenance.durable.evidence import DOUBTS, Candidate, find_candidates
from provenance.durable.fingerprint import ALG, Fingerprint, FingerprintBuilder
from provenance.durable.recovered import read_store
from provenance.durable.repository import Entry, Match, open_repository
from provenance.formats.manifest_box import embedded_store
from provenance.manifests.durable_assertion import DurableStatement
from provenance.manifests.soft_binding import SoftBinding
from provenance.pki.keys import development_keys
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_generated
from provenance.watermark.embed import SpreadMarker
from sfumato.media.video import GeneratedFacts
from tests.watermark_fixtures import encode, scene

FACTS = GeneratedFacts("stolen", "test model", "0" * 64, 0, (), "1" * 64)


class Answers:
    """A resolver that says what it was given."""

    place = "answers"

    def __init__(self, *entries: Entry) -> None:
        self.entries = {entry.manifest_id: entry for entry in entries}

    def by_binding(self, alg: str, value: str) -> list[Match]:
        return [Match(name) for name in self.entries]

    def by_content(self, path: Path, fingerprint: Fingerprint) -> list[Match]:
        return []

    def manifest(self, manifest_id: str) -> bytes | None:
        return self.entries[manifest_id].store

    def entry(self, manifest_id: str) -> Entry | None:
        return self.entries[manifest_id]

    def supported_algorithms(self) -> dict[str, list[str]]:
        return {}


def look_of(seed: int) -> Fingerprint:
    builder = FingerprintBuilder()
    for index, image in enumerate(scene(seed)):
        builder.add(image, index / 25)
    return builder.done()


@pytest.fixture(scope="module")
def honest(entered) -> Entry:
    with open_repository(entered.repository) as repository:
        found = repository.entry(entered.manifest_id)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def another(entered) -> Entry:
    """Another video's entry, as honest."""
    with open_repository(entered.repository) as repository:
        names = [name for name, _ in repository.fingerprints() if name != entered.manifest_id]
        found = repository.entry(names[0])
    assert found is not None
    return found


def examine(
    *entries: Entry, honest: Entry, seen: Fingerprint | None = None, trust: tuple[bytes, ...] = ()
) -> tuple[Candidate, ...]:
    """`seen`: what the video looks like that carries the honest entry's mark."""
    resolver = Answers(*entries)
    marked = [(resolver, match) for match in resolver.by_binding(honest.alg, honest.value)]
    look = seen or honest.fingerprint
    assert look is not None
    return find_candidates(marked, [], look, (honest.alg, honest.value), trust)


def test_what_is_honest_leaves_no_doubt(honest, root) -> None:
    assert [c.doubts for c in examine(honest, honest=honest)] == [()]
    assert [c.doubts for c in examine(honest, honest=honest, trust=(root,))] == [()]


def test_a_manifest_under_another_name(honest) -> None:
    (found,) = examine(replace(honest, manifest_id="urn:c2pa:anything"), honest=honest)
    assert found.doubts == ("label.differs",)


def test_another_videos_manifest_under_the_mark(honest, another) -> None:
    (found,) = examine(replace(another, fingerprint=honest.fingerprint), honest=honest)
    assert found.doubts == ("watermark.notStated", "fingerprint.notStated")


def test_a_fingerprint_that_was_exchanged_to_fit(honest) -> None:
    innocent = look_of(9)
    (found,) = examine(replace(honest, fingerprint=innocent), honest=honest, seen=innocent)
    assert found.doubts == ("fingerprint.notStated",)


def test_a_mark_carried_over(honest) -> None:
    (found,) = examine(honest, honest=honest, seen=look_of(9))
    assert found.doubts == ("fingerprint.differs",)


def test_a_fingerprint_that_cannot_be_read(honest) -> None:
    (found,) = examine(replace(honest, fingerprint=None), honest=honest)
    assert found.doubts == ("fingerprint.unknown",)


@pytest.mark.parametrize("what", [b"trainedAlgorithmicMedia", b"org.sfumato.durable", b"org.sfumato.watermark.1"])
def test_a_manifest_that_was_changed(honest, what) -> None:
    store = bytearray(honest.store)
    store[store.index(what) + 3] ^= 1
    (found,) = examine(replace(honest, store=bytes(store)), honest=honest)
    assert {"signature.invalid", "manifest.unreadable"} & set(found.doubts)


@pytest.mark.parametrize("store", [b"", b"no store", b"\0" * 1000])
def test_no_manifest_at_all(honest, store) -> None:
    (found,) = examine(replace(honest, store=store), honest=honest)
    assert found.doubts == ("manifest.unreadable",)


@pytest.fixture(scope="module")
def stranger_signed(honest, unsealed, tmp_path_factory) -> Entry:
    """Somebody else's manifest that states the honest one's mark, look and origin, word for word."""
    folder = tmp_path_factory.mktemp("stranger")
    stated = read_store(honest.store).durable
    assert stated is not None
    signer = development_signer(development_keys(folder / "keys").folder.parent)
    binding = SoftBinding(honest.alg, base64.b64decode(honest.value))
    sign_generated(unsealed, folder / "stolen.mp4", FACTS, signer, binding, stated)
    with (folder / "stolen.mp4").open("rb") as file:
        store = embedded_store(file)
    assert store is not None
    return replace(honest, manifest_id=str(read_store(store).label), store=store)


def test_a_strangers_own_manifest_for_somebody_elses_mark(honest, stranger_signed) -> None:
    (found,) = examine(stranger_signed, honest=honest)
    assert found.doubts == ("watermark.notDrawn",)


def test_with_roots_a_signer_that_leads_to_none_of_them(honest, stranger_signed, root) -> None:
    (found,) = examine(stranger_signed, honest=honest, trust=(root,))
    assert "signer.untrusted" in found.doubts


def test_of_several_the_one_without_doubt_is_first(honest, another, stranger_signed) -> None:
    renamed = replace(honest, manifest_id="urn:c2pa:anything", entered="1999-01-01T00:00:00Z")
    found = examine(renamed, stranger_signed, another, honest, honest=honest)
    assert (found[0].manifest_id, found[0].doubts) == (honest.manifest_id, ())
    assert all(candidate.doubts for candidate in found[1:])


def test_one_name_for_two_manifests_does_not_hide_the_true_one(honest, another) -> None:
    liar = Answers(replace(another, manifest_id=honest.manifest_id))
    marked = [(resolver, Match(honest.manifest_id)) for resolver in (liar, Answers(honest))]
    found = find_candidates(marked, [], honest.fingerprint, (honest.alg, honest.value), ())
    assert [bool(candidate.doubts) for candidate in found] == [False, True]


def test_a_flood_of_entries_ends(honest) -> None:
    flood = [replace(honest, manifest_id=f"urn:c2pa:{number}", store=b"x") for number in range(200)]
    assert len(examine(*flood, honest=honest)) <= 16


BLOCK = {"scope": {}, "value": "AQIDBAUGBwg="}


@pytest.mark.parametrize(
    ("stated", "holds"),
    [
        ([{"alg": "a.b", "blocks": [BLOCK]}], True),
        ([{"alg": "a.c", "blocks": [BLOCK]}], False),
        ([{"alg": "a.b", "blocks": [{"scope": {}, "value": "AAAAAAAAAAA="}]}], False),
        ([{"alg": "a.b", "blocks": [{"scope": {"timespan": {"start": 0, "end": 1}}, "value": BLOCK["value"]}]}], False),
        ([{"alg": "a.b", "blocks": [BLOCK, {"scope": {}, "value": "AAAAAAAAAAA="}]}], False),
        (
            [{"alg": "a.b", "blocks": [BLOCK]}, {"alg": "a.b", "blocks": [{"scope": {}, "value": "AAAAAAAAAAA="}]}],
            False,
        ),
        ([{"alg": "a.b", "blocks": [BLOCK]}, {"alg": "a.c", "blocks": [BLOCK]}], True),
    ],
    ids=["this", "another algorithm", "another value", "a part", "two blocks", "two assertions", "another kind beside"],
)
def test_what_states_a_watermark(sign_anything, created, tmp_path, stated, holds) -> None:
    assertions = [created, *({"label": "c2pa.soft-binding", "data": data} for data in stated)]
    sign_anything(tmp_path / "a.mp4", {"title": "x", "assertions": assertions})
    manifest = read_store((tmp_path / "a.mp4.manifest").read_bytes())
    assert manifest.signature == "untrusted", manifest.codes
    assert manifest.states("a.b", BLOCK["value"]) is holds


@pytest.mark.parametrize(
    "data",
    [{}, {"origin": "x"}, {"origin": "0" * 64, "fingerprint": 5, "fingerprint_alg": ALG}, {"origin": ["0" * 64]}],
)
def test_a_statement_of_another_form_is_none(data) -> None:
    assert DurableStatement.read(data) is None


def test_every_doubt_has_words() -> None:
    assert all(text and text[0].islower() for text in DOUBTS.values())


def test_an_innocent_video_is_not_confirmed_from_a_poisoned_repository(honest, tmp_path) -> None:
    """The whole way: somebody's real manifest, put under a mark that anybody can write, with an innocent's look."""
    marker = SpreadMarker(bytes(range(1, 9)))
    frames = [marker.mark(image, []) for image in scene(9)]
    builder = FingerprintBuilder()
    for index, image in enumerate(frames):
        builder.add(image, index / 25)
    value = base64.b64encode(bytes(range(1, 9))).decode()
    with open_repository(tmp_path / "r.sqlite3") as repository:
        repository.add(replace(honest, manifest_id="urn:c2pa:x", value=value, fingerprint=builder.done()))
    innocent = encode(frames, tmp_path / "innocent.mp4", 23)
    result = CliRunner().invoke(command, [str(innocent), "--repository", str(tmp_path / "r.sqlite3")])
    assert result.exit_code == 1, result.output
    assert "watermark: the watermark leads to" in result.output
    assert "not confirmed: the manifest does not state this watermark" in result.output
