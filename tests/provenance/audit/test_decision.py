"""A decision names a file by its digest, who decided, and why."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from provenance.audit.decision import decision_body
from sfumato.errors import MediaError, UsageError


def test_a_file_is_named_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"media")
    body = decision_body(str(tmp_path / "a.mp4"), "removed", "Ada", "it is a fake of a minister")
    assert body == {
        "file": {"path": str(tmp_path / "a.mp4"), "sha256": hashlib.sha256(b"media").hexdigest()},
        "decision": "removed",
        "who": "Ada",
        "why": "it is a fake of a minister",
    }


def test_a_digest_names_a_file_that_is_not_at_hand() -> None:
    assert decision_body("AB" * 32, "kept", "Ada", "satire")["file"] == {"path": None, "sha256": "ab" * 32}


@pytest.mark.parametrize("texts", [("", "a", "b"), ("a", " \n", "b"), ("a", "b", ""), ("a", "b", "x" * 10_001)])
def test_a_decision_without_a_reason_is_refused(texts: tuple[str, str, str]) -> None:
    with pytest.raises(UsageError, match="is empty or longer"):
        decision_body("ab" * 32, *texts)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        decision_body(str(tmp_path / "gone.mp4"), "kept", "Ada", "satire")
