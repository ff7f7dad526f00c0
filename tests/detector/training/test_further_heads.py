"""Further heads: each kind of evidence from its own fakes, what does not teach, and the short way to their logits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.config import DetectorConfig
from detector.data.cache import CropCache, StoredCrop
from detector.evaluation.metrics import auc
from detector.inference.backends import OnnxScorer
from detector.motion.features import FEATURES
from detector.motion.head import MotionHead
from detector.training import further_heads
from detector.training.evidence import view
from detector.training.further_heads import (
    FEWEST,
    Reader,
    _calibrated,
    _chosen,
    _Clip,
    _labelled,
    _line,
    _of_reals,
    layer_heads,
    motion_head,
    reader_of,
)
from sfumato.media.clips import ClipRow
from tests.detector_fixtures import TINY, bottleneck_network, clip_row, face_picture, landmarks

Image = NDArray[np.uint8]
SYNTHESIS, BLEND = 3, 2  # columns of the heads on all layers
RNG = np.random.default_rng(0)


def noisy(image: Image) -> Image:
    """A forgery that shows in the smallest details."""
    noise = np.random.default_rng(int(image.sum())).normal(0, 60, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def reddened(image: Image) -> Image:
    """Another forgery that anybody can see."""
    found = image.copy()
    found[:, :, 0] = 255
    return found


def cut(
    cache: CropCache, number: int, label: str, family: str, image: Image, motion: object = None, end: str = "mp4"
) -> ClipRow:
    """A clip of one frame, its crop in the cache; a fake's method is named as its family."""
    row = clip_row(f"{label}-{family}-{number}.{end}", label, identity=f"person {number}")
    fake = label == "fake"
    row = replace(row, family=family, method=family if fake else "camera", dataset="of others" if fake else None)
    cache._write(cache._path(row), [StoredCrop(image, landmarks(96), 0.0)], motion)  # type: ignore[arg-type]
    return row


def reals(cache: CropCache, count: int = FEWEST, end: str = "mp4") -> list[ClipRow]:
    return [cut(cache, i, "real", "real", face_picture(i), end=end) for i in range(count)]


def fakes(cache: CropCache, family: str, count: int = FEWEST) -> list[ClipRow]:
    spoiled = reddened if family == "blend" else noisy
    return [cut(cache, i, "fake", family, spoiled(face_picture(100 + i))) for i in range(count)]


@pytest.fixture
def cache(tmp_path: Path) -> CropCache:
    return CropCache(tmp_path / "clips.jsonl", tmp_path / "crops", TINY.samples)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(bottleneck_network())


def leaving_out(*names: str) -> DetectorConfig:
    return replace(TINY, samples=replace(TINY.samples, leave_out=names))


def strangers(change=None) -> list[Image]:
    found = [face_picture(1000 + i) for i in range(12)]
    return [view(change(image) if change else image, TINY.model.size) for image in found]


def test_each_kind_of_evidence_is_learnt_from_its_own_fakes(cache, reader) -> None:
    firm = replace(TINY, heads=replace(TINY.heads, layer_strength=30.0))
    known, blends, moved = reals(cache), fakes(cache, "blend"), fakes(cache, "reenact")
    heads = layer_heads(reader, [*known, *blends, *moved], cache, firm)
    assert heads is not None and heads.methods == ("blend", "reenact")
    alone = [layer_heads(reader, [*known, *of_one], cache, firm) for of_one in (blends, moved)]
    for row, found in enumerate(alone):  # the other kind's fakes change nothing
        assert found is not None and (found.weight[row] == heads.weight[row]).all()
    real, red, noise = (heads.score(reader)(strangers(change)) for change in (None, reddened, noisy))
    assert auc(red[:, BLEND], real[:, BLEND]) > 0.8 and auc(noise[:, SYNTHESIS], real[:, SYNTHESIS]) > 0.8


def test_what_was_made_of_ones_own_footage_is_left_to_the_net(cache, reader) -> None:
    own = [replace(row, dataset=None) for row in fakes(cache, "reenact")]
    assert layer_heads(reader, [*reals(cache), *own], cache, TINY) is None
    alone = layer_heads(reader, [*reals(cache), *fakes(cache, "blend")], cache, TINY)
    both = layer_heads(reader, [*reals(cache), *fakes(cache, "blend"), *own], cache, TINY)
    assert alone is not None and both is not None
    assert both.methods == ("blend",) and (both.weight == alone.weight).all()


