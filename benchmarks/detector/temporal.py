"""The temporal head, as an ablation: does how a face moves say more than how its frames look? Videos in, paired
differences out.

Of the first frames of a video and its longest face track: how landmarks jitter about a face that was turned, scaled and
moved onto a template, how the identity of neighbouring frames differs (SFace), how the frame logits spread and follow
each other. A logistic regression of those and the track's logit, learnt on the validation split's people without the
family it is tested on, against the logit alone on the test split. The head would ship if that helped on every family
that was left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics.comparison import families_of, family_of, reals_for
from benchmarks.rows.comparison import BarRow, ClusterCount
from benchmarks.rows.row import Estimate
from benchmarks.rows.temporal import FeatureRow, LeftOutRow, TemporalRow
from detector.datasets.sample import Sample
from detector.evaluation.intervals import Clusters, bootstrap, cluster
from detector.evaluation.journal import Facts, VideoJournal
from detector.evaluation.metrics import Curve, Floats
from detector.inference.crops import judged_crop
from detector.inference.fusion import pooled
from detector.inference.quality_norm import qualities
from detector.inference.video_detector import VideoDetector
from sfumato.errors import MediaError, UsageError
from sfumato.execution.find_files import is_picture
from sfumato.media.faces import FaceDetector, FaceTracker

PROTOCOL = "temporal-1"
FEWEST = 5  # frames of a track: a second difference and its spread need that many
FEATURES = (
    "landmarks",
    "rigid",
    "identity_steps",
    "identity_spread",
    "logit_spread",
    "logit_autocorrelation",
    "logit_steps",
)
_RIGID = [*range(27, 36), 36, 39, 42, 45]  # nose and eye corners: they do not move against each other


class Observer:
    """What a video's motion gives away. Loads its networks once."""

    def __init__(self, model: Path | None, frames: int, backend: str = "mesh") -> None:
        """Raises MissingPartError and CheckpointError as `VideoDetector` does."""
        from sfumato.media.landmarks import load_backend

        self.detector, self.frames = VideoDetector(model).bundle, frames
        self._faces, self._landmarks = FaceDetector(), load_backend(backend)

    def observe(self, path: Path) -> Facts:
        """{"features": {name: number}, "logit": of the track}, or {"reason": why not}."""
        from sfumato.media.identity import alignment, embed_image
        from sfumato.media.video import VideoReader

        tracker = FaceTracker(
            smoothing=0.0, patience=1
        )  # a frame without the face ends a track: only neighbours are compared
        crops: dict[int, list[Any]] = {}
        shapes: dict[int, list[Any]] = {}
        identities: dict[int, list[Any]] = {}
        try:
            with VideoReader(path) as video:
                for frame in islice(video, self.frames):
                    for track, face in tracker.update(frame.index, self._faces.detect(frame.image)[:2]).items():
                        points = self._landmarks.detect(frame.image, face.box)
                        matrix = alignment(points)
                        shapes.setdefault(track, []).append(points @ matrix[:, :2].T + matrix[:, 2])
                        identities.setdefault(track, []).append(embed_image(frame.image, points))
                        crop = judged_crop(face.box, frame.image)
                        crops.setdefault(track, []).append((crop.apply(frame.image, self.detector.size), crop.side))
        except MediaError as error:
            return {"reason": error.message}
        longest = max(crops, key=lambda track: len(crops[track]), default=None)
        if longest is None or len(crops[longest]) < FEWEST:
            return {"reason": f"no face in {FEWEST} frames in a row"}
        stack = self.detector.stack.at(
            np.mean([qualities(crop, side, video=True) for crop, side in crops[longest]], axis=0)
        )
        logits = stack.logit(self.detector.scorer([crop for crop, _ in crops[longest]]))
        return {
            "features": features(np.stack(shapes[longest]), np.stack(identities[longest]), logits),
            "logit": pooled(logits),
        }


def features(shapes: NDArray[Any], identities: NDArray[Any], logits: NDArray[Any]) -> dict[str, float]:
    """shapes: (T, 68, 2) landmarks on the 112 px template; identities: (T, 128) unit vectors; logits: (T,). T at least
    FEWEST.
    """
    bends = np.linalg.norm(np.diff(shapes, 2, axis=0), axis=2)  # (T - 2, 68) px: what is neither rest nor even motion
    mean = identities.mean(0) / max(float(np.linalg.norm(identities.mean(0))), 1e-9)
    centred = logits - logits.mean()
    power = float((centred**2).sum())
    found = (
        bends.mean(), bends[:, _RIGID].mean(), 1 - (identities[1:] * identities[:-1]).sum(1).mean(),
        1 - (identities @ mean).mean(),
        logits.std(), float((centred[1:] * centred[:-1]).sum()) / power if power > 1e-12 else 0.0,
        np.abs(np.diff(logits)).mean(),
    )  # fmt: skip
    return dict(zip(FEATURES, (float(value) for value in found), strict=True))


