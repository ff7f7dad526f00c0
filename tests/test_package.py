"""The package as a whole: every registry entry loads, every data file ships, every import is declared, every command is
documented.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from sfumato.app.cli.main import COMMANDS, LazyCommand, Table
from sfumato.errors import MissingPartError
from sfumato.execution.find_files import MEDIA
from sfumato.registry import Registry
from sfumato.version import __version__

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("sfumato", "generator", "detector", "provenance", "benchmarks")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@dataclass(frozen=True)
class Module:
    """What the tests ask of a file: its first docstring, its lines, and its nodes of the KINDS that they look at."""

    docstring: str | None
    lines: int
    nodes: tuple[ast.AST, ...]


KINDS = (ast.Import, ast.ImportFrom, ast.Attribute, ast.Dict, ast.Set, ast.Tuple, ast.List)


@cache
def modules() -> dict[str, Module]:
    """Every module by its name, parsed once for all tests."""
    found = {}
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        nodes = tuple(node for node in ast.walk(tree) if isinstance(node, KINDS))
        found[module_name(path)] = Module(ast.get_docstring(tree), len(text.splitlines()), nodes)
    return found


def registries() -> list[tuple[str, Registry]]:
    """Every Registry that a module of ours makes, with the module's name."""
    found = []
    for path in MODULES:
        if re.search(r"=\s*Registry\(", path.read_text(encoding="utf-8")):
            module = importlib.import_module(module_name(path))
            found += [(module.__name__, value) for value in vars(module).values() if isinstance(value, Registry)]
    return found


ENTRIES = [
    pytest.param(registry, name, id=f"{module}-{name}")
    for module, registry in registries()
    for name in registry.names()
]


@pytest.mark.parametrize(("registry", "name"), ENTRIES)
def test_every_registry_entry_loads(registry: Registry, name: str) -> None:
    try:
        assert registry.load(name) is not None
    except MissingPartError as error:
        if "pip install -e '.[" not in error.advice:  # without its extra a part may be missing, but it must say which
            raise


def test_there_are_registries_to_look_at() -> None:
    assert {"landmark backend"} <= {registry.kind for _, registry in registries()}


def built_files() -> set[Path]:
    """What a wheel of this tree would hold, asked from the build backend's own command."""
    from setuptools.dist import Distribution

    distribution = Distribution({"script_name": "setup.py"})
    distribution.parse_config_files([str(ROOT / "pyproject.toml")])
    command = distribution.get_command_obj("build_py")
    command.ensure_finalized()
    data = {Path(folder, name) for _, folder, _, names in command.data_files for name in names}
    modules = {Path(path) for _, _, path in command.find_all_modules()}
    return {path.resolve() for path in data | modules}


def test_every_file_of_the_packages_is_in_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    built = built_files()
    present = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    left_out = sorted(
        str(path.relative_to(ROOT))
        for path in present - built
        if "__pycache__" not in path.parts and not path.name.startswith(".") and path.suffix != ".md"
    )
    assert left_out == []


def test_every_folder_with_modules_is_a_package() -> None:
    assert [str(path.parent.relative_to(ROOT)) for path in MODULES if not (path.parent / "__init__.py").exists()] == []


