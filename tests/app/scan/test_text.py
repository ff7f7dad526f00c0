"""A record as a block for people: every verdict, foreign text escaped, a place only where there is evidence."""

from dataclasses import replace
from pathlib import Path

import pytest

from detector.inference.frames import MediaFacts
from sfumato.app.scan.text import as_text
from sfumato.app.scan.verdict import VERDICTS
from tests.detector_fixtures import toy_explanation
from tests.scan_fixtures import explanation_record, mark_facts, scan_record


@pytest.mark.parametrize("verdict", list(VERDICTS))
def test_every_verdict_has_its_meaning_beside_it(verdict) -> None:
    assert f"  {verdict}: {VERDICTS[verdict]}" in as_text(scan_record(verdict)).splitlines()


def test_foreign_text_is_escaped() -> None:
    shown = as_text(scan_record(text="\x1b[31m\u202e"))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.count("\\x1b[31m\\u202e") == 3  # in a reason, a note and the signer's name


def test_a_score_comes_with_what_it_is_held_to() -> None:
    line = "  score 0.800, flagged above 0.600 (false-positive rate 0.01, 99 real videos)"
    assert line in as_text(scan_record()).splitlines()


def test_of_a_picture_pictures_are_told() -> None:
    record = replace(scan_record(), media=MediaFacts("picture", 64, 48))
    assert "99 real pictures)" in as_text(record)


def test_a_rate_without_a_threshold_leaves_the_score_alone() -> None:
    assert "  score 0.800" in as_text(scan_record(fpr=0.001)).splitlines()


def test_without_a_score_there_is_no_line_of_it() -> None:
    assert "score" not in as_text(scan_record("not-evaluable", score=None))


@pytest.mark.parametrize(("level", "placed"), [("low", False), ("untrained", False), ("raised", True)])
def test_a_place_is_told_only_where_there_is_evidence(level, placed) -> None:
    told = explanation_record(toy_explanation())
    heads = {name: replace(head, level=level) for name, head in told.heads.items()}
    shown = as_text(scan_record(explanation=replace(told, heads=heads)))
    assert ("The evidence is" in shown) is placed


def test_the_sheet_is_named() -> None:
    record = scan_record(explanation=explanation_record(toy_explanation())).with_sheet(Path("maps/a.png"))
    assert "  heat map: maps/a.png" in as_text(record).splitlines()


def test_a_development_key_is_told() -> None:
    credentials = replace(scan_record().credentials, signer="Somebody", development=True)
    last = as_text(scan_record(credentials=credentials)).splitlines()[-1]
    assert last == "  credential: untrusted, signed by Somebody (development key)"


def test_a_signer_of_an_allowed_list_is_told() -> None:
    credentials = replace(scan_record().credentials, outcome="trusted", signer="Ada", allowed_list=True)
    last = as_text(scan_record(credentials=credentials)).splitlines()[-1]
    assert last == "  credential: trusted, signed by Ada (on the allowed list)"


def test_a_watermark_is_told_with_the_manifest_that_it_leads_to_and_escaped() -> None:
    lines = as_text(scan_record(mark=mark_facts("\x1b[31m"))).splitlines()
    assert "  watermark: AAECAwQFBgc=, mirrored" in lines
    assert lines[-1] == "  leads to manifest: \\x1b[31m (untrusted, signed by \\x1b[31m (development key))"


def test_a_watermark_that_leads_nowhere_and_one_that_was_not_read() -> None:
    assert as_text(scan_record(mark=mark_facts(finding="unknown", manifest=None))).endswith("=, mirrored")
    assert as_text(scan_record(mark=mark_facts(finding="none", value=None))).endswith("  watermark: none was read")
    assert "watermark" not in as_text(scan_record())
