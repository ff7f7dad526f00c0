"""Anybody's detector as `module:callable`: the path of a video in, one score out.

The contract: the callable takes one argument, the `pathlib.Path` of a file (a video or a picture) or of a folder of
frames, whatever the set lists, and returns one finite number, the larger the more fake; in [0, 1] if it is a
probability; None where it abstains. A class is called once without arguments, and what that makes is called. What it
raises is recorded as the failure of that file, and the run goes on. Its module is imported because the user named it,
from the installed packages or the current folder; nothing else here imports foreign code.

Scores are kept in a journal by what is in the file and in the module's file; `version`, an attribute of the callable,
says what else they follow from, such as a digest of its weights.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import math
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.datasets.sample import Sample
from detector.evaluation.journal import VideoJournal, from_facts
from detector.evaluation.protocol import Scored
from sfumato.errors import MediaError, SfumatoError, UsageError, choose_from, nearest
from sfumato.media.clips import file_digest

NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_CONTRACT = {"contract": 1}  # the options of its journal's entries
_MOST_NAMES = 12  # of a module that are told
_LONGEST = 300  # characters of a reason that are kept


@dataclass(frozen=True)
class OwnCode:
    """name: "module:callable"; judge: what it names; digest: of all that its scores follow from, as far as is known."""

    name: str
    judge: Callable[[Path], Any]
    digest: str


def load_own_code(name: str) -> OwnCode:
    """Imports the module that `name` ("module:callable") is in. Raises UsageError if there is no such module or
    callable, or importing it fails.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} names no detector", "Give module:callable, or the folder of a detector.")
    module_name, _, attribute = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)  # last: nothing that is installed is covered up
    module: Any = None
    try:
        with contextlib.redirect_stdout(sys.stderr):
            module = importlib.import_module(module_name)
            found: Any = module
            for part in attribute.split("."):
                found = getattr(found, part)
            judge = found() if isinstance(found, type) else found
    except SfumatoError:
        raise
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything
        raise UsageError(
            f"The detector {name} cannot be loaded: {_told(error)}", _advice(module_name, attribute, module)
        ) from error
    if not callable(judge):
        raise UsageError(f"The detector {name} cannot be called", "Name what takes a path and returns a score.")
    source = getattr(module, "__file__", None)
    written = file_digest(Path(source)) if source is not None and Path(source).is_file() else ""
    facts = f"{name}\0{written}\0{getattr(judge, 'version', '')}"
    return OwnCode(name, judge, hashlib.sha256(facts.encode()).hexdigest())


def _advice(module_name: str, attribute: str, module: Any) -> str:
    """module: None where importing it failed."""
    if module_name.endswith(".py"):
        return f"Name the module, not its file: {module_name.removesuffix('.py')}:{attribute}."
    if module is None:
        return "Is its module installed, in the current folder, or on PYTHONPATH?"
    names = getattr(module, "__dict__", {})
    if attribute.partition(".")[0] in names:
        return "Its module was found; what failed is the callable itself."
    known = sorted(each for each, value in names.items() if callable(value) and not each.startswith("_"))
    if not known:
        return f"{module_name} holds nothing that can be called."
    near = nearest(attribute, known)
    return choose_from(attribute, dict.fromkeys([*filter(None, [near]), *known[:_MOST_NAMES]]))


def score_by(
    code: OwnCode,
    samples: Sequence[Sample],
    journal: Path | None = None,
    advance: Callable[[float], None] = lambda amount: None,
) -> Iterator[Scored]:
    """Asks `code` about every sample that the journal does not hold yet. `advance` gets 1 a video. What fails has
    status "error" and the reason, and is not kept: the next run asks again. What it prints goes to stderr.
    """
    with closing(VideoJournal(journal, code.digest, _CONTRACT)) as known:
        for sample in samples:
            facts = known.find(sample)
            if facts is None:
                facts = _facts(code, sample.path)
                if facts["status"] != "error":
                    known.add(sample, facts)
            yield from_facts(sample, facts)
            advance(1)


def _facts(code: OwnCode, path: Path) -> dict[str, Any]:
    try:
        if not path.exists():
            raise MediaError("there is no such file")
        with contextlib.redirect_stdout(sys.stderr):
            score = _number(code.judge(path))
    except (Exception, SystemExit) as error:  # a stranger's code may raise anything; it is that file's failure
        return _entry("error", _told(error), [])
    return _entry("ok", "", [[[0.0, score]]]) if score is not None else _entry("abstain", "no score", [])


def _entry(status: str, reason: str, tracks: list[Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"faceless": 0, "flagged": {}, "media": {}, "sharpness": None}
    return {"status": status, "reason": reason, "tracks": tracks, **empty}


def _number(found: Any) -> float | None:
    """Raises ValueError for what is neither a finite number nor None."""
    if found is None:
        return None
    try:
        value = math.nan if isinstance(found, str | bytes) else float(found)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"it returned {str(found)[:60]!r} ({type(found).__name__}), not a finite number")
    return value


def _told(error: BaseException) -> str:
    """One line about what was raised, cut to what anybody reads."""
    first = (str(error).strip().splitlines() or [""])[0][:_LONGEST]
    return first if isinstance(error, SfumatoError) else f"{type(error).__name__}: {first}".rstrip(": ")
