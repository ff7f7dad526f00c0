"""What Python programs may rely on: the public names are frozen, each is loaded only when touched, the page works."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sfumato.media.images import write_image
from tests.media_fixtures import picture

ROOT = Path(__file__).parents[1]
SURFACE = Path(__file__).parent / "api_surface.json"
PACKAGES = ("sfumato", "generator", "detector", "provenance", "benchmarks")
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")


def surface() -> dict[str, dict[str, str]]:
    """{package: {public name: how it is called}}. A class is called as its constructor is."""
    found: dict[str, dict[str, str]] = {}
    for package in PACKAGES:
        module = importlib.import_module(package)
        found[package] = {name: _called(getattr(module, name)) for name in module.__all__ if name != "__version__"}
    return found


def _called(value: object) -> str:
    if isinstance(value, type) and issubclass(value, Exception):
        return "exception"
    called = str(inspect.signature(value))  # type: ignore[arg-type]
    return re.sub(r"<function [^>]*>>?", "<function>", called.replace("<lambda>", "lambda"))


def test_the_public_names_are_those_that_were_agreed() -> None:
    """A change here is a change for users: it wants a line in CHANGELOG.md, and this file written anew."""
    assert surface() == json.loads(SURFACE.read_text(encoding="utf-8"))


def test_ten_to_thirty_names_are_public() -> None:
    assert 10 <= sum(len(names) for names in surface().values()) <= 30


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_name_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match=f"'{package}' has no attribute 'nonsense'"):
        importlib.import_module(package).nonsense


def test_importing_the_packages_loads_nothing_heavy() -> None:
    program = f"import sys, {', '.join(PACKAGES)}; print({{'torch', 'cv2', 'numpy', 'av', 'c2pa'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
def test_the_page_runs_from_top_to_bottom(tmp_path: Path) -> None:
    write_image(tmp_path / "picture.png", picture(0))
    rows = "".join(f"{i}.mp4,{i % 2},{0.2 + 0.1 * (i % 7)}\n" for i in range(40))
    (tmp_path / "scores.csv").write_text("path,label,score\n" + rows)
    (tmp_path / "page.py").write_text("\n".join(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)))
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); exec(open('page.py').read())"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "Living portrait, mona-lisa, serene" in done.stdout


def test_every_section_of_the_page_has_a_block() -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    assert [section.split("\n", 1)[0] for section in sections] == ["Animate", "Verify", "Scan", "Sign", "Evaluate"]
    assert all("```python" in section for section in sections)


def test_every_public_name_is_documented_where_it_stands() -> None:
    for package in PACKAGES:
        module = importlib.import_module(package)
        assert [n for n in module.__all__ if n != "__version__" and not inspect.getdoc(getattr(module, n))] == []
