"""All the fakes of a list, one after the other: resumable, and the same files for the same request.

In: clips.jsonl and its rows, settings, what fakes are made with. Out: mp4 files in `generated/` beside the list, and
its rows and theirs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfumato.app.fakes.makers import TakeMaker
from sfumato.app.fakes.pairs import write_fake, write_twin
from sfumato.app.fakes.plan import KINDS, Job, Kind, plan
from sfumato.errors import MediaError, UsageError
from sfumato.execution.journal import Journal, Record, options_digest
from sfumato.media.clips import GENERATED, TWIN, ClipRow, clip_file, file_digest
from sfumato.media.video import GeneratedFacts

if TYPE_CHECKING:
    from provenance.signers import Signer

JOURNAL = "made.sqlite3"
_VERSION = 5  # raised when the same request gives other files
_ADVICE = "Each needs a file inside the list's folder, no link out of it, that shows a face."


def make_fakes(
    maker: TakeMaker, rows: Sequence[ClipRow], kind: Kind, signer: Signer,
    advance: Callable[[float, float], Any] = lambda amount, total: None,
) -> list[ClipRow]:  # fmt: skip
    """The rows of the fakes of one kind and of their twins, twin first. `advance` gets 1 and the total a fake.

    `signer` signs both. A stopped call made again goes on where it was: what is done is kept in
    `generated/made.sqlite3`. Who cannot be faked is passed over and told in `maker.refused`, and tried again by the
    next call. Raises UsageError if none can be made, OutputError.
    """
    maker.require(kind)
    reals = [row for row in rows if row.label == "real" and row.method != TWIN]
    key = request_key(maker, reals, kind)
    folder = maker.clips.parent
    jobs, models = plan(reals, maker.config, kind, folder), options_digest(_models(maker, kind))
    made: list[ClipRow] = []
    for job in jobs:
        try:
            with Journal(folder / GENERATED / JOURNAL, models, [key, job.number]) as journal:
                found = _read(folder, journal.find(job.whom.sha256))
                if not found:
                    found = make(maker, job, key, signer)
                    journal.add(job.whom.sha256, {"rows": [asdict(row) for row in found]})
            made += found
        except MediaError as error:
            maker.refused[job.whom.path] = error.message
        advance(1, len(jobs))
    if not made:
        name = jobs[0].whom.path
        raise UsageError(
            f"None of {len(jobs)} people can be faked ({kind}); the first: {name}: {maker.refused[name]}", _ADVICE
        )
    return made


def make(maker: TakeMaker, job: Job, key: str, signer: Signer) -> list[ClipRow]:
    """Writes one fake and its twin. Returns the twin's row and the fake's. Raises MediaError without a usable face,
    OutputError.
    """
    config = maker.config
    rng = np.random.default_rng([config.seed, 1000, KINDS.index(job.kind), job.number])
    size, crf = int(rng.choice(config.sizes)), int(rng.integers(config.best_crf, config.worst_crf + 1))
    take = maker.take(job, size, rng)
    folder = maker.clips.parent
    fake, twin = f"{GENERATED}/{key}-{job.number:05d}.mp4", f"{GENERATED}/{key}-{job.number:05d}-{TWIN}.mp4"
    source = clip_file(maker.clips, job.whom)
    name, digest = take.made_by
    facts = GeneratedFacts(
        title=f"training fake {job.number}", model_name=name or take.method, model_digest=digest or job.whom.sha256,
        seed=config.seed,
        portraits=(), motion_digest=take.motion_digest or job.whom.sha256,
        parameters={"source": job.whom.sha256, "size": size, **take.parameters},
    )  # fmt: skip
    write_fake(folder / fake, take, source, crf, signer, facts)
    size_wanted = (folder / fake).stat().st_size if config.equal_bytes else 0
    write_twin(folder / twin, take, source, crf, signer, facts, size_wanted)
    whom = job.whom
    return [
        ClipRow(
            path=twin, label="real", method=TWIN, family="real", identity=whom.identity,
            sha256=file_digest(folder / twin),
            pair_of=whom.path, split=whom.split, seed=config.seed,
        ),
        ClipRow(
            path=fake, label="fake", method=take.method, family=take.family, identity=whom.identity,
            sha256=file_digest(folder / fake),
            source_ids=take.source_ids, driver_id=take.driver_id, pair_of=twin, split=whom.split, seed=config.seed,
            generator_digest=digest or None,
        ),
    ]  # fmt: skip


def request_key(maker: TakeMaker, reals: Sequence[ClipRow], kind: Kind) -> str:
    """Names the whole request: the same people, models and settings give the same fakes."""
    facts = [_VERSION, kind, asdict(maker.config), _models(maker, kind), [asdict(row) for row in reals]]
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:12]


def _models(maker: TakeMaker, kind: Kind) -> list[str]:
    """The digests of what fakes of this kind are made with."""
    makers = maker.autoencoders if kind == "autoencoder" else () if kind == "swap" else maker.checkpoints
    return [model.digest for model in makers]


def _read(folder: Path, record: Record | None) -> list[ClipRow]:
    """The rows of a fake that was made before; none if there is no such entry, or its files are gone."""
    with suppress(KeyError, TypeError, ValueError):
        rows = [ClipRow(**(row | {"source_ids": tuple(row["source_ids"])})) for row in (record or {})["rows"]]
        if all((folder / row.path).is_file() for row in rows):
            return rows
    return []
