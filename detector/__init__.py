"""The detector: a face crop in, blend evidence and synthesis evidence out, with thresholds at stated false-positive
rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfumato.registry import lazy_names

if TYPE_CHECKING:
    from detector.evaluation.journal import score as score
    from detector.evaluation.predictions import read_predictions as read_predictions
    from detector.evaluation.run import (
        Evaluation as Evaluation,
    )
    from detector.evaluation.run import (
        EvaluationConfig as EvaluationConfig,
    )
    from detector.evaluation.run import (
        evaluate as evaluate,
    )
    from detector.evaluation.run import (
        find_samples as find_samples,
    )
    from detector.inference.prediction import Prediction as Prediction
    from detector.inference.thresholds import Thresholds as Thresholds
    from detector.inference.video_detector import VideoDetector as VideoDetector

_PUBLIC = {
    "VideoDetector": "detector.inference.video_detector:VideoDetector",
    "Prediction": "detector.inference.prediction:Prediction",
    "Thresholds": "detector.inference.thresholds:Thresholds",
    "find_samples": "detector.evaluation.run:find_samples",
    "score": "detector.evaluation.journal:score",
    "read_predictions": "detector.evaluation.predictions:read_predictions",
    "evaluate": "detector.evaluation.run:evaluate",
    "EvaluationConfig": "detector.evaluation.run:EvaluationConfig",
    "Evaluation": "detector.evaluation.run:Evaluation",
}
__all__ = [
    "VideoDetector",
    "Prediction",
    "Thresholds",
    "find_samples",
    "score",
    "read_predictions",
    "evaluate",
    "EvaluationConfig",
    "Evaluation",
]
__getattr__ = lazy_names(__name__, _PUBLIC)
