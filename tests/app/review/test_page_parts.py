"""What every page is made of: foreign text stays text, nothing else runs or loads, the library is as told."""

import hashlib
import json
from pathlib import Path

import pytest

from sfumato.app.review.page_parts import (
    TONES,
    address,
    content_security_policy,
    data_page,
    script_json,
    shown,
    tone_of,
    verdict_rows,
)
from sfumato.app.scan.verdict import VERDICTS
from tests.review_fixtures import HOSTILE

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "sfumato" / "app" / "review" / "page"


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "]]>", "&lt;", "a\u2028b", HOSTILE])
def test_data_cannot_end_the_element_it_stands_in(text) -> None:
    written = script_json({"name": text})
    assert not set(written) & set("<>&") and written.isascii()
    assert json.loads(written) == {"name": text}


def test_shown_text_is_printable_down_to_the_keys_and_has_an_end() -> None:
    made = shown({"a\u202eb": ["c\x1b[31m", ("d\ne",), 1.5, None, True, "ü"], "long": "x" * 9000})
    assert made["a\\u202eb"] == ["c\\x1b[31m", ["d\\ne"], 1.5, None, True, "ü"]
    assert made["long"].endswith("(7000 characters more)")


def test_policy_names_style_and_script_by_digest_and_frames_only_where_there_are_any() -> None:
    policy = content_security_policy("a{}", "1")
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-src" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert policy.count("'sha256-") == 2
    assert "frame-src 'self' file:" in content_security_policy("a{}", "1", frames=True)
    assert "connect-src" not in policy
    assert "connect-src 'self';" in content_security_policy("a{}", "1", served=True)


def test_data_page_runs_one_script_and_holds_no_markup_of_others() -> None:
    page = data_page([{"name": HOSTILE}])
    assert page.count("<script") == 2 and page.count("</script>") == 2 and "<img" not in page
    assert page.count("sha256-") == 1 and "default-src 'none'" in page


def test_every_verdict_has_a_tone_and_a_meaning() -> None:
    rows = verdict_rows({"suspicious"})
    assert [row[0] for row in rows] == list(VERDICTS)
    assert [row[0] for row in rows if row[3]] == ["suspicious"]
    assert TONES.keys() == VERDICTS.keys()
    assert tone_of("likely-synthetic") == "alarm" and tone_of("of-tomorrow") == "plain"


def test_address_is_relative_and_quoted(tmp_path) -> None:
    assert address(tmp_path / "a b#c?.mp4", tmp_path / "out" / "x.html") == "../a%20b%23c%3F.mp4"
    assert address(tmp_path / "javascript:alert(1)", tmp_path / "x.html") == "javascript%3Aalert%281%29"


def test_vendored_library_is_the_one_that_notice_names() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for name in ("uPlot.iife.min.js", "uPlot.min.css"):
        assert f"{name} sha256 {hashlib.sha256((PAGE / name).read_bytes()).hexdigest()}" in notice


def test_our_scripts_make_no_markup_of_text_and_ask_nobody() -> None:
    ours = [path for path in PAGE.glob("*.js") if not path.name.startswith("uPlot")]
    assert ours
    for path in ours:
        text = path.read_text(encoding="utf-8")
        forbidden = (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            *(() if path.name == "service.js" else ("fetch(",)),
            "XMLHttp",
            "https:",
        )
        assert [word for word in forbidden if word in text] == [], path.name
        assert len(text.splitlines()) <= 400
