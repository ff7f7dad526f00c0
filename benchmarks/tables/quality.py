"""Records of `bench quality` and `bench cross` as tables: what ships, what was tried on the way, and whose face comes
out.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rows.generator import CrossRow, QualityRow
from benchmarks.rows.row import About
from benchmarks.tables.markdown import interval_text, table_text

_SCORES = ("SSIM", "CSIM", "perceptual")
_AGAINST = ("CSIM - previous, 95 %", "perceptual - previous, 95 %")


def quality_table(results: Sequence[QualityRow], about: About) -> str:
    """Self-reenactment: one row for each method and T, the shipped one in bold, intervals against the checkpoint before
    it.
    """
    latest = {(r.shots, r.method): r for r in results}
    head = ("T", "method", *_SCORES, "FD-lite0", "landmark error", "learning, s", *_AGAINST)
    rows = []
    for (shots, method), r in sorted(latest.items(), key=lambda item: item[0][0]):
        name = f"**{method}** (shipped)" if r.shipped else method
        metrics = (*_scores(r), f"{r.fd_lite0:.2f}", f"{r.landmark_error:.4f}", f"{r.learning_s:.1f}")
        rows.append((f"{shots}", name, *metrics, *_against(r)))
    return f"{table_text(head, rows)}\n\n{_note(results[-1], about)}"


def training_table(results: Sequence[QualityRow], about: About) -> str:
    """What was tried: one row for each checkpoint and T, by the first digits of its sha256; intervals against the one
    before.
    """
    tried = {(r.shots, r.model or ""): r for r in results if r.method == "zakharov2019-warp"}
    known = {(r.shots, r.method): r for r in results if r.method in ("warp", "previous")}
    rows = []
    for shots in sorted({shots for shots, _ in tried}):
        for name in ("warp", "previous"):
            if (shots, name) in known:
                rows.append(_tried(shots, name, known[shots, name]))
        rows += [_tried(shots, f"`{model[:8]}`", r) for (given, model), r in tried.items() if given == shots]
    table = table_text(("T", "checkpoint", *_SCORES, "landmark error", *_AGAINST), rows)
    return f"{table}\n\n{_note(results[-1], about)}"


def cross_table(pairs: Sequence[CrossRow], about: About) -> str:
    """Cross-person: one row for each portrait and driver."""
    measures = [f"{of} to {whom}" for of in ("CSIM", "shape error") for whom in ("source", "driver")]
    rows = []
    for r in {(r.portrait, r.driver): r for r in pairs}.values():
        numbers = (r.csim_source, r.csim_driver, r.shape_source, r.shape_driver)
        rows.append((r.portrait, r.driver, *(f"{number:.3f}" for number in numbers)))
    last = pairs[-1]
    note = f"Protocol `{about.protocol}`, {last.moments} moments a pair, {last.size} px. {about.date}, {about.machine}."
    return f"{table_text(('portrait', 'driver', *measures), rows)}\n\n{note}"


def _tried(shots: int, name: str, r: QualityRow) -> tuple[str, ...]:
    return f"{shots}", name, *_scores(r), f"{r.landmark_error:.4f}", *_against(r)


def _scores(r: QualityRow) -> list[str]:
    return [f"{value:.4f}" for value in (r.ssim, r.csim, r.perceptual)]


def _against(r: QualityRow) -> list[str]:
    bounds = (r.csim_vs_previous, r.perceptual_vs_previous)
    return ["" if interval is None else interval_text(interval, "+.4f") for interval in bounds]


def _note(last: QualityRow, about: About) -> str:
    tuning = f"; fine-tuning {last.tune_seconds:g} s a person at most" if last.tune_seconds else ""
    return (
        f"Protocol `{about.protocol}`, {last.n} clips of people held out of training, {last.frames} frames, "
        f"{last.size} px{tuning}. {about.interval}. {about.date}, {about.machine}."
    )
