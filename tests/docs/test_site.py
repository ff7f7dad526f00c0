"""The site: built from the pages and the code; a link that leads nowhere is an error, and a page fetches nothing."""

from __future__ import annotations

import html
import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sfumato.app.cli.main import COMMANDS
from tests.docs.blocks import ROOT

SURFACE = json.loads((ROOT / "tests" / "api_surface.json").read_text(encoding="utf-8"))
needs_mkdocs = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("mkdocs", "material", "mkdocstrings")),
    reason="needs mkdocs, mkdocs-material and mkdocstrings: the extra docs",
)


def build(config: Path, out: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = os.environ | {"PYTHONPATH": path, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(out)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built as `make docs` builds it."""
    out = tmp_path_factory.mktemp("site")
    done = build(ROOT / "mkdocs.yml", out)
    assert done.returncode == 0, done.stderr
    return out


@needs_mkdocs
@pytest.mark.slow
def test_every_page_and_every_command_is_in_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    commands = {Path("reference", "commands", f"{name}.html") for name in COMMANDS}
    others = {Path(name) for name in ("index.html", "MODEL_CARD.html", "CONTRIBUTING.html", "CHANGELOG.html")}
    built = {path.relative_to(site) for path in site.rglob("*.html")}
    assert pages | commands | others | {Path("reference/python.html")} == built - {Path("404.html")}


@needs_mkdocs
@pytest.mark.slow
def test_the_reference_is_what_the_code_says(site: Path) -> None:
    scan = text_of(site / "reference" / "commands" / "scan.html")
    assert "sfumato scan [OPTIONS]" in scan and "--fpr" in scan and "--exit-code" in scan
    assert "sfumato service keys add" in text_of(site / "reference" / "commands" / "service.html")
    python = text_of(site / "reference" / "python.html")
    assert [name for package, names in SURFACE.items() for name in names if f"{package}.{name}" not in python] == []


@needs_mkdocs
@pytest.mark.slow
def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    loaded = re.compile(
        r"<(?:script|link|img|iframe|video|source)\b[^>]*?\b(?:src|href)=[\"']?((?:https?:)?//[^\"' >]+)"
    )
    found = {address for page in site.rglob("*.html") for address in loaded.findall(page.read_text(encoding="utf-8"))}
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert found == set()
    assert re.findall(r"(?:@import\s+|url\()[\"']?(?:https?:)?//[^)\"']+", styles) == []


@needs_mkdocs
@pytest.mark.parametrize("link", ["gone.md", "index.md#gone", "/index.md"])
def test_a_link_that_leads_nowhere_is_an_error(link: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Here\n\n[there]({link})\n")
    config = tmp_path / "mkdocs.yml"
    lines = [
        f"INHERIT: {ROOT / 'mkdocs.yml'}",
        f"docs_dir: {tmp_path / 'docs'}",
        "nav: [index.md]",
        "hooks: []",
        "plugins: []",
    ]
    config.write_text("\n".join(lines))
    done = build(config, tmp_path / "out")
    assert done.returncode != 0
    assert link in done.stderr


def test_links_lead_somewhere_in_the_tree_too() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = {(page, link) for page in pages for link in re.findall(r"\]\(([^)#:\s]+)(?=[#)])", _without_blocks(page))}
    assert len(links) > 100
    assert sorted(f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()) == []


def _without_blocks(page: Path) -> str:
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    article = re.search(r"<article.*?</article>", page.read_text(encoding="utf-8"), re.DOTALL)
    assert article is not None
    return html.unescape(re.sub(r"<[^>]+>", "", article[0]))


def reference() -> object:
    spec = importlib.util.spec_from_file_location("sfumato_docs_reference", ROOT / "docs" / "site" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_text_of_help_is_shown_as_it_stands() -> None:
    made = reference()
    assert made._escaped("a *b* <c> `*d*` e_f") == r"a \*b\* &lt;c> `*d*` e\_f"
    assert made._paragraph("\b\n1 one\n2 two") == "```text\n1 one\n2 two\n```"
    assert made._code("a|b <c>") == "<code>a&#124;b &lt;c&gt;</code>"
