"""Records of `bench quality` and `bench cross` as tables: what ships, what was tried on the way, and whose face comes
out.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rows.generator import CrossRow, QualityRow
from benchmarks.rows.row import About, Interval


def quality_table(results: Sequence[QualityRow], about: About) -> str:
    """Self-reenactment: one row for each method and T, the shipped one in bold, intervals against the checkpoint before
    it.
    """
    latest = {(r.shots, r.method): r for r in results}
    rows = [
        "| T | method | SSIM | CSIM | perceptual | FD-lite0 | landmark error | learning, s "
        "| CSIM - previous, 95 % | perceptual - previous, 95 % |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (shots, method), r in sorted(latest.items(), key=lambda item: item[0][0]):
        name = f"**{method}** (shipped)" if r.shipped else method
        metrics = f"{_scores(r)} | {r.fd_lite0:.2f} | {r.landmark_error:.4f} | {r.learning_s:.1f}"
        rows.append(
            f"| {shots} | {name} | {metrics} | {_interval(r.csim_vs_previous)} | "
            f"{_interval(r.perceptual_vs_previous)} |"
        )
    return "\n".join([*rows, "", _note(results[-1], about)])


def training_table(results: Sequence[QualityRow], about: About) -> str:
    """What was tried: one row for each checkpoint and T, by the first digits of its sha256; intervals against the one
    before.
    """
    tried = {(r.shots, r.model or ""): r for r in results if r.method == "zakharov2019-warp"}
    known = {(r.shots, r.method): r for r in results if r.method in ("warp", "previous")}
    rows = [
        "| T | checkpoint | SSIM | CSIM | perceptual | landmark error | CSIM - previous, 95 % | "
        "perceptual - previous, 95 % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for shots in sorted({shots for shots, _ in tried}):
        for name in ("warp", "previous"):
            if (shots, name) in known:
                rows.append(_tried(shots, name, known[shots, name]))
        rows += [_tried(shots, f"`{model[:8]}`", r) for (given, model), r in tried.items() if given == shots]
    return "\n".join([*rows, "", _note(results[-1], about)])


def cross_table(pairs: Sequence[CrossRow], about: About) -> str:
    """Cross-person: one row for each portrait and driver."""
    rows = [
        "| portrait | driver | CSIM to source | CSIM to driver | shape error to source | shape error to driver |",
        "|---|---|---|---|---|---|",
    ]
    for r in {(r.portrait, r.driver): r for r in pairs}.values():
        numbers = f"{r.csim_source:.3f} | {r.csim_driver:.3f} | {r.shape_source:.3f} | {r.shape_driver:.3f}"
        rows.append(f"| {r.portrait} | {r.driver} | {numbers} |")
    last = pairs[-1]
    note = f"Protocol `{about.protocol}`, {last.moments} moments a pair, {last.size} px. {about.date}, {about.machine}."
    return "\n".join([*rows, "", note])


def _tried(shots: int, name: str, r: QualityRow) -> str:
    against = f"{_interval(r.csim_vs_previous)} | {_interval(r.perceptual_vs_previous)}"
    return f"| {shots} | {name} | {_scores(r)} | {r.landmark_error:.4f} | {against} |"


def _scores(r: QualityRow) -> str:
    return f"{r.ssim:.4f} | {r.csim:.4f} | {r.perceptual:.4f}"


def _interval(bounds: Interval | None) -> str:
    return "" if bounds is None else f"{bounds[0]:+.4f} to {bounds[1]:+.4f}"


def _note(last: QualityRow, about: About) -> str:
    tuning = f"; fine-tuning {last.tune_seconds:g} s a person at most" if last.tune_seconds else ""
    return (
        f"Protocol `{about.protocol}`, {last.n} clips of people held out of training, {last.frames} frames, "
        f"{last.size} px{tuning}. {about.interval}. {about.date}, {about.machine}."
    )
