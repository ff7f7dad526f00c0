"""The seal leaves three traces: manifest, watermark, repository; and says so when the third one fails."""

from __future__ import annotations

import base64
import json
import warnings
from dataclasses import replace
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

from provenance.durable.recovered import read_store
from provenance.durable.repository import open_repository
from provenance.formats.manifest_box import embedded_store
from provenance.signing.seal import C2paSeal, MarkedSeal, development_signer, payload_of
from provenance.verifying.verify import verify
from provenance.watermark.detect import SpreadReader
from sfumato.errors import SealError, SfumatoWarning
from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter, Seal, VideoReader
from sfumato.media.video.seal import MarkingSeal, SealMaker
from tests.durable_fixtures import sealed_video
from tests.watermark_fixtures import scene

FACTS = GeneratedFacts("title", "model", "0" * 64, 7, (), "1" * 64)


@pytest.fixture(scope="module")
def sealed(keys, tmp_path_factory):
    folder = tmp_path_factory.mktemp("durable")
    return sealed_video(folder / "a.mp4", keys, folder / "repository.sqlite3")


def payload_in(path: Path) -> bytes | None:
    reader = SpreadReader()
    with VideoReader(path) as video:
        for frame in video:
            reader.add(frame.image)
    found = reader.read()
    return found.payload if found.detected else None


def test_manifest_watermark_and_repository_agree(sealed) -> None:
    manifest = read_store(sealed.store)
    ((alg, value),) = manifest.bindings
    assert alg == "org.sfumato.watermark.1"
    assert base64.b64decode(value) == payload_in(sealed.path)
    with open_repository(sealed.repository) as repository:
        assert [match.manifest_id for match in repository.by_binding(alg, value)] == [sealed.manifest_id]
        assert repository.manifest(sealed.manifest_id) == sealed.store


def test_the_manifest_has_the_shapes_of_the_specification(sealed) -> None:
    from c2pa import Context, Reader

    from provenance.library.settings import reading

    with sealed.path.open("rb") as file, Reader("video/mp4", file, context=Context.from_dict(reading())) as reader:
        report = json.loads(reader.json())
    manifest = report["manifests"][report["active_manifest"]]
    parts = {part["label"]: part for part in manifest["assertions"]}
    actions = [action["action"] for action in parts["c2pa.actions.v2"]["data"]["actions"]]
    assert actions == ["c2pa.created", "c2pa.watermarked.bound"]
    binding = parts["c2pa.soft-binding"]
    assert binding["created"] is True
    assert set(binding["data"]) == {"alg", "blocks"}
    assert [set(block) for block in binding["data"]["blocks"]] == [{"scope", "value"}]
    assert binding["data"]["blocks"][0]["scope"] == {}
    assert verify(sealed.path, [sealed.keys.root_pem()]).outcome == "trusted"


def test_the_same_video_again_comes_out_the_same_and_another_has_another_payload(keys, tmp_path) -> None:
    first = sealed_video(tmp_path / "a.mp4", keys, tmp_path / "r.sqlite3")
    again = sealed_video(tmp_path / "b.mp4", keys, tmp_path / "r.sqlite3")
    frames = [np.stack([frame.image for frame in VideoReader(sealed.path)]) for sealed in (first, again)]
    np.testing.assert_array_equal(*frames)
    other = sealed_video(tmp_path / "c.mp4", keys, tmp_path / "r.sqlite3", seed=1)
    assert read_store(first.store).bindings == read_store(again.store).bindings != read_store(other.store).bindings
    assert first.manifest_id != again.manifest_id


@pytest.mark.parametrize("place", ["a folder", "a file that is no database", "a folder that cannot be"])
def test_a_repository_that_fails_does_not_lose_the_video_and_says_so(keys, tmp_path, place) -> None:
    repository = tmp_path / "r.sqlite3"
    if place == "a folder":
        repository.mkdir()
    elif place == "a file that is no database":
        repository.write_bytes(b"x" * 4096)
    else:
        (tmp_path / "file").write_bytes(b"")
        repository = tmp_path / "file" / "r.sqlite3"
    with pytest.warns(SfumatoWarning, match="sealed and marked, but .* repository"):
        sealed = sealed_video(tmp_path / "a.mp4", keys, repository)
    assert verify(sealed.path).outcome == "untrusted"
    assert payload_in(sealed.path) is not None


