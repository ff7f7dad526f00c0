"""What there is to check is read as far as it can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.sets.check.material import read_material
from sfumato.app.sets.layout import DETAILS, FACTS, RIGHTS
from sfumato.errors import MediaError, UsageError


def test_a_set_and_a_list_in_it(clouds: Path) -> None:
    whole = read_material(clouds)
    assert (whole.whole, len(whole.rows), len(whole.details), dict(whole.unreadable)) == (True, 20, 20, {})
    assert whole.facts is not None
    assert whole.rights is not None
    (clouds / "part.jsonl").write_text((clouds / "clips.jsonl").read_text())
    part = read_material(clouds / "part.jsonl")
    assert (part.whole, part.folder, len(part.details)) == (False, clouds, 0)


def test_what_cannot_be_read_is_named_and_the_rest_is_there(clouds: Path) -> None:
    (clouds / RIGHTS).unlink()
    (clouds / FACTS).write_bytes(b"\xff")
    (clouds / DETAILS).write_text("{}\n")
    found = read_material(clouds)
    assert set(found.unreadable) == {RIGHTS, FACTS, DETAILS}
    assert len(found.rows) == 20


def test_what_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="Cannot read"):
        read_material(tmp_path)
    (tmp_path / "clips.jsonl").write_text("\n")
    with pytest.raises(UsageError, match="lists nothing"):
        read_material(tmp_path)
