"""README.md: front matter that YAML and Hugging Face read back as it was meant, and Markdown in which foreign texts are
texts.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfumato.app.sets.forms.columns import COLUMNS
from sfumato.app.sets.forms.hub_card import _plain, write_hub
from sfumato.app.sets.forms.job import Job
from tests.set_forms_fixtures import HOSTILE


def parts(job: Job) -> tuple[str, str]:
    write_hub(job)
    _, front, text = (job.out / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return front, text


def front_of(job: Job) -> dict:
    return pytest.importorskip("yaml").safe_load(parts(job)[0])


def test_the_front_matter_is_read_back(job: Job) -> None:
    front = front_of(job)
    assert (front["pretty_name"], front["license"], front["size_categories"]) == (HOSTILE, "cc-by-4.0", ["n<1K"])
    assert front["task_categories"] == ["video-classification"] and "deepfake-detection" in front["tags"]
    assert [file["path"] for file in front["configs"][0]["data_files"]] == ["data/test/**", "data/train/**"]
    assert "identify nobody" in front["extra_gated_prompt"] and front["extra_gated_fields"]["Name"] == "text"


def test_a_licence_of_ones_own_has_its_name(job: Job) -> None:
    media = replace(job.media, facts=replace(job.media.facts, licence=HOSTILE))
    front = front_of(replace(job, media=media))
    assert (front["license"], front["license_name"]) == ("other", HOSTILE)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a | b", r"a \| b"),
        ("<b>&amp;", r"\<b\>\&amp;"),
        ("[x](y)", r"\[x\](y)"),
        ("# head", r"\# head"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("1.0.0", "1.0.0"),
        ("https://x.y", r"https\://x.y"),
        ("www.x.y", r"www\.x.y"),
        ("a@b.c", r"a\@b.c"),
        ("two\nlines", r"two\\nlines"),
        ("a-b, c", "a-b, c"),
    ],
)
def test_foreign_text_is_no_markup(text: str, written: str) -> None:
    assert _plain(text) == written


def test_markdown_shows_it_as_it_is(job: Job) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    html = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).render(parts(job)[1])
    escaped = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert html.count(escaped) >= 6 and "<b>" not in html and "<script" not in html
    assert (
        html.count("<td>") == 2 * len(COLUMNS) + 6 * 2 + 2 * 4 + 2 * 4 + 2 * 3
    )  # a cell more would be a bar that was not escaped


def test_hugging_face_finds_the_splits(job: Job, tmp_path) -> None:
    datasets = pytest.importorskip("datasets")
    write_hub(job)
    loaded = datasets.load_dataset(str(job.out), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 4, "test": 2}
