"""Seals that are missing or broken, and labels that seals contradict."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from sfumato.app.sets.check.run import check_set
from sfumato.app.sets.layout import SetRow
from sfumato.media.clips import TWIN
from tests.media_fixtures import make_video
from tests.set_fixtures import changed, encode, faults, find, forged

FAKE, OTHER = "videos/00002-fake.mp4", "videos/00002-twin.mp4"


def test_an_unsealed_fake(clouds: Path, seen: Path) -> None:
    make_video(clouds / FAKE, images=forged(2), frames=13, width=128, height=96, rate=25)
    report = check_set(changed(clouds, lambda rows: None), journal=seen)
    assert faults(report)["seals"] == ["fake without a seal"]
    assert find(report, "seals").faults[0].names == (FAKE,)


def test_an_unsealed_twin(clouds: Path, seen: Path) -> None:
    encode(clouds / OTHER, clouds.parent / "bare.mp4").rename(clouds / OTHER)
    report = check_set(changed(clouds, lambda rows: None), journal=seen)
    assert faults(report)["seals"] == ["real clip without a seal"]


def test_labels_that_were_turned_round(clouds: Path, seen: Path) -> None:
    def turn(rows: list[SetRow]) -> list[SetRow]:
        turned = []
        for row in rows:
            clip = row.clip
            if clip.path == FAKE:
                clip = dataclasses.replace(clip, label="real", family="real", method=TWIN, pair_of=None)
            elif clip.path == OTHER:
                clip = dataclasses.replace(clip, label="fake", family="reenact", method="toy", pair_of=FAKE)
            turned.append(SetRow(clip, row.details))
        return turned

    report = check_set(changed(clouds, turn), journal=seen)
    assert faults(report) == {
        "labels against seals": [
            "clip labelled real whose seal declares AI",
            "clip labelled fake whose seal declares no AI",
        ]
    }
    assert find(report, "labels against seals").faults[0].names == (FAKE,)
    assert "trainedAlgorithmicMedia" in find(report, "labels against seals").faults[0].detail


def test_a_signer_whom_nobody_given_vouches_for(clouds: Path, seen: Path) -> None:
    from provenance.pki.certificates import read_anchors
    from provenance.pki.keys import development_keys

    mine = read_anchors(clouds.parent / "root.pem")
    assert faults(check_set(clouds, [mine], journal=seen)) == {}
    other = read_anchors(development_keys(clouds.parent / "other").root_certificate)
    report = check_set(clouds, [other], journal=seen)
    assert faults(report) == {
        "seals": ["seal of a signer whom no root given vouches for"],
        "manifest of the set": ["manifest that nobody given vouches for"],
    }


def test_a_list_without_any_seal_is_not_held_to_them(tmp_path: Path, seen: Path) -> None:
    from sfumato.media.clips import ClipRow, file_digest, write_clips

    files = [
        make_video(tmp_path / f"{label}.mp4", images=forged(9), frames=13, width=128, height=96)
        for label in ("real", "fake")
    ]
    write_clips(
        tmp_path / "clips.jsonl",
        [
            ClipRow(
                file.name,
                file.stem,
                "m",
                "real" if file.stem == "real" else "blend",
                "a",
                file_digest(file),
                split="test",
            )  # type: ignore[arg-type]
            for file in files
        ],
    )
    report = check_set(tmp_path, journal=seen)
    assert find(report, "seals").state == find(report, "labels against seals").state == "not checked"
    assert faults(report) == {"copies": ["file under two names", "real clip and fake with the same frames"]}
