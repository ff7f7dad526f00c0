"""What tells fakes from reals without a look at the forgery is found where it was planted, and not by chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sfumato.app.sets.check.looking.look import Look
from sfumato.app.sets.check.material import Material
from sfumato.app.sets.check.report import Check
from sfumato.app.sets.check.shortcuts import TOPICS, check_shortcuts
from sfumato.media.clips import TWIN, ClipRow

Facts = Callable[[bool, np.random.Generator], dict[str, Any]]


def facts(fake: bool, rng: np.random.Generator) -> dict[str, Any]:
    """Of a file: size and sharpness vary, nothing else does."""
    return {
        "kind": "video", "container": "mp4", "codec": "h264", "width": 256, "height": 256, "rate": 25.0,
        "duration": 2.0, "frames": 50, "audio": False, "pixels": "yuv420p", "profile": "High", "encoder": "x264",
        "keyframes": 1, "size": int(rng.integers(1e5, 2e5)), "sharpness": float(rng.lognormal(4, 0.5)),
    }  # fmt: skip


def audit(
    pairs: int, made: Facts = facts, paired: bool = True, people: int | None = None, seed: int = 0
) -> dict[str, Check]:
    """The checks by topic, of `pairs` fakes and reals whose files have what `made` says."""
    rng = np.random.default_rng(seed)
    rows, looks = list[ClipRow](), list[Look]()
    for number in range(pairs):
        who = f"p{number % (people or pairs)}"
        for label in ("real", "fake"):
            fake = label == "fake"
            media = made(fake, rng)
            sharpness = media.pop("sharpness")
            clip = ClipRow(
                f"{number}-{label}.mp4", label, "toy" if fake else TWIN, "reenact" if fake else "real",  # type: ignore[arg-type]
                who if paired else f"{who} {label}", "0" * 64, split="train",
            )  # fmt: skip
            rows.append(replace(clip, pair_of=f"{number}-real.mp4" if fake and paired else None))
            looks.append(Look("0" * 64, media["size"], media=media, sharpness=sharpness))
    checks = check_shortcuts(Material(Path("clips.jsonl"), rows), looks)
    return {check.name.removeprefix("shortcuts: "): check for check in checks}


def only_fakes(**values: Any) -> Facts:
    return lambda fake, rng: facts(fake, rng) | (values if fake else {})


@pytest.mark.parametrize(
    ("topic", "rule", "values"),
    [
        ("container", "codec h264", {"codec": "mpeg4"}),
        ("container", "container mp4", {"container": "matroska"}),
        ("container", "encoder x264", {"encoder": "other"}),
        ("container", "keyframes", {"keyframes": 5}),
        ("size and rate", "width", {"width": 320}),
        ("size and rate", "rate", {"rate": 30.0}),
        ("size and rate", "frames", {"frames": 49}),
        ("sharpness", "sharpness", {"sharpness": 5.0}),
        ("sound", "audio True", {"audio": True, "sound_codec": "aac", "loudness": 80.0}),
        ("sound", "loudness", {"loudness": 80.0}),
    ],
)  # fmt: skip
def test_a_rule_that_was_planted(topic: str, rule: str, values: dict[str, Any]) -> None:
    found = audit(12, only_fakes(**values))
    assert found[topic].state == "fault"
    assert rule in {name for fault in found[topic].faults for name in fault.names}
    assert "AUC 1.000 [1.000, 1.000]" in found[topic].faults[0].detail
    assert found[topic].measures["interval"] == [1.0, 1.0]
    others = [check.state for name, check in found.items() if name not in (topic, "tree")]
    assert others == ["ok"] * 3
    assert found["tree"].state == ("fault" if topic != "sharpness" else "ok")


def test_a_larger_file_is_a_rule_though_no_size_is_typical() -> None:
    found = audit(40, lambda fake, rng: facts(fake, rng) | {"size": int(rng.integers(1e5, 2e5) * (1.6 if fake else 1))})
    assert found["size and rate"].state == "fault"
    assert 0.7 < found["size and rate"].measures["auc"] < 1
    low, high = found["size and rate"].measures["interval"]
    assert low < found["size and rate"].measures["auc"] < high


@pytest.mark.parametrize(("pairs", "paired"), [(4, True), (8, True), (12, True), (60, True), (12, False), (60, False)])
def test_chance_raises_no_alarm(pairs: int, paired: bool) -> None:
    """Of a dozen honest sets none is called a fault; the largest AUC among the rules of a small one is far from .5."""
    found = [audit(pairs, paired=paired, seed=seed) for seed in range(4 if pairs > 12 else 12)]
    alarms = sum(check.state == "fault" for checks in found for check in checks.values())
    assert alarms == 0
    if pairs == 4:
        assert {checks["sharpness"].state for checks in found} == {"not checked"}
        assert "could be chance" in found[0]["sharpness"].why_not


def test_few_people_with_habits_of_their_own_are_no_rule() -> None:
    """Two people make all fakes, two all reals, each with a camera of their own: nobody can tell label from person."""

    def made(fake: bool, rng: np.random.Generator) -> dict[str, Any]:
        return facts(fake, rng) | {"width": 320 if fake else 256}

    found = audit(40, made, paired=False, people=2)
    assert found["size and rate"].state == "not checked"


def test_one_label_alone_has_nothing_to_tell_apart() -> None:
    row = ClipRow("a.mp4", "real", "camera", "real", "a", "0" * 64, split="train")
    media = facts(False, np.random.default_rng(0))
    sharpness = media.pop("sharpness")
    checks = check_shortcuts(
        Material(Path("clips.jsonl"), [row]), [Look("0" * 64, 1, media=media, sharpness=sharpness)]
    )
    assert len(checks) == len(TOPICS) + 1
    assert {check.why_not for check in checks} == {"there is nothing to tell apart: all that can be read are real"}
    checks = check_shortcuts(Material(Path("clips.jsonl"), [row]), [Look()])
    assert checks[0].why_not == "there is nothing to tell apart: no file can be read"