def declared() -> set[str]:
    """The distributions that pyproject names, without the development tools."""
    project = PROJECT["project"]
    extras = [name for extra, names in project["optional-dependencies"].items() if extra != "dev" for name in names]
    return {_normal(re.split(r"[<>=!~\[; ]", name)[0]) for name in [*project["dependencies"], *extras]}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(nodes: Sequence[ast.AST]) -> set[str]:
    """The top-level names that a module imports, wherever in it."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_every_import_is_a_declared_dependency() -> None:
    distributions = importlib.metadata.packages_distributions()
    # The same cv2 comes from either of two distributions; setup takes the headless one where a machine has no libGL.
    known = declared() | {"opencv-python-headless"}
    undeclared = {}
    for name, module in modules().items():
        foreign = imported(module.nodes) - set(sys.stdlib_module_names) - set(PACKAGES)
        lacking = {
            each for each in foreign if not {_normal(given) for given in distributions.get(each, [each])} & known
        }
        if lacking:
            undeclared[name] = sorted(lacking)
    assert undeclared == {}


def test_a_module_says_what_it_is() -> None:
    """The first line says what comes in and what goes out."""
    assert [name for name, module in modules().items() if not module.docstring] == []


def test_a_module_holds_one_idea() -> None:
    assert {name: module.lines for name, module in modules().items() if module.lines > 400} == {}


def test_vendored_nets_are_those_that_notice_names() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    folder = ROOT / "sfumato" / "media" / "models"
    sums = dict(reversed(line.split()) for line in (folder / "SHA256SUMS").read_text(encoding="ascii").splitlines())
    assert sums.keys() == {path.name for path in folder.iterdir()} - {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert name in notice
        assert digest in notice


SUFFIX_LISTS = {
    "sfumato.execution.find_files": "which files a command means, for all of them",
    "provenance.formats.containers": "FORMATS and UNSIGNABLE: the media type of each kind of file",
    "sfumato.media.images": "WRITABLE: the encoder of each kind of picture",
}
DATABASES = {
    "sfumato.execution.journal": "what is done already",
    "provenance.durable.repository": "manifests by fingerprint",
}


def suffix_lists(nodes: Sequence[ast.AST]) -> list[set[str]]:
    """What is written out of sets, tuples, lists and keys that name several kinds of media files."""
    found = []
    for node in nodes:
        items = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
        words = {item.value.lower() for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)}
        if {".png", ".jpg"} <= words or (".mp4" in words and len(words & MEDIA) > 1):
            found.append(words)
    return found


def process_starters(nodes: Sequence[ast.AST]) -> set[str]:
    """The names by which a module would start processes that share its work."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if "multiprocessing" in alias.name.split(".")}
        elif isinstance(node, ast.ImportFrom) and "multiprocessing" in (node.module or "").split("."):
            found.add(str(node.module))
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names} & {"ProcessPoolExecutor", "multiprocessing", "fork"}
        elif isinstance(node, ast.Attribute) and node.attr in ("ProcessPoolExecutor", "fork"):
            found.add(node.attr)
    return found


def opens_a_database(nodes: Sequence[ast.AST]) -> bool:
    """Whether a module takes SQLite's `connect`, called or not, under whatever name."""
    names = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "sqlite3"
    }
    taken = any(
        isinstance(node, ast.ImportFrom) and node.module == "sqlite3" and "connect" in {a.name for a in node.names}
        for node in nodes
    )
    return taken or any(
        isinstance(node, ast.Attribute) and node.attr == "connect" and getattr(node.value, "id", "") in names
        for node in nodes
    )


def test_what_counts_as_a_picture_or_a_video_is_said_in_one_place() -> None:
    assert {name for name, module in modules().items() if suffix_lists(module.nodes)} == SUFFIX_LISTS.keys()


def test_databases_are_opened_by_the_journal_and_the_repository_alone() -> None:
    assert {name for name, module in modules().items() if opens_a_database(module.nodes)} == DATABASES.keys()


def test_processes_are_started_by_the_pool_and_for_data_loaders_alone() -> None:
    starting = {name for name, module in modules().items() if process_starters(module.nodes)}
    assert starting == {"sfumato.execution.pool", "sfumato.training.data_workers"}


def command_lines(table: Table = COMMANDS, before: str = "sfumato") -> list[str]:
    lines: list[str] = []
    for name, entry in table.items():
        lines += [f"{before} {name}"] if isinstance(entry, LazyCommand) else command_lines(entry[1], f"{before} {name}")
    return lines


@pytest.mark.parametrize("line", command_lines())
def test_every_command_is_documented(line: str) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert any(line in page.read_text(encoding="utf-8") for page in pages), f"{line} is in neither README.md nor docs/"


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name
)
def test_every_table_begins_with_its_head(page: Path) -> None:
    lines = ["", *page.read_text(encoding="utf-8").splitlines(), ""]
    rows = [n for n, line in enumerate(lines) if line.startswith("| ")]
    astray = [n for n in rows if not lines[n - 1].startswith("|") and not lines[n + 1].startswith("|---")]
    assert [lines[n] for n in astray] == [], "an empty line, or a missing head, has torn a table"


def test_the_installed_version_is_the_one_in_the_tree() -> None:
    assert importlib.metadata.version("sfumato") == __version__
