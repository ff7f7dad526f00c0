"""The words of a card are true of the rows: who, how many, how alike, and whether people are in one split alone."""

from __future__ import annotations

from dataclasses import replace

from sfumato.app.sets.forms.about import about, counted
from sfumato.app.sets.layout import MediaSet
from tests.set_forms_fixtures import HOSTILE, with_clip


def test_people_methods_and_bases_are_counted(media: MediaSet) -> None:
    words = about(media)
    assert "3 people under 2 records of rights (1 by consent, 1 by licence)" in words.collected
    assert words.made.startswith("3 fakes by 2 methods with 1 model, made by sfumato 1.0")
    assert "3 of 6 clips are fakes (50%)" in " ".join(words.biases)


def test_pairs_that_differ_are_told(media: MediaSet) -> None:
    same = [replace(row, details=replace(row.details, bytes=5000)) for row in media.rows]
    assert about(replace(media, rows=same)).treated.startswith("In all of 3 pairs both clips have the same size")
    fake = replace(same[1], details=replace(same[1].details, width=65))
    told = about(replace(media, rows=[same[0], fake, *same[2:]])).treated
    assert told.startswith("In 1 of 3 pairs the clips differ")
    finer = replace(same[1], details=replace(same[1].details, crf=30, bytes=5200))  # made as large as its twin
    assert about(replace(media, rows=[same[0], finer, *same[2:]])).treated.startswith("In all of 3 pairs")


def test_people_in_two_splits_are_told(media: MediaSet) -> None:
    assert about(media).split == "No person, source, driver or pair is in two splits."
    rows = [with_clip(row, identity="ada", source_ids=()) for row in media.rows]
    assert about(replace(media, rows=rows)).split.startswith("Splits are not disjoint. In more than one split: ada")


def test_counts_by_split_method_and_case(media: MediaSet) -> None:
    assert counted(media.rows, "split") == [("test", 2, 1, 1), ("train", 4, 2, 2)]
    assert counted(media.rows, "case") == [("plain", 4, 2, 2), ("pose", 2, 1, 1)]
    assert counted(media.rows, "method") == [(HOSTILE, 1, 1, 1), ("swap-plain", 2, 2, 2)]