def test_the_short_way_is_what_the_exported_file_says(cache, reader) -> None:
    heads = layer_heads(reader, [*reals(cache), *fakes(cache, "reenact")], cache, TINY)
    assert heads is not None
    scorer = OnnxScorer(heads.put_on(reader.network))
    assert heads.score(reader)(strangers()) == pytest.approx(scorer(strangers()), abs=1e-4)


def test_a_crop_is_seen_once() -> None:
    reader = Reader(bottleneck_network())
    first = reader(strangers())
    reader._scorer = None  # type: ignore[assignment]
    for found, known in zip(reader(strangers()[::-1]), first, strict=True):
        assert (found[::-1] == known).all()


def test_a_kind_that_too_few_show_says_nothing(cache, reader) -> None:
    rows = [*reals(cache), *fakes(cache, "blend", FEWEST - 1), *fakes(cache, "reenact")]
    heads = layer_heads(reader, rows, cache, TINY)
    assert heads is not None and heads.methods == ("reenact",)
    assert (heads.score(reader)(strangers())[:, BLEND] == 0).all()
    assert layer_heads(reader, rows[:-1], cache, TINY) is None


def test_what_is_left_out_does_not_teach(cache, reader) -> None:
    rows = [*reals(cache), *fakes(cache, "blend"), *fakes(cache, "reenact")]
    found = layer_heads(reader, rows, cache, leaving_out("reenact"))
    known = layer_heads(reader, rows[: 2 * FEWEST], cache, TINY)
    assert found is not None and known is not None and found.methods == ("blend",)
    assert (found.weight == known.weight).all() and (found.bias == known.bias).all()


def test_other_splits_do_not_teach(cache, reader) -> None:
    rows = [*reals(cache), *fakes(cache, "blend")]
    rows += [replace(row, split="validation") for row in fakes(cache, "reenact")]
    heads = layer_heads(reader, rows, cache, TINY)
    assert heads is not None and heads.methods == ("blend",)


def test_a_photograph_is_no_real_beside_blended_videos(cache, reader) -> None:
    """The head would learn the codec of the fakes. That on synthesis has to know real photographs."""
    photographs = reals(cache, end="png")
    assert layer_heads(reader, [*photographs, *fakes(cache, "blend")], cache, TINY) is None
    assert layer_heads(reader, [*photographs, *fakes(cache, "reenact")], cache, TINY) is not None


