"""What the tutorials and README's quick starts tell people to type is typed here, block by block, as it stands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sfumato.app.animation.gallery import shipped_portraits
from sfumato.app.cli.main import main
from sfumato.media.images import read_image, write_image
from tests.docs.blocks import ROOT, Block, Command, blocks, commands, run
from tests.generator_fixtures import moving, portrait
from tests.media_fixtures import make_video, picture

TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
NOT_RUN = {"first-folder.md": 1, "own-generator.md": 2, "ten-machines.md": 3}  # blocks that need what no test has


def film(path: Path, name: str, frames: int = 12) -> None:
    """A shipped painting before a camera that moves a little."""
    path.parent.mkdir(exist_ok=True)
    make_video(path, frames=frames, width=256, height=256, rate=12, images=moving(portrait(name, 256), frames))


def supply(page: str, folder: Path) -> None:
    """The files that a page says its reader has."""
    film(folder / "uploads" / "holiday.mp4", "la-velata")
    film(folder / "talk.mp4", "lady-agnew")
    write_image(folder / "harbour.jpg", picture(3, 320, 240))
    mona_lisa = read_image(shipped_portraits()["mona-lisa"].path)[::3, ::3]
    for name, light in (("me", 1.0), ("me-open", 0.9), ("me-smiling", 0.8)):
        write_image(folder / f"{name}.jpg", (mona_lisa * light).astype("uint8"))
    if page == "own-generator.md":
        for name in shipped_portraits():
            film(folder / "clips" / f"{name}.mp4", name)


@pytest.mark.slow
@pytest.mark.timeout(900)  # half a minute of work at most, on a machine that may be busy
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_block_of_a_tutorial_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supply(page.name, tmp_path)
    monkeypatch.chdir(tmp_path)
    for block in blocks(page):
        if block.is_run:
            run(block, tmp_path, main)


@pytest.mark.slow
def test_the_quick_starts_of_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supply("README.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    starts = blocks(ROOT / "README.md", "## Quick starts")
    assert len(starts) == 3 and all(block.is_run for block in starts)
    for block in starts:
        run(block, tmp_path, main)


def test_the_blocks_that_are_not_run_are_those_that_are_known() -> None:
    left_out = [block for page in TUTORIALS for block in blocks(page) if not block.is_run]
    for block in left_out:
        print(f"not run: {block.page}, line {block.line}")
    assert Counter(block.page for block in left_out) == NOT_RUN


def test_a_command_is_a_line_or_what_belongs_together() -> None:
    text = "# why\nsfumato scan \\\n  a.mp4  # exit code 3: gone\ncat > x <<'END'\na\nEND\nls | wc\n"
    found = list(commands(Block("page.md", 1, text, True)))
    assert found == [
        Command("sfumato scan a.mp4  # exit code 3: gone", 3),
        Command("cat > x <<'END'\na\nEND", 0),
        Command("ls | wc", 0),
    ]
    assert [each.words for each in found] == [["scan", "a.mp4"], None, None]


@pytest.mark.parametrize("text", ["sfumato verify gone.mp4", "true   # exit code 4", "sfumato doctorr"])
def test_a_command_that_ends_otherwise_fails(text: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"page\.md, block in line 7"):
        run(Block("page.md", 7, text, True), tmp_path, main)