def observe_all(
    samples: Sequence[Sample],
    observer: Observer,
    journal: Path | None,
    advance: Callable[[float], None] = lambda n: None,
) -> Iterator[tuple[Sample, Facts]]:
    """Every video, from the journal where it is there; still pictures are left out."""
    with closing(VideoJournal(journal, observer.detector.judging, [PROTOCOL, observer.frames])) as known:
        for sample in samples:
            if not is_picture(sample.path):
                facts = known.find(sample)
                if facts is None:
                    facts = observer.observe(sample.path)
                    known.add(sample, facts)
                if "features" in facts:
                    yield sample, facts
            advance(1)


def measure(observed: Sequence[tuple[Sample, Facts]], seed: int = 0) -> list[TemporalRow]:
    """A row a family that was left out, one a feature, and the bar. Raises UsageError without validation and test clips
    of both labels.
    """
    samples = [sample for sample, _ in observed]
    values = np.array(
        [[facts["logit"], *(facts["features"][name] for name in FEATURES)] for _, facts in observed], np.float64
    )
    parts = {
        split: [i for i, sample in enumerate(samples) if sample.split == split] for split in ("validation", "test")
    }
    for split, numbers in parts.items():
        if len({samples[i].label for i in numbers}) < 2:
            raise UsageError(
                f"The {split} split has no videos of both labels",
                "The list needs fakes and their twins in both splits.",
            )
    clusters = cluster([sample.ties for sample in samples], [sample.identity for sample in samples])
    rows: list[LeftOutRow] = []
    for name in families_of(samples[i] for i in parts["test"]):
        fakes = [i for i in parts["test"] if samples[i].label == "fake" and family_of(samples[i]) == name]
        learn = [i for i in parts["validation"] if samples[i].label == "real" or family_of(samples[i]) != name]
        test = [*_own_reals(samples, fakes, parts["test"]), *fakes]
        rows.append(_compared(name, values, samples, learn, test, clusters, seed))
    alone = [_alone(values[:, 1 + i], samples, parts["test"], name) for i, name in enumerate(FEATURES)]
    lower = [row.change.interval[0] for row in rows if row.change is not None and row.change.interval is not None]
    lowest = min(lower, default=float("nan"))
    what = "the temporal head helps on every family that was left out of its training"
    return [*rows, *alone, BarRow(bar=what, value=lowest, met=bool(lower) and lowest > 0)]


def _own_reals(samples: Sequence[Sample], fakes: Sequence[int], test: Sequence[int]) -> list[int]:
    inside = set(test)
    return [i for i in reals_for(samples, fakes) if i in inside]


def _compared(
    name: str, values: Floats, samples: Sequence[Sample], learn: Sequence[int], test: Sequence[int],
    clusters: Clusters, seed: int,
) -> LeftOutRow:  # fmt: skip
    labels = np.array([int(sample.label == "fake") for sample in samples])
    truth, held = labels[test], clusters.narrowed(test)
    row = LeftOutRow(
        family=name, n={"real": int((truth == 0).sum()), "fake": int(truth.sum()), "learnt": len(learn)},
        clusters=ClusterCount(unit=held.unit, count=held.count), refused={},
    )  # fmt: skip
    if not labels[learn].any():
        return replace(row, refused={"all": "no other family to learn from"})
    stacked, alone = _head(values, labels, learn).decision_function(values[test]), values[test, 0]
    try:
        auc, auc_logit = (float(Curve(truth, scores).auc()[0]) for scores in (stacked, alone))
    except UsageError as error:
        return replace(row, refused={"auc": error.message})
    change = auc - auc_logit

    def drawn(weights: Floats) -> dict[str, Floats]:
        found = {"auc": Curve(truth, stacked, weights).auc()}
        return found | {"change": found["auc"] - Curve(truth, alone, weights).auc()}

    try:
        bounds = bootstrap(drawn, truth, held, seed)
    except UsageError as error:
        bounds = {}
        row = replace(row, refused={"intervals": error.message})
    return replace(
        row, auc=Estimate(auc, bounds.get("auc")), auc_logit=auc_logit, change=Estimate(change, bounds.get("change"))
    )


def _head(values: Floats, labels: NDArray[Any], learn: Sequence[int]) -> Any:
    """The logistic regression, learnt on `learn`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    head = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    return head.fit(values[learn], labels[learn])


def _alone(values: Floats, samples: Sequence[Sample], test: Sequence[int], name: str) -> FeatureRow:
    """How well one feature alone tells all fakes from all reals."""
    labels = [int(samples[i].label == "fake") for i in test]
    return FeatureRow(feature=name, auc=float(Curve(labels, values[list(test)]).auc()[0]), n=len(test))
