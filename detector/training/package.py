"""From a trained run to the folder that ships: export, calibrate, test, record.

In: a run folder with `detector.safetensors`, or a detector that was exported before; the clips with their crops. Out:
`<run>/weights/detector.onnx` and `detector.json`. Calibration and test score with the exported file itself, so what is
measured is what ships.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector.config import CalibrationConfig, DetectorConfig
from detector.data.cache import CropCache
from detector.data.degradations import Pass
from detector.data.pairs import PairSource
from detector.evaluation.leakage import hashed_names, joined_names
from detector.inference.backends import OnnxScorer
from detector.inference.bundle import NETWORK, RECORD, RECORD_FORMAT, network_files, read_parts
from detector.inference.crops import DETECTOR_CROP
from detector.inference.fusion import Stack
from detector.models.checkpoint import load_detector
from detector.motion.head import MotionHead
from detector.training.calibrate import (
    NORM_PEOPLE,
    Calibration,
    calibrate,
    divide,
    enough_people,
    is_fitted_on,
    one_clip_a_person,
    probability_report,
    report,
    set_thresholds,
)
from detector.training.evidence import (
    UNTOUCHED,
    ClipEvidence,
    Judge,
    Score,
    clip_evidence,
    copies_evidence,
    frames_as_pictures,
    relabelled,
)
from detector.training.export import export_onnx
from detector.training.further_heads import Reader, layer_heads, motion_head, reader_of
from detector.training.groups import fewest_reals
from detector.training.layers import has_heads, without_heads
from detector.training.ranges import coverage_of_clips
from sfumato.atomic import write_bytes, write_text
from sfumato.config import from_dict, to_dict
from sfumato.errors import CheckpointError, UsageError
from sfumato.media.clips import TWIN, ClipRow
from sfumato.version import __version__

PASSES = {  # what the false-positive rate is looked at under: reals that were only sent on must stay reals
    "untouched": UNTOUCHED,
    "h264_crf28": Pass((("h264", (28.0, 1.0)),)),
    "sharpness_128": Pass((("side", (128.0, 0.0, 1.0)),)),
}
VIDEO_REALS = "real videos; of people without one, files of real twins"
STAND_INS = VIDEO_REALS + "; of the others, for these alone are too few, their picture after H.264 crf 23"
PICTURE_REALS = "pictures"
FRAME_REALS = "pictures; of people without one, a frame of their video, for pictures alone are too few"
VIDEO_PASS = Pass(
    (("h264", (23.0, 1.0)),)
)  # x264's default; a video has a codec behind it, most real clips at hand are photographs
_COPY_FRAMES = 2  # of each copy for the quality norm: many people teach it more than many frames
_TEST_FRAMES = 6  # of each clip of the test, which is here to show a failure at once; sfumato bench judges whole files
Note = Callable[[str], None]


def check_people(rows: Sequence[ClipRow], calibration: CalibrationConfig) -> None:
    """Raises UsageError where the people of these rows cannot carry the loosest threshold: better told before the
    training than after.
    """
    known = [row for row in rows if row.label == "real" and row.method != TWIN]
    people = {row.identity for row in known if row.split == "calibration"}
    if not people:
        others = {row.identity for row in known if row.split == "validation"}
        people = {name for name in others if not is_fitted_on(name, calibration.fit_share)}
    loosest = max(calibration.alphas)
    needed = fewest_reals(loosest)
    if len(people) < needed:
        raise UsageError(
            f"A threshold at a false-positive rate of {loosest:g} takes {needed} people with real "
            f"clips, here are {len(people)}",
            "They come from the split calibration, or without one from validation: list more footage.",
        )


def release(run: Path, rows: Sequence[ClipRow], cache: CropCache, note: Note = lambda text: None) -> dict[str, Any]:
    """Writes `<run>/weights/` and returns the record. `rows`: those with crops. Raises CheckpointError, UsageError."""
    net, config, trained = load_detector(run / "detector.safetensors")
    options = json.loads((run / "options.json").read_text(encoding="utf-8"))
    training = {
        **{key: options[key] for key in ("families", "methods", "clips", "people", "seed")},
        "started_from": options.get("started_from"),
        "step": trained["step"], "validation_auc": trained["validation"],
        "backbone_weights": trained["backbone_source"],
        "learnt_from": hashed_names(rows),
        "generators": _generators(rows),
    }  # fmt: skip
    note("exporting")
    network, motion, _ = _taught(export_onnx(net), rows, cache, config, training, note)
    return _released(run, network, motion, config, training, rows, cache, note)


def renew(
    source: Path,
    run: Path,
    rows: Sequence[ClipRow],
    cache: CropCache,
    wanted: DetectorConfig,
    note: Note = lambda text: None,
    *,
    heads: bool = False,
    reader: Reader | None = None,
) -> dict[str, Any]:
    """The same for a detector that was exported before, its folder `source`: its network as it is, calibrated and
    tested anew on `rows` as `wanted.calibration` says. heads: its further heads are learnt anew from the split train,
    as `wanted.heads` and the mix of `wanted.samples` say; reader: of the same network, whose findings then stand for
    those of the exported file.

    Nobody of the splits validation, calibration and test may be of its training. Raises CheckpointError,
    MissingPartError, UsageError.
    """
    network, motion, config, training = _exported(source)
    training["learnt_from"] = joined_names(training["learnt_from"], hashed_names(rows))
    config = replace(config, calibration=wanted.calibration)
    if heads:
        mix, left_out = wanted.samples.mix, wanted.samples.leave_out
        config = replace(config, heads=wanted.heads, samples=replace(config.samples, mix=mix, leave_out=left_out))
        training["generators"] = _generators(rows, training.get("generators", ()))
        network, motion, score = _taught(network, rows, cache, config, training, note, reader)
        return _released(run, network, motion, config, training, rows, cache, note, score if reader else None)
    return _released(run, network, motion, config, training, rows, cache, note)


def _taught(
    network: bytes, rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig, training: dict[str, Any],
    note: Note, reader: Reader | None = None,
) -> tuple[bytes, MotionHead | None, Score | None]:  # fmt: skip
    """The network with its further heads, in place of those it may have, the head on motion, and a short way to the
    logits of the former; `training`, of its record, tells of them. reader: of the same network.
    """
    note("learning further heads")
    network = without_heads(network)
    moved = motion_head(rows, cache, config) if config.heads.motion else None
    reader = reader or reader_of(network, config)
    if config.heads.layers and reader is None:
        note("none of them on all layers, for the network has no maps")
    layers = layer_heads(reader, rows, cache, config) if reader is not None and config.heads.layers else None
    motion, methods = moved or (None, ())
    methods = tuple(sorted({*methods, *(layers.methods if layers else ())}))
    training["heads"] = {"layers": layers is not None, "motion": motion is not None, "methods": list(methods)}
    if layers is None or reader is None:
        return network, motion, None
    return layers.put_on(network), motion, layers.score(reader)


def _generators(rows: Sequence[ClipRow], known: Iterable[str] = ()) -> list[str]:
    """Digests of those that the rows of the split train were made with, and the known ones."""
    return sorted({*known, *(row.generator_digest for row in rows if row.generator_digest and row.split == "train")})


def exported_config(source: Path) -> DetectorConfig:
    """How the exported detector in this folder was made: its crops are cut as its `samples` say.

    Raises CheckpointError, MissingPartError.
    """
    return _exported(source)[2]


def _exported(source: Path) -> tuple[bytes, MotionHead | None, DetectorConfig, dict[str, Any]]:
    """The network, its head on motion, how it was made, and what the record says of its training."""
    network, _, known = read_parts(source)
    if known.get("format") != RECORD_FORMAT or network_files(known) != (NETWORK,):
        raise CheckpointError(
            f"{source} holds no detector for ONNX Runtime that this version reads", "Use that of a training run."
        )
    try:
        training: dict[str, Any] = dict(known["training"])
        training |= {name: list(training[name]) for name in ("families", "methods")}
        training["learnt_from"] = joined_names(training["learnt_from"], "")  # which raises for what is no such set
        motion = MotionHead.from_json(known["motion"]) if known.get("motion") else None
        return network, motion, from_dict(DetectorConfig, known["config"]), training
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{source / RECORD} lacks or garbles {error}", "Take another copy.") from error


def _released(
    run: Path,
    network: bytes,
    motion: MotionHead | None,
    config: DetectorConfig,
    training: dict[str, Any],
    rows: Sequence[ClipRow],
    cache: CropCache,
    note: Note,
    score: Score | None = None,
) -> dict[str, Any]:
    scorer = Judge(score or OnnxScorer(network, os.cpu_count() or 1), has_heads(network), motion)
    note("calibrating")
    calibration, video, fitting, name, of, of_videos = _calibrate(
        scorer, rows, cache, config, [str(family) for family in training["families"]]
    )
    if config.calibration.copies and calibration.stack.norm is None:
        note(
            f"no quality norm: it takes {NORM_PEOPLE} people in the split validation; soft files will "
            "be flagged more often"
        )
    passes = PASSES if config.calibration.test else {}
    note("testing" if passes else "not tested, as asked")
    tested = {
        key: _evidence(
            scorer, rows, cache, config, "test", recipe, everything=True, encoded=_encoded(key), frames=_TEST_FRAMES
        )
        for key, recipe in passes.items()
    }
    trained_on = [
        clip for clip in tested.get("untouched", []) if clip.family == "real" or clip.kind in training["methods"]
    ]
    measurable = len({clip.family == "real" for clip in trained_on}) == 2
    record = {
        "format": RECORD_FORMAT,
        "name": f"{config.model.backbone}-{config.model.size}",
        "version": __version__,
        "crop": DETECTOR_CROP,
        "network": {"file": NETWORK, "sha256": hashlib.sha256(network).hexdigest(), "bytes": len(network)},
        "config": _without_paths(to_dict(config)),
        "calibration": calibration.as_json() | {"split": name, "of": of},
        "video_calibration": video.as_json() | {"split": name, "of": of_videos},
        "motion": None if motion is None else motion.as_json(),
        "training": training,
        "test": {key: report(calibration, video, clips, _encoded(key)) for key, clips in tested.items() if clips},
        "probabilities": probability_report(calibration.stack, fitting, trained_on) if measurable else {},
    }  # fmt: skip
    folder = run / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / NETWORK, network)
    write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")
    return record


def _calibrate(
    scorer: Judge, rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig, families: Sequence[str]
) -> tuple[Calibration, Calibration, list[ClipEvidence], str, str, str]:
    """Stack and quality norm from the validation split, thresholds from the calibration split; without that, of people
    of the former.

    Thresholds count people, one clip each, and hold for each group of them. The second calibration has the same stack:
    it is for videos, the first one for pictures. Third: what the stack was fitted on; fourth: where the thresholds come
    from; fifth: what the pictures are; sixth: what the videos are.
    """
    fitting = _evidence(scorer, rows, cache, config, "validation")
    known = [row for row in rows if row.label == "real"]
    split, name = "calibration", "calibration"
    reals = _evidence(scorer, known, cache, config, split, made=False)
    if not reals:
        split, name = "validation", "validation, people not used for the fit"
        fitting, others = divide(fitting, config.calibration.fit_share)
        reals = [clip for clip in others if clip.family == "real"]
    fitted = {clip.identity for clip in fitting}  # nobody whose clips set a threshold
    learnt = [row for row in known if row.split == "validation" and row.identity in fitted]
    copies = list[ClipEvidence]()
    if enough_people(learnt):  # else no norm would come of them
        number = config.calibration.copies
        copies += copies_evidence(scorer, learnt, cache, config.model.size, number, _COPY_FRAMES)
    here = [row for row in known if row.split == split and row.identity in {clip.identity for clip in reals}]
    pictures, of = _pictures(scorer, reals, here, cache, config)
    if config.samples.shuffled:
        fitting = relabelled(fitting)  # else a control would learn here which of its logits are of use
    calibration = calibrate(fitting, pictures, config.calibration.alphas, families, copies, scorer.heads)
    video, videos, of_videos = _video_thresholds(
        calibration.stack, *_videos(scorer, reals, here, cache, config), config.calibration.alphas
    )
    size = config.model.size
    return (
        replace(calibration, covers=coverage_of_clips([*pictures, *copies], size)),
        replace(video, covers=coverage_of_clips([*videos, *copies], size), frames=config.samples.frames_per_clip),
        fitting,
        name,
        of,
        of_videos,
    )


def _pictures(
    scorer: Judge, reals: Sequence[ClipEvidence], rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig
) -> tuple[list[ClipEvidence], str]:
    """What thresholds of pictures are set on, a clip a person, and what that is. Videos do not count among pictures; a
    frame of them does, in a group of its own, where pictures are too few for any threshold.
    """
    taken = one_clip_a_person([clip for clip in reals if clip.kind == "real" and not clip.video])
    if len(taken) >= fewest_reals(max(config.calibration.alphas)):
        return taken, PICTURE_REALS
    people = {clip.identity for clip in taken}
    filmed = [row for row in rows if row.method != TWIN and row.identity not in people]
    frames = frames_as_pictures(scorer, filmed, cache, config.model.size)
    return [*taken, *one_clip_a_person(list(frames))], FRAME_REALS


def _videos(
    scorer: Judge, reals: Sequence[ClipEvidence], rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig
) -> tuple[list[ClipEvidence], list[ClipEvidence]]:
    """What thresholds of videos can be set on, a clip a person: a real video, or the twin of a fake; and of people who
    have neither a picture after H.264. Nothing that is a video already is encoded again.
    """
    taken = list[ClipEvidence]()
    for kind in ("real", TWIN):
        people = {clip.identity for clip in taken}
        found = [clip for clip in reals if clip.video and clip.kind == kind and clip.identity not in people]
        taken += one_clip_a_person(found)
    people = {clip.identity for clip in taken}
    alone = [row for row in rows if row.method != TWIN and row.identity not in people]
    split = alone[0].split if alone else None
    encoded = _evidence(scorer, alone, cache, config, split, VIDEO_PASS, made=False, encoded=True) if split else []
    return taken, one_clip_a_person(encoded)


def _video_thresholds(
    stack: Stack, filmed: Sequence[ClipEvidence], encoded: Sequence[ClipEvidence], alphas: Sequence[float]
) -> tuple[Calibration, list[ClipEvidence], str]:
    """Thresholds of videos, what they are set on, and what that is. A picture after H.264 holds still, and files like
    it are judged as pictures: it counts where without such ones a threshold could not be set, and then for all of them.

    Raises UsageError if not even the largest alpha can be had.
    """
    alone = None
    with suppress(UsageError):
        alone = set_thresholds(stack, filmed, alphas)
    every = [*filmed, *encoded]
    if alone is None or alone.left_out:
        found = set_thresholds(stack, every, alphas)
        if alone is None or set(alone.left_out) - set(found.left_out):
            return found, every, STAND_INS
    return alone, list(filmed), VIDEO_REALS


def _evidence(
    scorer: Judge, rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig, split: str,
    recipe: Pass = UNTOUCHED,
    *, made: bool = True, everything: bool = False, encoded: bool = False, frames: int | None = None,
) -> list[ClipEvidence]:  # fmt: skip
    """Of the methods of the mix; of all if `everything`. `made`: with what is made on the fly. encoded, frames: as in
    `clip_evidence`.
    """
    chosen = [row for row in rows if row.split == split]
    if not any(row.label == "real" and row.method != TWIN for row in chosen):
        return []
    return list(
        clip_evidence(
            scorer, PairSource(chosen, cache, config, everything=everything or not made), recipe, made, encoded, frames
        )
    )


def _encoded(name: str) -> bool:
    """Whether a pass of PASSES makes a video of a picture."""
    return name.startswith("h264")


def _without_paths(values: dict[str, Any]) -> dict[str, Any]:
    """Paths of the training machine are nobody's business, and a shipped net needs no weights file."""
    model, samples, train = values["model"], values["samples"], values["train"]
    model, samples = model | {"weights": None, "pretrained": "none"}, samples | {"autoencoder": None}
    return values | {"model": model, "samples": samples, "train": train | {"start": None}}
