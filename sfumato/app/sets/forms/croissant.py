"""A set described in Croissant 1.1 (mlcommons.org/croissant/1.1), with the fields of its RAI vocabulary 1.0.

In: a job. Out: croissant.json and rows.parquet, which it names with its digest, beside the videos of the folder form,
which are written too. Its record sets can be iterated without a network: `clips`, a row a clip with the name of its
video, and `splits`, what the splits are for. The table is Parquet because readers guess types of JSON and CSV: a pair
"00012" would come back as 12. No record set has the videos' bytes: mlcroissant 1.1 reads no videos.
"""

from __future__ import annotations

import json
from typing import Any

from sfumato.app.sets.forms.about import IMPACT, LABELS, MAINTENANCE, PERSONAL, REFUSED, SEALED, USES, about
from sfumato.app.sets.forms.columns import COLUMNS, fields, record
from sfumato.app.sets.forms.folder import write_folder
from sfumato.app.sets.forms.job import DATA, Job
from sfumato.app.sets.forms.licences import spdx_address
from sfumato.app.sets.layout import Rights
from sfumato.atomic import atomic_path, write_text
from sfumato.media.clips import file_digest
from sfumato.version import __version__

FILE, ROWS = "croissant.json", "rows.parquet"
CONFORMS = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
_TYPES = {"text": "sc:Text", "names": "sc:Text", "whole": "sc:Integer", "number": "sc:Float"}
_SPLITS = {
    "train": "cr:TrainingSplit",
    "validation": "cr:ValidationSplit",
    "calibration": "cr:ValidationSplit",  # Croissant has no term for it: thresholds are set on these clips
    "test": "cr:TestSplit",
}
_CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/", "prov": "http://www.w3.org/ns/prov#",
    "arrayShape": "cr:arrayShape", "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty", "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract", "field": "cr:field", "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes", "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5",
    "name": {"@container": "@language"}, "parentField": "cr:parentField", "path": "cr:path",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "samplingRate": "cr:samplingRate", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip


