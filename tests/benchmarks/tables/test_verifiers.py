"""The table folds what agrees, and names what does not."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.rows.row import About
from benchmarks.rows.verifiers import VERIFIERS, VerifierRow
from benchmarks.tables.verifiers import verifiers_table

ABOUT = About(command="c", version="0", date="2026-01-01", machine="m", protocol="p-1", interval="none")


def rows(name: str, media_type: str = "image/png", key: str = "P-256") -> list[VerifierRow]:
    """All three agree about a file."""
    return [
        VerifierRow(
            format=name, media_type=media_type, key=key, algorithm="es256", verifier=verifier, release="1",
            whole="trusted", changed="invalid",
        )
        for verifier in VERIFIERS
    ]  # fmt: skip


def line(given: list[VerifierRow], number: int = 2) -> str:
    return verifiers_table(given, ABOUT).splitlines()[number]


def test_formats_of_one_media_type_that_all_agree_about_are_one_line() -> None:
    assert line([*rows("jpg", "image/jpeg"), *rows("jpeg", "image/jpeg")]) == "| jpg, jpeg | all three |"


def test_other_verdicts_are_a_line_of_their_own() -> None:
    last, *others = rows("jpeg", "image/jpeg")[::-1]
    given = [*rows("jpg", "image/jpeg"), *others[::-1], replace(last, whole="valid")]
    assert line(given) == "| jpg | all three |"
    assert line(given, 3) == "| jpeg | all but sfumato: **valid** |"


def test_a_changed_copy_that_is_accepted_is_named() -> None:
    first, *others = rows("png")
    shown = line([replace(first, changed="valid"), *others])
    assert shown == "| png | all but c2pa-python: **valid though changed** |"


def test_what_is_not_read_is_no_fault() -> None:
    first, second, third = rows("mkv")
    table = verifiers_table([first, replace(second, whole="not read", changed="not read"), third], ABOUT)
    assert "| mkv | all but encypher-c2pa: not read |" in table
    assert "accepted: 0 of 3 answers. Files that a verifier says it cannot read: encypher-c2pa 1." in table


def test_files_and_answers_are_counted() -> None:
    first, *others = rows("png", key="RSA")
    table = verifiers_table([*rows("png"), replace(first, whole="invalid"), *others], ABOUT)
    assert "2 files, 1 formats by 2 kinds of key. All three verifiers trust 1 of them" in table
    assert "accepted: 1 of 6 answers" in table
    assert "c2pa-python invalid 2, encypher-c2pa invalid 2, sfumato invalid 2" in table


def test_where_nobody_agrees_all_are_named() -> None:
    given = [replace(row, whole="not read", changed="not read") for row in rows("mkv")]
    assert line(given) == "| mkv | c2pa-python: not read; encypher-c2pa: not read; sfumato: not read |"


def test_a_file_that_was_not_asked_about_is_an_empty_cell() -> None:
    given = [*rows("png"), *rows("gif", "image/gif", key="RSA")]
    assert [line(given, number) for number in (2, 3)] == ["| png | all three |  |", "| gif |  | all three |"]


def test_of_a_file_that_was_asked_about_twice_the_last_counts() -> None:
    first, *others = rows("png")
    assert line([replace(first, whole="invalid"), first, *others]) == "| png | all three |"
