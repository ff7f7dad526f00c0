"""Specimens are what their formats say: every media type that is signed can be made, and is what it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.verifiers.specimens import LONG, SHORT, formats, write_specimen
from provenance.formats.containers import BMFF, STILLS, media_type_of_content

SHORT_ONES = {kind.media_type: kind for kind in formats().values() if not (kind.in_pieces or kind.sidecar)}


def test_there_is_a_maker_for_every_format() -> None:
    wanted = [(kind.in_pieces, kind.media_type) for kind in formats().values()]
    assert [want for want in wanted if want[1] not in (LONG if want[0] else SHORT)] == []


@pytest.mark.parametrize("media_type", SHORT_ONES)
def test_a_specimen_is_what_its_format_says(media_type: str, tmp_path: Path) -> None:
    write_specimen(SHORT_ONES[media_type], tmp_path / "specimen")
    with (tmp_path / "specimen").open("rb") as file:
        found = media_type_of_content(file)
    alike = next((kinds for kinds in (BMFF, STILLS) if media_type in kinds), (media_type,))
    assert found in alike
