"""A report's table and its JSON: states, counts, first names, all of it printable."""

from __future__ import annotations

from pathlib import Path

from sfumato.app.sets.check.report import KEPT, Check, Fault, Report


def test_states_counts_and_names() -> None:
    names = [f"a\x1b{number}.mp4" for number in range(30)]
    checks = [
        Check("files", Fault.of("file missing", names, "a\nreason"), "30 listed"),
        Check("rights", why_not="no set"),
        Check("seals", looked_at="30 files", notes=["Signed by\u202e me"]),
    ]
    report = Report(Path("set"), 30, checks)
    assert not report.whole
    assert Report(Path("set"), 30, checks[1:]).whole
    lines = list(report.lines())
    assert lines[1] == "  30 file missing: a\\x1b0.mp4, a\\x1b1.mp4, a\\x1b2.mp4 and 27 more (a\\nreason)"
    assert lines[2] == "rights                      not checked   no set"
    assert lines[-1] == "30 clips, 3 checks: 1 with faults, 1 not checked"
    assert all(line.isprintable() for line in lines)
    told = report.as_json()
    assert told["states"] == {"ok": 1, "fault": 1, "not checked": 1}
    assert (told["checks"][0]["faults"][0]["count"], len(told["checks"][0]["faults"][0]["names"])) == (30, KEPT)


def test_no_names_are_no_fault() -> None:
    assert Fault.of("file missing", []) == []
