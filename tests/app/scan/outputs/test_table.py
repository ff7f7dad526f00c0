"""A record as a row: every column filled from a whole record, none from one that is wrong."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sfumato.app.scan.outputs.table import COLUMNS, row
from tests.scan_fixtures import FACTS, mark_facts, scan_record

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def whole() -> dict:
    return replace(scan_record(), mark=mark_facts(), scan=FACTS).as_json()


def test_a_whole_record_fills_every_column() -> None:
    found = row(whole())
    assert [name for name, value in found.items() if value is None] == []
    assert (found["path"], found["score"], found["threshold"]) == ("a.mp4", 0.8, whole()["threshold"]["score"])
    assert (found["reasons"], found["declares"]) == (
        "detector_flagged credential_untrusted", "trainedAlgorithmicMedia",
    )  # fmt: skip
    assert (found["seconds"], found["width"], found["watermark"]) == (2.0, 64, "recovered")
    assert (found["scanned"], found["program"], found["calibration"]) == ("2026-01-31T12:30:00Z", "9.9", "c" * 64)


def test_a_record_of_the_first_version_has_empty_columns() -> None:
    old = {name: value for name, value in whole().items() if name != "scan"}
    empty = {name for name, value in row(old).items() if value is None}
    assert empty == {"scanned", "program", "calibration"}


@given(st.dictionaries(st.sampled_from([*whole()]), JSON))
def test_whatever_stands_in_a_record_each_value_is_of_its_kind(changes: dict) -> None:
    kinds = {"text": str, "number": float, "count": int, "yes": bool}
    found = row(whole() | changes)
    for column in COLUMNS:
        assert found[column.name] is None or type(found[column.name]) is kinds[column.kind]
