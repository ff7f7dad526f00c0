"""What mkdocs calls while it builds the site: pages from outside of docs/ and from the code go in, links follow them.

README.md, MODEL_CARD.md and their like stay where people look for them; in the site they stand beside the other pages.
A link to any other file of the tree, such as a configuration, leads to a copy of it under `source/`. Nothing is written
outside of the site.
"""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"README.md": "index.md"} | {name: name for name in ("MODEL_CARD.md", "CONTRIBUTING.md", "CHANGELOG.md")}
_FENCE = re.compile(r"(^[ ]*(?P<fence>`{3,}).*?^[ ]*(?P=fence)[ ]*$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?P<before>\]\()(?P<path>[^)#:\s]+)(?P<anchor>#[^)\s]*)?(?=\))")


def on_config(config: Any) -> Any:
    """The pages of the commands go into the navigation, in the order of `sfumato --help`."""
    for section in config.nav:
        for entry in section.get("Reference", []) if isinstance(section, dict) else []:
            if isinstance(entry, dict) and "Commands" in entry:
                entry["Commands"] = [path for path in _reference().pages() if "/commands/" in path]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages of PAGES, those of the reference, and a copy of each file that a page links to."""
    pages = {place: (ROOT / name).read_text(encoding="utf-8") for name, place in PAGES.items()}
    for place, text in (pages | _reference().pages()).items():
        files.append(File.generated(config, place, content=text))
    linked = {found for file in list(files.documentation_pages()) for found in _sources_of(file)}
    for name in sorted(linked):
        files.append(File.generated(config, f"source/{name}", abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links of the tree become links of the site."""
    here = PurePosixPath(page.file.src_uri)
    return _outside_of_blocks(markdown, lambda text: _LINK.sub(lambda link: _site_link(link, here), text))


def _reference() -> Any:
    """The module beside this one; mkdocs loads hooks by their path, as no part of a package."""
    place = Path(__file__).with_name("reference.py")
    spec = importlib.util.spec_from_file_location("sfumato_docs_reference", place)
    assert spec is not None  # noqa: S101
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _outside_of_blocks(text: str, change: Any) -> str:
    """`text` with `change` applied to what lies between fenced blocks."""
    parts, start = [], 0
    for block in _FENCE.finditer(text):
        parts += [change(text[start : block.start()]), block[0]]
        start = block.end()
    return "".join([*parts, change(text[start:])])


def _sources_of(file: File) -> set[str]:
    """Files of the tree, neither pages nor in docs/, that a page links to."""
    here, found = PurePosixPath(file.src_uri), set()

    def note(text: str) -> str:
        for link in _LINK.finditer(text):
            name = _in_tree(link["path"], here)
            if name not in PAGES and not name.startswith("docs/") and (ROOT / name).is_file():
                found.add(name)
        return text

    _outside_of_blocks(file.content_string, note)
    return found


def _in_tree(path: str, here: PurePosixPath) -> str:
    """What a link on the page `here` of the site means: a path from the tree's root."""
    names = {place: name for name, place in PAGES.items()}
    page = names.get(str(here), f"docs/{here}")
    return os.path.normpath(PurePosixPath(page).parent / path)


def _site_link(link: re.Match[str], here: PurePosixPath) -> str:
    name = _in_tree(link["path"], here)
    if name in PAGES:
        place = PAGES[name]
    elif name.startswith("docs/"):
        place = name.removeprefix("docs/")
    elif (ROOT / name).is_file():
        place = f"source/{name}"
    else:
        return link[0]  # mkdocs finds that it leads nowhere, and says so
    return f"{link['before']}{os.path.relpath(place, here.parent)}{link['anchor'] or ''}"