def test_a_heads_unit_is_that_of_reals_whom_it_has_not_learnt_from() -> None:
    """Of three hundred numbers and as few clips a line knows its own people by heart."""
    rng = np.random.default_rng(5)

    def drawn(fake: bool) -> NDArray[np.float64]:
        return rng.normal(size=(1, 300)) + 0.15 * fake

    clips = [_Clip(drawn(i % 2 == 0), i % 2 == 0, str(i % 2), i // 2 % 4) for i in range(240)]
    strangers = [_Clip(drawn(False), False, "1", 0) for _ in range(400)]
    line = _calibrated(clips, 30.0)
    own, others = (_of_reals(some, *line) for some in (clips, strangers))
    assert np.quantile(own, 0.97) < 0.5
    assert np.quantile(others, [0.5, 0.97]) == pytest.approx([0.0, 1.0], abs=0.4)


def test_no_heads_on_layers_where_none_are_wanted_or_there_are_no_maps() -> None:
    import onnx

    network = bottleneck_network()
    assert reader_of(network, TINY) is not None
    assert reader_of(network, replace(TINY, heads=replace(TINY.heads, layers=False))) is None
    model = onnx.load_from_string(network)
    del model.graph.output[1]
    assert reader_of(model.SerializeToString(), TINY) is None


def measures(fake: bool) -> NDArray[np.float64]:
    """Drawn; fakes differ in the first ones."""
    found = RNG.normal(size=len(FEATURES))
    found[:8] += 2.0 * fake
    return found


def moving(cache: CropCache, label: str, family: str, count: int = FEWEST) -> list[ClipRow]:
    return [cut(cache, i, label, family, face_picture(i), measures(label == "fake")) for i in range(count)]


def test_a_head_on_motion_tells_what_moves_otherwise(cache) -> None:
    taught = motion_head([*moving(cache, "real", "real"), *moving(cache, "fake", "reenact")], cache, TINY)
    assert taught is not None
    head, methods = taught
    fake, real = (head.logit(np.array([measures(fake) for _ in range(50)])) for fake in (True, False))
    assert auc(fake, real) > 0.95 and methods == ("reenact",)
    assert MotionHead.from_json(head.as_json()) == head


def test_motions_by_rules_have_a_line_of_their_own(cache: CropCache) -> None:
    by_rules = [measures(False) + 3.0 * np.eye(len(FEATURES))[20] for _ in range(FEWEST)]
    cuts = [cut(cache, 50 + i, "fake", "reenact", face_picture(i), found) for i, found in enumerate(by_rules)]
    rows = [replace(row, dataset="a set", driver_id="motion:serene", generator_digest="0" * 64) for row in cuts]
    every = [*moving(cache, "real", "real"), *moving(cache, "fake", "reenact"), *rows]
    taught = motion_head(every, cache, TINY)
    assert taught is not None and taught[0].acted is not None
    head = taught[0]
    driven, acting, real = np.array([measures(True)]), np.array([by_rules[0]]), np.array([measures(False)])
    alone = replace(head, acted=None)
    assert float(head.logit(driven)[0]) == float(alone.logit(driven)[0]) > float(head.logit(real)[0])
    assert float(head.logit(acting)[0]) > max(float(alone.logit(acting)[0]), float(head.logit(real)[0]))
    left_out = replace(TINY, samples=replace(TINY.samples, leave_out=("played",)))
    played = [*every[:-FEWEST], *(replace(row, method="played") for row in rows)]
    without, few = motion_head(played, cache, left_out), motion_head(every[:-1], cache, TINY)
    assert without is not None and without[0] == alone
    assert few is not None and few[0] == alone


def test_of_motions_by_rules_every_performance_counts(cache: CropCache, monkeypatch: pytest.MonkeyPatch) -> None:
    real, fakes = moving(cache, "real", "real"), moving(cache, "fake", "reenact")
    acted = [replace(row, dataset="a set", driver_id="motion:serene", generator_digest="0" * 64) for row in fakes]
    monkeypatch.setattr(further_heads, "_MOST", FEWEST // 2)
    assert len(further_heads._acted([*real, *acted], cache, TINY)) == FEWEST
    assert len(_chosen([*real, *fakes], cache, TINY)) == 2 * (FEWEST // 2)


def test_films_are_not_lost_among_photographs(cache: CropCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(further_heads, "_MOST", 4)
    films = [cut(cache, i, "real", "real", face_picture(i)) for i in range(4)]
    photographs = [cut(cache, 10 + i, "real", "real", face_picture(i), end="png") for i in range(40)]
    chosen = _chosen([*photographs, *films], cache, TINY)
    assert {row.path for row in films} < {row.path for row in chosen} and len(chosen) == 8


def test_each_line_of_motion_has_its_own_strength(cache: CropCache) -> None:
    driven = moving(cache, "fake", "reenact")
    by_rules = [cut(cache, 50 + i, "fake", "reenact", face_picture(i), measures(True)) for i in range(FEWEST)]
    acted = [replace(row, dataset="a set", driver_id="motion:calm", generator_digest="0" * 64) for row in by_rules]
    every = [*moving(cache, "real", "real"), *driven, *acted]
    weak = replace(TINY, heads=replace(TINY.heads, acted_strength=0.01))
    (first, _), (second, _) = (found for config in (TINY, weak) if (found := motion_head(every, cache, config)))
    assert replace(first, acted=None) == replace(second, acted=None) and first.acted != second.acted


@pytest.mark.parametrize(("family", "seen"), [("blend", FEWEST), ("reenact", FEWEST - 1)])
def test_a_head_on_motion_takes_enough_faces_that_a_network_moved(cache, family: str, seen: int) -> None:
    still = fakes(cache, "reenact")[seen:]  # nothing could be told of how they move
    rows = [*moving(cache, "real", "real"), *moving(cache, "fake", family, seen), *still]
    assert motion_head(rows, cache, TINY) is None


def clips(count: int, source: str, fake: bool) -> list[_Clip]:
    rng = np.random.default_rng(count)
    return [_Clip(rng.normal(float(fake), 1.0, (2, 3)), fake, source, 0) for _ in range(count)]


def test_half_of_each_source_of_a_control_is_called_fake() -> None:
    every = [*clips(12, "a", True), *clips(8, "b", True), *clips(20, "c", False)]
    control = replace(TINY, samples=replace(TINY.samples, shuffled=True))
    found = _labelled(every, control)
    assert {source: sum(clip.fake for clip in found if clip.source == source) for source in "abc"} == {
        "a": 6, "b": 4, "c": 10,
    }  # fmt: skip
    assert _labelled(every, TINY) == every


def test_a_line_does_not_grow_with_the_number_of_clips() -> None:
    every = [*clips(12, "a", True), *clips(20, "c", False)]
    for once, twice in zip(_line(every, 1.0), _line(every * 2, 1.0), strict=True):
        assert twice == pytest.approx(once, abs=1e-3)
