"""A study, written: a list of clips in, a folder out with the page to hand on and the key to keep.

`page/` holds index.html and copies of the clips under names drawn anew each time, all of one date: nothing in the page
says which is which. The copies are the files as they were, so fakes keep their seals. `key.json` beside it has the
answers. The folder is whole or not there.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sfumato.app.study.cuts import Cutter
from sfumato.app.study.films import Film, Stock
from sfumato.app.study.key import KEY, PAGE, Key, KeyClip, KeyQuestion, write_key
from sfumato.app.study.page import render_study
from sfumato.app.study.questions import Drawn, Question, draw
from sfumato.atomic import make_folder, output_error, write_text
from sfumato.errors import UsageError
from sfumato.media.clips import TWIN, file_digest, read_clips
from sfumato.media.video.private_folder import private_folder
from sfumato.regular_file import open_regular
from sfumato.version import __version__

INDEX, MEDIA = "index.html", "clips"  # in the page's folder
_DATE = 1_000_000_000  # of every copy: one that was written first is no other than the rest


@dataclass(frozen=True)
class Made:
    """page: what to open; key: what to keep; drawn: the questions, and whom they leave out; refused: clips that could
    not be shown, and why; cuts: reals that were cut from recordings.
    """

    page: Path
    key: Path
    drawn: Drawn
    refused: dict[str, str]
    cuts: int


@dataclass(frozen=True)
class StudyConfig:
    """questions: at most; choices: clips of each; stride: frames of a recording between two of a further real clip;
    footage: another list, or its folder, with recordings of the same people; note: what participants are told before
    they begin, such as who asks.
    """

    questions: int = 30
    choices: int = 3  # as the paper
    seed: int = 0
    stride: int = 1
    footage: Path | None = None
    note: str = ""


def list_of(source: Path) -> Path:
    """The list that `source` is, or that lies in it as clips.jsonl."""
    return source / "clips.jsonl" if source.is_dir() else source


def make_study(
    source: Path, out: Path, config: StudyConfig, advance: Callable[[float], None] = lambda amount: None
) -> Made:
    """`source`: a list, or a folder with clips.jsonl; `out`: a new or empty folder. `advance` gets 1 a question.

    Raises MediaError for a list that cannot be read, UsageError where no question can be made, OutputError.
    """
    clips = list_of(source)
    rows = list(read_clips(clips))
    make_folder(out.parent)
    stock = Stock(clips)
    with private_folder(out) as folder:
        cuts = folder / "cuts"
        make_folder(cuts)
        footage = list_of(config.footage) if config.footage is not None else None
        cutter = Cutter(clips, cuts, config.stride, footage)
        drawn = draw(rows, stock, config.questions, config.choices, config.seed, cutter, advance)
        if not drawn.questions:
            raise _nothing(drawn, config.choices)
        whole = folder / "study"
        key = _key(drawn, config, clips)
        _write(whole, drawn, key, config.note)
        try:
            if out.is_dir():
                out.rmdir()  # empty: it was looked at
            whole.rename(out)
        except OSError as error:
            raise output_error(out, error) from error
        cut = sum(cuts in film.file.parents for question in drawn.questions for film in question.reals)
    return Made(out / PAGE / INDEX, out / KEY, drawn, stock.refused, cut)


def _key(drawn: Drawn, config: StudyConfig, clips: Path) -> Key:
    """The key, in whose order the page has the questions and the clips: drawn by the seed, fakes anywhere."""
    rng = random.Random(config.seed)
    questions = tuple(_question(number, question, rng) for number, question in enumerate(drawn.questions, 1))
    return Key(secrets.token_hex(8), __version__, config.seed, config.choices, file_digest(clips), questions)


def _question(number: int, question: Question, rng: random.Random) -> KeyQuestion:
    films = [question.fake, *question.reals]
    rng.shuffle(films)
    clips = tuple(
        KeyClip(secrets.token_hex(8), film.row.path, film.row.sha256, film.row.label, film.row.method) for film in films
    )
    seconds = round(question.seconds, 3)
    return KeyQuestion(number, question.fake.row.identity, seconds, question.same_moments, clips)


def _write(folder: Path, drawn: Drawn, key: Key, note: str) -> None:
    make_folder(folder / PAGE / MEDIA)
    shown = []
    for question, answers in zip(drawn.questions, key.questions, strict=True):
        films = {film.row.path: film for film in (question.fake, *question.reals)}
        names = []
        for clip in answers.clips:
            film = films[clip.path]
            address = f"{MEDIA}/{clip.name}{film.suffix}"
            _copy(film, folder / PAGE / address)
            names.append({"name": clip.name, "address": address})
        shape = {"width": question.fake.width, "height": question.fake.height}
        shown.append({"number": answers.number, "seconds": answers.seconds, **shape, "clips": names})
    write_text(folder / PAGE / INDEX, render_study(key.study, key.choices, shown, note))
    write_key(folder / KEY, key)


def _copy(film: Film, to: Path) -> None:
    """Raises OutputError."""
    try:
        with open_regular(film.file) as source, to.open("xb") as copy:
            shutil.copyfileobj(source, copy)
        os.utime(to, (_DATE, _DATE))
    except OSError as error:
        raise output_error(to, error) from error


def _nothing(drawn: Drawn, choices: int) -> UsageError:
    if not drawn.people:
        return UsageError("The list has no fake", "Make some with `sfumato fakes`.")
    why = "; ".join(f"{name}: {reason}" for name, reason in drawn.left_out[:3])
    more = f" (and {len(drawn.left_out) - 3} more people)" if len(drawn.left_out) > 3 else ""
    advice = (
        "With --footage further reals are cut; with --choices 2 a fake and one are enough, and chance is 1/2."
        if choices == 3
        else f"A fake needs a real clip of the same person, size and rate, such as its {TWIN}."
    )
    return UsageError(f"No question can be made: {why}{more}", advice)