def write_croissant(job: Job) -> None:
    """Raises MediaError, OutputError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_folder(job)
    schema = pa.schema([pa.field("file_name", pa.string(), nullable=False), *fields()])
    rows = [{"file_name": job.names[row.clip.path], **record(job, row)} for row in job.media.rows]
    with atomic_path(job.out / ROWS) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary)
    described = {"@context": _CONTEXT, "@type": "sc:Dataset", **_general(job), **_responsible(job)}
    described |= {"distribution": _distribution(job), "recordSet": _record_sets(job)}
    write_text(job.out / FILE, json.dumps(described, ensure_ascii=False, indent=1) + "\n")


def _general(job: Job) -> dict[str, Any]:
    facts, publication = job.media.facts, job.publication
    found: dict[str, Any] = {
        "conformsTo": CONFORMS,
        "name": facts.name,
        "description": facts.description,
        "license": spdx_address(facts.licence) or facts.licence,
        "version": facts.version,
        "datePublished": publication.published.isoformat(),
        "keywords": ["deepfake detection", "media forensics", "C2PA", "synthetic media", "talking heads"],
        "isLiveDataset": False,
        "citeAs": ". ".join(
            part
            for part in (
                publication.creator, f"{facts.name}, version {facts.version}", str(publication.published.year),
                publication.url, f"sha256 {facts.digest}",
            )
            if part
        ),
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:label": f"Made by {facts.program} from the recipe with SHA-256 {facts.recipe_sha256}; written by"
            f" sfumato {__version__}",
        },
        "prov:wasDerivedFrom": [
            {"@type": "prov:Entity", "prov:label": f"{rights.source} ({rights.holder}; {rights.licence})"}
            for _, rights in _used(job)
        ],
    }  # fmt: skip
    if publication.url:
        found["url"] = publication.url
    if publication.creator:
        found["creator"] = {"@type": "sc:Organization", "name": publication.creator}
    return found


def _responsible(job: Job) -> dict[str, Any]:
    words = about(job.media)
    models = [f"{name} (SHA-256 {digest})" for name, digest in sorted(job.media.facts.models.items())]
    statements = [
        f"{name}: {rights.holder}, {rights.licence}, {rights.basis}. {rights.statement}" for name, rights in _used(job)
    ]
    return {
        "rai:dataCollection": words.collected,
        "rai:dataCollectionType": ["Software Collection"],
        "rai:dataCollectionRawData": " ".join(statements),
        "rai:dataCollectionMissingData": "A column that has nothing to say of a clip is empty: a twin has no"
        " generator, a fake that no model made has none either.",
        "rai:dataManipulationProtocol": " ".join(
            [words.made, *([f"Models: {'; '.join(models)}."] if models else []), SEALED]
        ),
        "rai:dataPreprocessingProtocol": [words.treated],
        "rai:dataAnnotationProtocol": [LABELS],
        "rai:annotationsPerItem": "None by people.",
        "rai:machineAnnotationTools": [job.media.facts.program],
        "rai:dataBiases": list(words.biases),
        "rai:dataLimitations": [*words.limits, *REFUSED],
        "rai:dataUseCases": list(USES),
        "rai:dataSocialImpact": IMPACT,
        "rai:personalSensitiveInformation": list(PERSONAL),
        "rai:dataReleaseMaintenancePlan": MAINTENANCE,
    }


def _used(job: Job) -> list[tuple[str, Rights]]:
    return [(name, job.media.rights[name]) for name in sorted({row.details.rights for row in job.media.rows})]


def _distribution(job: Job) -> list[dict[str, Any]]:
    rows = job.out / ROWS
    return [
        {
            "@type": "cr:FileObject", "@id": ROWS, "name": ROWS, "description": "One row a clip.",
            "contentUrl": ROWS, "contentSize": f"{rows.stat().st_size} B", "encodingFormat": "application/x-parquet",
            "sha256": file_digest(rows),
        },
        {
            "@type": "cr:FileSet", "@id": "video-files", "name": "video-files",
            "description": "The videos; their digests are in the rows and in SHA256SUMS.",
            "encodingFormat": "video/mp4", "includes": sorted({f"{DATA}/*/*{ending}" for ending in _endings(job)}),
        },
    ]  # fmt: skip


def _endings(job: Job) -> set[str]:
    return {"." + name.rpartition(".")[2] for name in job.names.values()}


def _record_sets(job: Job) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:RecordSet", "@id": "splits", "name": "splits", "dataType": "cr:Split",
            "description": "What the splits are for.", "key": {"@id": "splits/name"},
            "field": [
                {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"},
                {"@type": "cr:Field", "@id": "splits/url", "name": "url", "dataType": "sc:URL"},
            ],
            "data": [
                {"splits/name": split, "splits/url": _SPLITS[split].replace("cr:", _CONTEXT["cr"])}  # type: ignore[arg-type]
                for split, _ in job.splits()
            ],
        },
        {
            "@type": "cr:RecordSet", "@id": "clips", "name": "clips", "key": {"@id": "clips/file_name"},
            "description": "What is known of each clip.",
            "field": [
                _field("file_name", "sc:Text", "Of the video, one of video-files, from the folder of this file on"),
                *(
                    _field(
                        column.name,
                        ["sc:Text", "cr:Label"] if column.name == "label" else _TYPES[column.kind],
                        column.about,
                        many=column.kind == "names",
                    )
                    for column in COLUMNS
                ),
            ],
        },
    ]  # fmt: skip


def _field(name: str, kind: str | list[str], about: str, many: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@type": "cr:Field", "@id": f"clips/{name}", "name": name, "description": about, "dataType": kind,
        "source": {"fileObject": {"@id": ROWS}, "extract": {"column": name}},
    }  # fmt: skip
    return (
        found
        | ({"isArray": True, "arrayShape": "-1"} if many else {})
        | ({"references": {"field": {"@id": "splits/name"}}} if name == "split" else {})
    )