def test_the_warning_points_at_whoever_sealed(keys, tmp_path, unsealed) -> None:
    seal = C2paSeal(keys.folder.parent, repository=tmp_path).begin(FACTS)  # a folder is no repository
    assert isinstance(seal, MarkedSeal)
    seal.mark(next(iter(scene(0))), 0.0, [])
    with pytest.warns(SfumatoWarning) as caught:
        seal(unsealed, tmp_path / "out.mp4", FACTS)
    assert [warning.filename for warning in caught] == [__file__]


def test_the_payload_follows_what_is_said_and_who_says_it_in_whatever_order(keys, tmp_path) -> None:
    signer, other = development_signer(keys.folder.parent), development_signer(tmp_path)
    facts = replace(FACTS, parameters={"strength": 0.5, "motion": "calm"})
    payload = payload_of(facts, signer)
    assert len(payload) == 8
    assert payload_of(replace(FACTS, parameters={"motion": "calm", "strength": 0.5}), signer) == payload
    assert payload_of(replace(facts, title="another"), signer) != payload
    assert payload_of(replace(facts, seed=8), signer) != payload
    assert payload_of(facts, other) != payload


def test_unmarked_is_only_for_the_library(keys, tmp_path) -> None:
    """`sfumato fakes` makes training material without a mark, so that a detector cannot learn it; still sealed, and not
    registered.
    """
    seal = C2paSeal(keys.folder.parent, mark=False, repository=tmp_path / "r.sqlite3")
    path = tmp_path / "a.mp4"
    with GeneratedVideoWriter(path, width=256, height=192, rate=25, seal=seal, facts=FACTS) as video:
        for image in scene(0):
            video.write(image)
    assert payload_in(path) is None
    assert not (tmp_path / "r.sqlite3").exists()
    found = verify(path)
    assert found.declares == ("trainedAlgorithmicMedia",)
    with path.open("rb") as file:
        assert read_store(embedded_store(file) or b"").bindings == ()


def test_nobody_can_switch_the_mark_off_on_the_command_line() -> None:
    from sfumato.app.cli.animate import animate
    from sfumato.app.cli.demo import demo

    for command in (animate, demo):
        assert not {"mark", "no_mark", "unmarked", "watermark", "no_watermark"} & {
            str(option.name) for option in command.params
        }


def test_unmarked_frames_are_not_sealed_as_marked(keys, tmp_path, unsealed) -> None:
    seal = C2paSeal(keys.folder.parent, repository=tmp_path / "r.sqlite3").begin(FACTS)
    assert isinstance(seal, MarkedSeal)
    with pytest.raises(SealError, match="No frame"):
        seal(unsealed, tmp_path / "out.mp4", FACTS)
    assert not (tmp_path / "out.mp4").exists()


def test_a_seal_without_a_fault_warns_of_nothing(keys, tmp_path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", SfumatoWarning)
        sealed_video(tmp_path / "a.mp4", keys, tmp_path / "r.sqlite3")


@pytest.mark.parametrize(
    ("ours", "protocol", "method"),
    [
        (C2paSeal, Seal, "__call__"),
        (C2paSeal, SealMaker, "begin"),
        (MarkedSeal, Seal, "__call__"),
        (MarkedSeal, MarkingSeal, "mark"),
    ],
)
def test_the_seal_fits_the_protocol_of_the_writer(ours: type, protocol: type, method: str) -> None:
    def shape(of: type) -> list[tuple[str, object]]:
        return [(each.name, each.default) for each in signature(getattr(of, method)).parameters.values()]

    assert shape(ours) == shape(protocol)


def test_keys_are_made_on_first_use(unsealed: Path, facts: GeneratedFacts, tmp_path: Path) -> None:
    C2paSeal(tmp_path / "keys")(unsealed, tmp_path / "out.mp4", facts)
    root = (tmp_path / "keys" / "development" / "root.pem").read_bytes()
    assert verify(tmp_path / "out.mp4", [root]).outcome == "trusted"
