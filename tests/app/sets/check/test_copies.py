"""Copies that were encoded anew, across splits and across labels."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from sfumato.app.sets.check.run import check_set
from sfumato.app.sets.layout import SetRow
from sfumato.media.clips import TWIN
from tests.set_fixtures import changed, encode, faults, find, reseal

FAKE, TWIN_FILE = "videos/00001-fake.mp4", "videos/00001-twin.mp4"


def added(path: str, like: str, label: str, **values):
    """A row more, of the details of another."""

    def change(rows: list[SetRow]) -> list[SetRow]:
        row = next(row for row in rows if row.clip.path == like)
        if label == "real":
            values.update(label="real", family="real", method=TWIN, pair_of=None, generator_digest=None)
        clip = dataclasses.replace(row.clip, path=path, **values)
        return [*rows, SetRow(clip, dataclasses.replace(row.details, path=path))]

    return change


@pytest.mark.parametrize("changes", [{"crf": 30}, {"scale": 0.5}, {"crf": 28, "scale": 1.5}], ids=str)
@pytest.mark.parametrize("path", [FAKE, TWIN_FILE])
def test_a_copy_in_another_split(clouds: Path, seen: Path, changes, path: str) -> None:
    label = "real" if path == TWIN_FILE else "fake"
    new = clouds / "videos/new.mp4"
    reseal(new, label, encode(clouds / path, clouds.parent / "new.mp4", **changes))
    stranger = {"identity": "nobody", "source_ids": (), "driver_id": None, "split": "test"}
    report = check_set(changed(clouds, added("videos/new.mp4", path, label, **stranger)), journal=seen)
    found = {fault.kind: fault for fault in find(report, "copies").faults}
    assert list(found) == ["near duplicate in two splits"]
    assert any("videos/new.mp4" in name and path in name for name in found["near duplicate in two splits"].names)


@pytest.mark.parametrize("changes", [{"crf": 30}, {"scale": 0.5}], ids=str)
def test_a_fake_that_is_there_as_a_real_clip_too(clouds: Path, seen: Path, changes) -> None:
    new = clouds / "videos/new.mp4"
    reseal(new, "real", encode(clouds / FAKE, clouds.parent / "new.mp4", **changes))
    report = check_set(changed(clouds, added("videos/new.mp4", FAKE, "real")), journal=seen)
    fault = next(fault for fault in find(report, "copies").faults)
    assert (fault.kind, fault.count) == ("real clip that shows a fake", 1)
    assert fault.names[0].startswith(f"videos/new.mp4 and {FAKE}")


def test_the_same_file_under_two_names(clouds: Path, seen: Path) -> None:
    shutil.copy(clouds / FAKE, clouds / "videos/new.mp4")
    report = check_set(changed(clouds, added("videos/new.mp4", FAKE, "fake")), journal=seen)
    assert faults(report)["copies"] == ["file under two names"]


def test_a_real_clip_sealed_anew_as_a_fake(clouds: Path, seen: Path) -> None:
    """Its frames are those of its twin: the label is wrong, whatever the seal says."""
    from tests.set_fixtures import strip

    reseal(clouds / FAKE, "fake", strip(clouds / TWIN_FILE, clouds.parent / "bare.mp4"))
    report = check_set(changed(clouds, lambda rows: None), journal=seen)
    assert faults(report) == {"copies": ["real clip and fake with the same frames"]}


def test_another_twin_of_the_same_footage_is_no_copy(clouds: Path, seen: Path) -> None:
    """Two fakes of one person, each beside a twin of the same moments."""

    def change(rows: list[SetRow]) -> list[SetRow]:
        made = []
        for row in [row for row in rows if row.clip.identity == "person-1"]:
            path = row.clip.path.replace("00001", "00011")
            fake = row.clip.label == "fake"
            reseal(clouds / path, row.clip.label, encode(clouds / row.clip.path, clouds.parent / "n.mp4", crf=24))
            clip = dataclasses.replace(
                row.clip, path=path, pair_of=row.clip.pair_of and TWIN_FILE.replace("00001", "00011")
            )
            made.append(SetRow(clip, dataclasses.replace(row.details, path=path, pair="00011")))
            assert fake == (clip.pair_of is not None)
        return [*rows, *made]

    assert faults(check_set(changed(clouds, change), journal=seen)) == {}
