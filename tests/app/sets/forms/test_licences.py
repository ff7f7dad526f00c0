"""Licences by the names that registries know; what they do not know keeps its own."""

from __future__ import annotations

import pytest

from sfumato.app.sets.forms.licences import hub_name, spdx_address, spdx_name


@pytest.mark.parametrize(
    ("written", "spdx", "hub"),
    [
        ("CC BY 4.0", "CC-BY-4.0", "cc-by-4.0"),
        ("cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0", "cc-by-nc-sa-4.0"),
        ("CC0 1.0", "CC0-1.0", "cc0-1.0"),
        ("CC 0 1.0", "CC0-1.0", "cc0-1.0"),
        ("Apache 2.0", "Apache-2.0", "apache-2.0"),
        ("ODC-BY 1.0", "ODC-By-1.0", "odc-by"),
        ("CC BY-SA 2.5", "CC-BY-SA-2.5", None),
        ("ask first", None, None),
        ("MIT\"><script>", None, None),
    ],
)  # fmt: skip
def test_known_names(written: str, spdx: str | None, hub: str | None) -> None:
    assert (spdx_name(written), hub_name(written)) == (spdx, hub)
    assert spdx_address(written) == (f"https://spdx.org/licenses/{spdx}.html" if spdx else None)
