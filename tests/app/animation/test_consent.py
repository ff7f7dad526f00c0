"""Consent: asked for every picture that is not a shipped painting, refused without an answer, kept as stated."""

import pytest

from sfumato.app.animation.consent import LONGEST, PUBLIC_DOMAIN, stated_right
from sfumato.app.animation.gallery import PortraitFile, shipped_portraits
from sfumato.errors import UsageError

PAINTING = PortraitFile(shipped_portraits()["mona-lisa"].path)


def test_painting_needs_none() -> None:
    assert stated_right([PAINTING], None) == PUBLIC_DOMAIN


@pytest.mark.parametrize("consent", [None, "", "   "])
def test_picture_needs_a_statement(tmp_path, consent) -> None:
    (tmp_path / "me.jpg").write_bytes(b"picture")
    me = PortraitFile(tmp_path / "me.jpg")
    with pytest.raises(UsageError, match="--consent"):
        stated_right([PAINTING, me], consent)
    assert stated_right([me], " my own picture ") == "my own picture"


@pytest.mark.parametrize("consent", ["x" * (LONGEST + 1), "two\nlines", "hidden \u202e text"])
def test_statement_is_one_short_line(consent) -> None:
    with pytest.raises(UsageError, match="one line"):
        stated_right([PAINTING], consent)
