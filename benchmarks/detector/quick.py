"""What a quick scan gains and what it costs in judgement: full and quick on the same videos, in one run.

In: videos of people that neither the detector nor its rule for keyframes has seen, each judged by all its sampled
frames and by keyframes alone (detector/evaluation/keyframes.py). Out: for reals, for all fakes and for each method: how
often keyframes decide, what each threshold flags either way, and the ratio of processor time. One video a person and
label counts, so that videos are independent draws. Credential and watermark are not asked here: both scans ask them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics.intervals import percentile_interval
from benchmarks.rows.comparison import BarRow, Rate
from benchmarks.rows.quick import BenchQuickRow, QuickRates, QuickRow
from benchmarks.rows.row import Estimate
from detector.datasets.sample import Sample
from detector.evaluation.intervals import rate_bounds
from detector.evaluation.keyframes import Twice, drawn, one_video_a_person
from detector.inference.thresholds import Band, Thresholds
from sfumato.errors import UsageError
from sfumato.execution.find_files import is_picture

PROTOCOL = "quick-1"
INTERVAL = "95 %: shares Clopper-Pearson; changes and gains percentile bootstrap over people, 2000 draws"
MOST_COST = 1.3  # times a full scan, on reals: what a quick one may take
_DRAWS = 2000

Floats = NDArray[np.float64]


def measure(judged: Sequence[tuple[Sample, Twice]], thresholds: Thresholds, seed: int = 0) -> list[BenchQuickRow]:
    """A row for reals, for fakes and for each method of fakes, then the bars. Raises UsageError for a detector without
    a rule, and without reals or fakes.
    """
    if thresholds.keyframes is None:
        raise UsageError("The detector has no rule for keyframes", "Set it: sfumato calibrate-keyframes CLIPS.jsonl.")
    methods = {twice.digest: sample.method for sample, twice in judged}
    drawn = one_video_a_person([twice for _, twice in judged])
    groups = {label: [twice for twice in drawn if twice.label == label] for label in ("real", "fake")}
    if not all(groups.values()):
        raise UsageError("It takes reals and fakes with frames enough", "Name lists with videos of both.")
    names = sorted({methods[twice.digest] for twice in groups["fake"]})
    each = {name: [twice for twice in groups["fake"] if methods[twice.digest] == name] for name in names}
    rows = {name: _row(name, videos, thresholds, seed) for name, videos in (groups | each).items()}
    return [*rows.values(), *_bars(rows["real"], rows["fake"])]


def one_sample_a_person(samples: Sequence[Sample]) -> list[Sample]:
    """Of each person and label the video whose content hashes lowest, in the order of the samples: only so many need to
    be judged.
    """
    videos = (sample for sample in samples if not is_picture(sample.path))
    people = drawn(videos, lambda sample: (sample.label, sample.identity), lambda sample: sample.sha256 or "")
    kept = {sample.key for sample in people.values()}
    return [sample for sample in samples if sample.key in kept]


def _row(family: str, videos: Sequence[Twice], thresholds: Thresholds, seed: int) -> QuickRow:
    decided = np.array([video.decided(thresholds) for video in videos])
    full, key = (np.array([getattr(video, name) for video in videos]) for name in ("seconds", "quick_seconds"))
    quick = np.where(decided, key, key + full)
    weights = np.random.default_rng(seed).multinomial(len(videos), np.full(len(videos), 1 / len(videos)), _DRAWS)
    rates = {f"{rate:g}": _rates(videos, decided, f"{rate:g}", weights) for rate in thresholds.logits}
    gains = (weights @ full) / (weights @ quick)
    return QuickRow(
        family=family, n=len(videos), decided=_share(decided), rates=rates, full_seconds=round(float(full.mean()), 4),
        keyframe_seconds=round(float(key.mean()), 4),
        gain=Estimate(float(full.sum() / quick.sum()), percentile_interval(gains)),
    )  # fmt: skip


def _rates(videos: Sequence[Twice], decided: NDArray[np.bool_], rate: str, weights: NDArray[np.int64]) -> QuickRates:
    full = np.array([video.band[rate] >= Band.FLAGGED for video in videos])
    keys = np.array([video.quick_band[rate] >= Band.FLAGGED for video in videos])
    quick = np.where(decided, keys, full)
    change = quick.astype(float) - full
    drawn: Floats = weights @ change / len(videos)
    return QuickRates(
        full=_share(full), quick=_share(quick), change=Estimate(float(change.mean()), percentile_interval(drawn)),
        differ=_share(quick != full),
    )  # fmt: skip


def _share(hits: NDArray[np.bool_]) -> Rate:
    count, of = int(hits.sum()), len(hits)
    return Rate(count / of, rate_bounds(count, of), (count, of))


def _bars(reals: QuickRow, fakes: QuickRow) -> list[BarRow]:
    bars = [
        BarRow(bar=f"TPR at {rate} within the interval of the full scan's", value=found.quick.value, met=_within(found))
        for rate, found in fakes.rates.items()
    ]
    cost = 1 / reals.gain.value
    return [
        *bars,
        BarRow(bar=f"at most {MOST_COST:g} times a full scan's cost, on reals", value=cost, met=cost <= MOST_COST),
    ]


def _within(found: QuickRates) -> bool:
    low, high = found.full.interval or (0.0, 1.0)
    return low <= found.quick.value <= high
