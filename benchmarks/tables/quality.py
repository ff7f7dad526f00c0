"""Records of `bench quality` and `bench cross` as tables: what ships, what was tried on the way, and whose face comes
out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.rows.generator import CrossRow, DrivenRow, Figures, Networks, QualityRow
from benchmarks.rows.row import About
from benchmarks.tables.markdown import interval_text, number_text, table_text

_SCORES = ("SSIM", "CSIM", "perceptual")
_FIGURES = {
    "mouth_ssim": "mouth SSIM", "mouth_perceptual": "mouth perceptual", "csim_source": "CSIM to source",
    "csim_driver": "CSIM to driver", "shape_source": "shape error to source", "shape_driver": "shape error to driver",
    **{
        f"{part}_{measure}_{reader}": f"{part} {measure} ({reader})"
        for part in ("mouth", "lids", "yaw") for measure in ("ratio", "correlation") for reader in ("mesh", "dlib")
    },
    "flicker": "flicker over driver's", "background": "background, levels", "same_faces": "faces as wanted",
    "paint": "paint in open lips", "paint_teeth": "paint where teeth show",
}  # fmt: skip
_AGAINST = ("CSIM - previous, 95 %", "perceptual - previous, 95 %")
_NUMBERS = {
    **_FIGURES, "fd_lite0": "FD-lite0", "fid": "FID", "csim": "CSIM", "shape": "shape error",
    "landmark_error": "landmark error", "mesh": "figures (mesh)", "dlib": "figures (dlib)",
}  # fmt: skip


def quality_table(results: Sequence[QualityRow], about: About) -> str:
    """Self-reenactment: one row for each method and T, the shipped one in bold, intervals against the checkpoint before
    it.
    """
    latest = {(r.shots, r.method): r for r in results}
    fid = any(r.fid is not None for r in latest.values())  # the column is there where somebody had the weights
    head = ("T", "method", *_SCORES, "FD-lite0", *["FID"] * fid, "landmark error", "learning, s", *_AGAINST)
    rows = []
    for (shots, method), r in sorted(latest.items(), key=lambda item: item[0][0]):
        name = f"**{method}** (shipped)" if r.shipped else method
        distances = (f"{r.fd_lite0:.2f}", *["" if r.fid is None else f"{r.fid:.2f}"] * fid)
        metrics = (*_scores(r), *distances, f"{r.landmark_error:.4f}", f"{r.learning_s:.1f}")
        rows.append((f"{shots}", name, *metrics, *_against(r)))
    by_name = {(f"{shots}", method): r.figures or {} for (shots, method), r in sorted(latest.items())}
    shipped = {(f"{r.shots}", r.method): r.figures or {} for r in latest.values() if r.shipped}
    parts = [table_text(head, rows), *_figures("T", by_name, shipped), _note(results, about)]
    return "\n\n".join(part for part in parts if part)


def driven_table(results: Sequence[DrivenRow], about: About) -> str:
    """Cross-person since protocol 2: the figures over all pairs, self-driving and cross-driving."""
    by_name = {(r.driving, r.method): r.figures for r in results}
    shipped = {(r.driving, r.method): r.figures for r in results if r.shipped}
    note = (
        f"Protocol `{about.protocol}`, {results[-1].size} px. Faces read by {', '.join(results[-1].readers)}. "
        f"{about.interval}. {about.date}, {about.machine}.{_through(results)}"
    )
    return "\n\n".join(part for part in (*_figures("driving", by_name, shipped), note) if part)


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
    return f"{table}\n\n{_note(results, about)}"


def paper_table(results: Sequence[QualityRow], about: About) -> str:
    """The paper's own family on held-out people, with and without fine-tuning, beside the warp."""
    rows = [
        (f"{r.shots}", r.method, *_scores(r), f"{r.landmark_error:.4f}", f"{r.learning_s:.0f}")
        for r in sorted(results, key=lambda r: r.shots)
    ]
    head = ("T", "method", *_SCORES, "landmark error", "learning, s")
    return f"{table_text(head, rows)}\n\n{_note(results, about)}"


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


def _figures(
    first: str, rows: Mapping[tuple[str, str], Figures], shipped: Mapping[tuple[str, str], Figures]
) -> tuple[str, str]:
    """Two tables: the figures of all methods side by side, and those of the shipped one with what goes with them. Rows
    by the cell of the column `first` and the method.
    """
    names = [name for name in _FIGURES if any(name in figures for figures in rows.values())]
    if not names:
        return "", ""
    side_by_side = [
        (cell, method, *(f"{figures[name].value.value:.3f}" if name in figures else "" for name in names))
        for (cell, method), figures in rows.items()
    ]
    others = sorted({other for of in shipped.values() for figure in of.values() for other in figure.versus})
    head = ("figure of the shipped model", first, "value (95 %)", "n", *(f"- {other}, 95 %" for other in others))
    alone = []
    for name in names:
        for (cell, _), figures in shipped.items():
            if name in figures:
                figure = figures[name]
                against = [figure.versus.get(other) for other in others]
                pairs = ["" if interval is None else interval_text(interval, "+.4f") for interval in against]
                value = f"{number_text(figure.value, '.4f')}, {figure.of}"
                alone.append((_FIGURES[name], cell, value, f"{figure.n}", *pairs))
    return (
        table_text((first, "method", *(_FIGURES[name] for name in names)), side_by_side),
        table_text(head, alone),
    )


def _tried(shots: int, name: str, r: QualityRow) -> tuple[str, ...]:
    return f"{shots}", name, *_scores(r), f"{r.landmark_error:.4f}", *_against(r)


def _scores(r: QualityRow) -> list[str]:
    return [f"{value:.4f}" for value in (r.ssim, r.csim, r.perceptual)]


def _against(r: QualityRow) -> list[str]:
    bounds = (r.csim_vs_previous, r.perceptual_vs_previous)
    return ["" if interval is None else interval_text(interval, "+.4f") for interval in bounds]


def networks_text(networks: Iterable[Networks]) -> str:
    """Each network once, with the first digits of its weights' sha256 and the numbers that look through it."""
    used: dict[tuple[str, str], list[str]] = {}
    for each in networks:
        for number, network in each.items():
            numbers = used.setdefault((network.name, network.sha256), [])
            if (title := _NUMBERS.get(number, number)) not in numbers:
                numbers.append(title)
    return "; ".join(f"{name} {digest[:8]} ({', '.join(numbers)})" for (name, digest), numbers in used.items())


def _through(results: Sequence[QualityRow] | Sequence[DrivenRow]) -> str:
    """Nothing for lines from before the networks were written down."""
    found = networks_text(r.networks for r in results if r.networks is not None)
    return f" Networks, by their weights' sha256: {found}." if found else ""


def _note(results: Sequence[QualityRow], about: About) -> str:
    last = results[-1]
    tuning = f"; fine-tuning {last.tune_seconds:g} s a person at most" if last.tune_seconds else ""
    return (
        f"Protocol `{about.protocol}`, {last.n} clips of people held out of training, {last.frames} frames, "
        f"{last.size} px{tuning}. {about.interval}. {about.date}, {about.machine}.{_through(results)}"
    )
