"""Recipes: what is written is what is meant, whatever is wrong is told by its key, and the example is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.sets.making.recipe import LADDER, FakeRule, read_recipe
from sfumato.errors import ConfigError

ROOT = Path(__file__).resolve().parents[4]
PLAIN = """
name = "studio"
description = "Two people."
version = "1"
licence = "CC-BY-4.0"
[rights.studio]
holder = "Ada"
licence = "CC-BY-4.0"
basis = "consent"
statement = "signed in May"
source = "own studio"
[[sources]]
clips = "footage/clips.jsonl"
rights = "studio"
[[fakes]]
kind = "swap"
pairs = 2
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_recipe_names_its_files_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "own.motion").write_bytes(b"")
    text = (
        PLAIN + '[[fakes]]\nkind = "animated"\nmotions = ["own.motion", "serene"]\n[motions]\n"own.motion" = "test"\n'
    )
    given = read_recipe(written(tmp_path, text))
    assert given.recipe.sources[0].clips == tmp_path / "footage/clips.jsonl"
    assert given.recipe.fakes[1].moved_by == (str(tmp_path / "own.motion"), "serene")
    assert given.recipe.motions == {str(tmp_path / "own.motion"): "test"}
    assert given.data == text.encode()


def test_the_example_is_a_recipe_and_has_every_case() -> None:
    recipe = read_recipe(ROOT / "configs" / "set.toml").recipe
    assert {rule.case for rule in recipe.fakes} == {"plain", "pose", "light", "compressed", "several-faces"}


def test_what_a_rule_leaves_out_is_the_usual() -> None:
    rule = FakeRule("animated")
    assert (rule.made_with, rule.moved_by, rule.rungs) == (("portrait-256",), ("others",), (None,))
    assert FakeRule("swap").made_with == ("",) == FakeRule("swap").moved_by
    assert FakeRule("swap", case="compressed").rungs == LADDER


WRONG = [
    ("licence =", "license =", "Unknown key license", "Did you mean 'licence'?"),
    ("pairs = 2", "pair = 2", "Unknown key fakes.pair", "Did you mean 'pairs'?"),
    ("[rights.studio]", "[rights.studi]", "There is no record of rights 'studio'", "Did you mean 'studi'?"),
    ('rights = "studio"\n', "", "names no record of rights", "[rights.NAME]"),
    ('holder = "Ada"\n', "", "rights.studio.holder is missing", "Needed here: rights.studio.holder."),
    ('holder = "Ada"', 'holder = ""', "holder is ''", ""),
    ('basis = "consent"', 'basis = "found"', "'found'", "public-domain"),
    ('"signed in May"', '"a\\u001bb"', "statement is", ""),
    ("[rights.studio]", '[rights."../x"]', "'../x'", ""),
    ('kind = "swap"', 'kind = "swop"', "'swop'", "swap"),
    ('kind = "swap"', 'kind = "swap"\ncase = "dark"', "'dark'", "light"),
    ("pairs = 2", "pairs = 0", "pairs is 0", "500000"),
    ("pairs = 2", 'pairs = 2\ngenerators = ["a"]', "swap fakes take no generators", ""),
    ("pairs = 2", 'pairs = 2\nmotions = ["serene"]', "swap fakes take no motions", ""),
    ("pairs = 2", "pairs = 2\nladder = [20]", "takes no ladder", "compressed"),
    ("pairs = 2", 'pairs = 2\ncase = "compressed"', "2 pairs are no whole ladders of 5 rungs", ""),
    ("pairs = 2", 'pairs = 2\ncase = "compressed"\nladder = [20, 60]', "ladder is [20, 60]", ""),
    ("pairs = 2", "pairs = 2\nseeds = []", "seeds is []", ""),
    ("pairs = 2", "pairs = 2\nseeds = [1, 1]", "seeds names something twice", ""),
    ("pairs = 2", "pairs = 2\nsplits = []", "splits names something twice, or nothing", ""),
    ('kind = "swap"', 'kind = "autoencoder"', "autoencoder fakes need autoencoders", ""),
    ('clips = "footage/clips.jsonl"', 'portraits = ["mona-lisa"]', "neither rights nor match", ""),
    ('clips = "footage/clips.jsonl"', "", "either clips or portraits", ""),
    ('version = "1"', 'version = " "', "version is ' '", ""),
    ('version = "1"', 'version = "1"\nframes = 2', "frames is 2", "3 to 250"),
    ('version = "1"', 'version = "1"\nstride = 0', "stride is 0", "from 1"),
    ('version = "1"', 'version = "1"\ncandidates = -3', "candidates is -3", "from 1"),
    ('version = "1"', 'version = "1"\nsizes = [64, 63]', "sizes holds 63", "64 to 1024"),
    ('version = "1"', 'version = "1"\nsizes = []', "sizes is empty", "64 to 1024"),
    ('version = "1"', 'version = "1"\nseed = -1', "seed is -1", "from 0"),
    ('version = "1"', 'version = "1"\nseconds = inf', "seconds is inf", "above 0"),
    (
        'version = "1"',
        'version = "1"\nbest_crf = 40\nworst_crf = 20',
        "best_crf is 40 and worst_crf is 20",
        "0 (lossless)",
    ),
    ('version = "1"', "version = 1", "version is 1", "str"),
    ('version = "1"', "version =", "Cannot read the recipe", "TOML"),
]


@pytest.mark.parametrize(("right", "wrong", "said", "advice"), WRONG)
def test_what_is_wrong_is_told_by_its_key(tmp_path: Path, right: str, wrong: str, said: str, advice: str) -> None:
    assert right in PLAIN
    with pytest.raises(ConfigError) as caught:
        read_recipe(written(tmp_path, PLAIN.replace(right, wrong)))
    assert said in caught.value.message
    assert advice in caught.value.advice


def test_what_other_editors_put_around_the_lines_is_read(tmp_path: Path) -> None:
    plain = read_recipe(written(tmp_path, PLAIN))
    path = written(tmp_path, PLAIN)
    path.write_bytes(b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode())
    assert read_recipe(path).recipe == plain.recipe


def test_of_an_empty_recipe_all_that_is_needed_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name is missing") as caught:
        read_recipe(written(tmp_path, ""))
    assert caught.value.advice == "Needed here: name, description, version, licence, sources, fakes."


def test_a_recipe_without_sources_or_fakes_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sources and fakes"):
        read_recipe(written(tmp_path, "sources = []\nfakes = []\n" + PLAIN[: PLAIN.index("[[sources]]")]))


def test_a_recipe_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="Cannot read the recipe"):
        read_recipe(path)
    with pytest.raises(ConfigError, match="Cannot read the recipe"):
        read_recipe(tmp_path)
