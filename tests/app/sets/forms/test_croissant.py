"""Croissant: mlcroissant takes it without an error or a network and gives every row; the RAI fields say what is so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sfumato.app.sets.forms.croissant import CONFORMS, write_croissant
from sfumato.app.sets.forms.job import Job, Publication
from sfumato.app.sets.layout import read_set
from sfumato.media.clips import file_digest
from tests.set_forms_fixtures import HOSTILE, make_set


@pytest.fixture
def described(job: Job) -> dict:
    write_croissant(job)
    return json.loads((job.out / "croissant.json").read_text(encoding="utf-8"))


def test_what_the_vocabularies_ask_for_is_there(described: dict, job: Job) -> None:
    assert described["conformsTo"] == CONFORMS
    for name in ("name", "description", "license", "url", "creator", "datePublished", "version", "citeAs"):
        assert described[name], name
    for name in ("dataCollection", "dataBiases", "dataLimitations", "personalSensitiveInformation", "dataUseCases",
                 "dataReleaseMaintenancePlan", "dataManipulationProtocol", "dataAnnotationProtocol"):  # fmt: skip
        assert described[f"rai:{name}"], name
    assert described["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert (described["name"], described["creator"]["name"]) == (HOSTILE, HOSTILE)
    assert (
        "3 people" in described["rai:dataCollection"] and "agreed in writing" in described["rai:dataCollectionRawData"]
    )
    table = described["distribution"][0]
    assert table["sha256"] == file_digest(job.out / table["contentUrl"])


def test_who_says_nothing_of_the_publication_gets_no_empty_fields(job: Job) -> None:
    write_croissant(replace(job, publication=Publication()))
    found = json.loads((job.out / "croissant.json").read_text(encoding="utf-8"))
    assert not {"url", "creator"} & set(found)


def test_other_licences_keep_their_words(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    job = Job(read_set(make_set(tmp_path / "set", licence="ask first")), tmp_path / "out")
    write_croissant(job)
    assert json.loads((job.out / "croissant.json").read_text(encoding="utf-8"))["license"] == "ask first"


def test_mlcroissant_takes_it_and_gives_every_row(described: dict, job: Job) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    dataset = mlcroissant.Dataset(jsonld=str(job.out / "croissant.json"))
    issues = dataset.metadata.ctx.issues
    assert not issues.errors and not issues.warnings, issues.report()
    assert str(dataset.metadata.ctx.conforms_to.value) == CONFORMS[0]
    rows = {row["clips/path"].decode(): row for row in dataset.records("clips")}
    assert len(rows) == len(job.media.rows)
    for row in job.media.rows:
        read = rows[row.clip.path]
        assert read["clips/pair"] == row.details.pair.encode()  # with its zeros
        assert read["clips/identity"] == row.clip.identity.encode()
        assert read["clips/seed"] == row.clip.seed and read["clips/rate"] == row.details.rate
        assert read["clips/source_ids"] == [row.clip.source_ids[0].encode()]
        assert file_digest(job.out / read["clips/file_name"].decode()) == row.clip.sha256
    assert [split["splits/name"] for split in dataset.records("splits")] == ["test", "train"]
