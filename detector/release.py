"""From a trained run to the folder that ships: export, calibrate, test, record.

In: a run folder with `detector.safetensors`, the clips with their crops. Out: `<run>/weights/detector.onnx` and
`detector.json`. Calibration and test score with the exported file itself, so what is measured is what ships.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from detector.cache import CropCache
from detector.calibrate import Calibration, calibrate, divide, report
from detector.config import DetectorConfig
from detector.crops import DETECTOR_CROP
from detector.degrade import Pass
from detector.evaluate import UNTOUCHED, ClipEvidence, clip_evidence
from detector.export import export_onnx
from detector.samples import PairSource
from detector.shipped import FORMAT, NETWORK, RECORD, OnnxScorer
from detector.state import load_detector
from sfumato import __version__
from sfumato.atomic import write_bytes, write_text
from sfumato.config import to_dict
from sfumato.errors import UsageError
from sfumato.media.clips import ClipRow

PASSES = {  # what the false-positive rate is looked at under: reals that were only sent on must stay reals
    "untouched": UNTOUCHED,
    "h264_crf28": Pass((("h264", (28.0, 1.0)),)),
    "sharpness_128": Pass((("side", (128.0, 0.0, 1.0)),)),
}
Note = Callable[[str], None]


def release(run: Path, rows: Sequence[ClipRow], cache: CropCache, note: Note = lambda text: None) -> dict[str, Any]:
    """Writes `<run>/weights/` and returns the record. `rows`: those with crops. Raises CheckpointError, UsageError."""
    net, config, trained = load_detector(run / "detector.safetensors")
    note("exporting")
    network = export_onnx(net)
    scorer = OnnxScorer(network)
    options = json.loads((run / "options.json").read_text(encoding="utf-8"))
    families = [str(name) for name in options["families"]]
    note("calibrating")
    calibration, name = _calibrate(scorer, rows, cache, config, families)
    note("testing")
    record = {
        "format": FORMAT,
        "name": f"{config.model.backbone}-{config.model.size}",
        "version": __version__,
        "crop": DETECTOR_CROP,
        "network": {"file": NETWORK, "sha256": hashlib.sha256(network).hexdigest(), "bytes": len(network)},
        "config": _without_paths(to_dict(config)),
        "calibration": calibration.as_record() | {"split": name},
        "training": {
            "families": families, "clips": options["clips"], "people": options["people"], "step": trained["step"],
            "validation_auc": trained["validation"], "backbone_weights": trained["backbone_source"],
            "started_from": options.get("started_from"), "seed": options["seed"],
            "generators": sorted({row.generator_digest for row in rows if row.generator_digest and row.split == "train"}),
        },
        "test": _test(scorer, rows, cache, config, calibration),
    }  # fmt: skip
    folder = run / "weights"
    folder.mkdir(exist_ok=True)
    write_bytes(folder / NETWORK, network)
    write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")
    return record


def _calibrate(
    scorer: OnnxScorer, rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig, families: Sequence[str]
) -> tuple[Calibration, str]:
    """Stack from the validation split, thresholds from the calibration split; without that split, from other people of the former."""
    validation = _evidence(scorer, rows, cache, config, "validation", families)
    reals = _evidence(scorer, [row for row in rows if row.label == "real"], cache, config, "calibration", [])
    name = "calibration"
    fitting = validation
    if not reals:
        fitting, others = divide(validation, config.calibration.fit_share)
        reals, name = [clip for clip in others if clip.family == "real"], "validation, people not used for the fit"
    return calibrate(fitting, reals, config.calibration.alphas, families), name


def _test(
    scorer: OnnxScorer, rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig, calibration: Calibration
) -> dict[str, Any]:
    """The test split, untouched and under each pass. Empty if there is none."""
    families = ["blend"]
    found = {name: _evidence(scorer, rows, cache, config, "test", families, recipe) for name, recipe in PASSES.items()}
    return {name: report(calibration, clips) for name, clips in found.items() if clips}


def _evidence(
    scorer: OnnxScorer,
    rows: Sequence[ClipRow],
    cache: CropCache,
    config: DetectorConfig,
    split: str,
    families: Sequence[str],
    recipe: Pass = UNTOUCHED,
) -> list[ClipEvidence]:
    chosen = [row for row in rows if row.split == split]
    try:
        source = PairSource(chosen, cache, config)
    except UsageError:
        return []  # no real clip in this split
    return list(clip_evidence(scorer, source, recipe, blends="blend" in families))


def _without_paths(values: dict[str, Any]) -> dict[str, Any]:
    """Paths of the training machine are nobody's business, and a shipped net needs no weights file."""
    return values | {"model": values["model"] | {"weights": None, "pretrained": "none"}, "train": values["train"] | {"start": None}}
