"""What a set is made of: a TOML file in, a `Recipe` out, or one error that names the key and the nearest known one.

A rule multiplies generators, portraits, motions and seeds; `pairs` draws so many of the product, people in turn.
`configs/set.toml` is an example with a word about every key.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sfumato.app.fakes.plan import FakesConfig, Kind
from sfumato.app.sets.layout import LONGEST_NAME, LONGEST_TEXT, Case, Rights, require_name
from sfumato.config import from_dict, parse_toml
from sfumato.errors import ConfigError, choose_from
from sfumato.limits import SETTINGS
from sfumato.media.clips import Split
from sfumato.options import GENERATOR
from sfumato.regular_file import read_regular
from sfumato.text import printable

OWN, OTHERS = "own", "others"  # motions: the person's own video; that of another filmed person of the split
LADDER = (23, 28, 33, 38, 43)  # crf: from hardly visible to blocks
MOST_PAIRS = 500_000
_SPLITS: tuple[Split, ...] = ("train", "validation", "calibration", "test")


@dataclass(frozen=True)
class SourceRule:
    """Where people come from: rows of a clips.jsonl whose paths fit `match`, or paintings that ship, by name.

    rights: a record of the recipe; paintings have one of their own. split: of the paintings.
    """

    clips: Path | None = None
    match: tuple[str, ...] = ("*",)
    portraits: tuple[str, ...] = ()
    rights: str | None = None
    split: Split = "train"

    def __post_init__(self) -> None:
        if (self.clips is None) == (not self.portraits):
            raise ConfigError("A source has either clips or portraits", "clips: a clips.jsonl; portraits: paintings.")
        if self.clips is None and (self.rights is not None or self.match != ("*",)):
            raise ConfigError(
                "A source of paintings takes neither rights nor match", "What ships has its record already."
            )
        if self.clips is not None and self.rights is None:
            raise ConfigError(
                f"The source {self.clips} names no record of rights",
                "Write [rights.NAME] with holder, licence, basis, statement and source, and rights = NAME here.",
            )


@dataclass(frozen=True)
class FakeRule:
    """One kind of fakes. pairs: how many of all combinations, None for all; of `compressed` every rung counts."""

    kind: Kind
    pairs: int | None = None
    generators: tuple[str, ...] = ()
    autoencoders: tuple[Path, ...] = ()
    motions: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    case: Case = "plain"
    ladder: tuple[int, ...] = ()
    splits: tuple[Split, ...] = _SPLITS

    def __post_init__(self) -> None:
        if self.kind not in ("animated", "composite") and self.generators:
            raise ConfigError(f"{self.kind} fakes take no generators", "Leave the key out.")
        if (self.kind == "autoencoder") != bool(self.autoencoders):
            raise ConfigError(
                f"{self.kind} fakes and autoencoders do not go together"
                if self.autoencoders
                else "autoencoder fakes need autoencoders",
                "autoencoders = [files of `sfumato train autoencoder`] belongs to kind = 'autoencoder'.",
            )
        if self.kind != "animated" and self.motions:
            raise ConfigError(f"{self.kind} fakes take no motions", "Leave the key out.")
        if self.case != "compressed" and self.ladder:
            raise ConfigError(f"The case {self.case!r} takes no ladder", "Write case = 'compressed', or leave it out.")
        if any(not 0 <= rung <= 51 for rung in self.ladder) or len(set(self.ladder)) != len(self.ladder):
            raise ConfigError(f"ladder is {list(self.ladder)}", "Qualities of x264, 0 (lossless) to 51, each once.")
        if self.pairs is not None and not 1 <= self.pairs <= MOST_PAIRS:
            raise ConfigError(f"pairs is {self.pairs}", f"Choose 1 to {MOST_PAIRS}, or leave it out for all.")
        if self.pairs is not None and self.pairs % len(self.rungs):
            raise ConfigError(
                f"{self.pairs} pairs are no whole ladders of {len(self.rungs)} rungs", "Choose a multiple of them."
            )
        if not self.seeds or any(not 0 <= seed < 2**31 for seed in self.seeds):
            raise ConfigError(f"seeds is {list(self.seeds)}", "Whole numbers from 0, at least one.")
        for name in ("seeds", "splits", "generators", "motions", "autoencoders"):
            if len(set(getattr(self, name))) != len(getattr(self, name)) or (name == "splits" and not self.splits):
                raise ConfigError(f"{name} names something twice, or nothing", "Name each once.")

    @property
    def made_with(self) -> tuple[str, ...]:
        """Generators or autoencoders by name or path; one empty name where none is needed."""
        if self.kind == "autoencoder":
            return tuple(map(str, self.autoencoders))
        return (self.generators or (GENERATOR,)) if self.kind in ("animated", "composite") else ("",)

    @property
    def moved_by(self) -> tuple[str, ...]:
        """Motions; one empty name where none is needed."""
        return (self.motions or (OTHERS,)) if self.kind == "animated" else ("",)

    @property
    def rungs(self) -> tuple[int | None, ...]:
        """The crf of each pair that is made of a combination; None: drawn."""
        return (self.ladder or LADDER) if self.case == "compressed" else (None,)


@dataclass(frozen=True)
class Recipe:
    """A set as somebody asks for it. motions: to which split a motion that ships, or a .motion file, belongs (train
    unless said): whoever follows it is of that split. The rest as in `FakesConfig`.
    """

    name: str
    description: str
    version: str
    licence: str
    sources: tuple[SourceRule, ...]
    fakes: tuple[FakeRule, ...]
    rights: Mapping[str, Rights] = field(default_factory=dict)
    motions: Mapping[str, Split] = field(default_factory=dict)
    seed: int = 0
    frames: int = 10
    stride: int = 3
    seconds: float = 3.0
    sizes: tuple[int, ...] = (128, 192, 256, 320, 384)
    best_crf: int = 18
    worst_crf: int = 26
    equal_bytes: bool = True
    candidates: int = 12

    def __post_init__(self) -> None:
        for key, longest in (("name", LONGEST_NAME), ("description", LONGEST_TEXT), ("version", 40), ("licence", 200)):
            value = getattr(self, key)
            if not value.strip() or printable(value) != value or len(value) > longest:
                raise ConfigError(f"{key} is {value[:80]!r}", f"Write one printable line of 1 to {longest} characters.")
        if not self.sources or not self.fakes:
            raise ConfigError("A recipe has sources and fakes", "Write [[sources]] and [[fakes]], one or more of each.")
        if not 0 <= self.seed < 2**31:
            raise ConfigError(f"seed is {self.seed}", f"Choose a whole number from 0 to {2**31 - 1}.")
        if not 0 < self.seconds < math.inf:
            raise ConfigError(f"seconds is {self.seconds:g}", "Choose a number above 0.")
        for name in self.rights:
            require_name("the name of a record of rights", name)
        for source in self.sources:
            if source.rights is not None and source.rights not in self.rights:
                raise ConfigError(
                    f"There is no record of rights {source.rights!r}, which {source.clips} needs",
                    choose_from(source.rights, self.rights) if self.rights else f"Write [rights.{source.rights}].",
                )
        self.config()  # refuses what is out of its range

    def config(self) -> FakesConfig:
        """What a `TakeMaker` is told. Raises ConfigError."""
        return FakesConfig(
            frames=self.frames, stride=self.stride, sizes=self.sizes, best_crf=self.best_crf, worst_crf=self.worst_crf,
            equal_bytes=self.equal_bytes, candidates=self.candidates, seconds=self.seconds, seed=self.seed,
        )  # fmt: skip


@dataclass(frozen=True)
class GivenRecipe:
    """A recipe and the bytes it was read from."""

    recipe: Recipe
    data: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def read_recipe(path: Path) -> GivenRecipe:
    """Paths in it are relative to its folder. Raises ConfigError for what is no TOML, unknown keys, values of another
    type or out of range, and a source without a record of rights.
    """
    try:
        data = read_regular(path, SETTINGS)
        values = parse_toml(data.decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        cause = getattr(error, "strerror", None) or error
        raise ConfigError(f"Cannot read the recipe {path}: {cause}", "It must be a TOML file.") from error
    recipe = from_dict(Recipe, values)
    sources = tuple(_source_from(path.parent, source) for source in recipe.sources)
    fakes = tuple(_rule_from(path.parent, rule) for rule in recipe.fakes)
    motions = {_found(path.parent, name): split for name, split in recipe.motions.items()}
    return GivenRecipe(replace(recipe, sources=sources, fakes=fakes, motions=motions), data)


def _source_from(folder: Path, source: SourceRule) -> SourceRule:
    return source if source.clips is None else replace(source, clips=folder / source.clips)


def _rule_from(folder: Path, rule: FakeRule) -> FakeRule:
    generators, motions = (tuple(_found(folder, name) for name in names) for names in (rule.generators, rule.motions))
    autoencoders = tuple(folder / name for name in rule.autoencoders)
    return replace(rule, generators=generators, motions=motions, autoencoders=autoencoders)


def _found(folder: Path, name: str) -> str:
    """Files are named from the recipe's folder; what is not there may be the name of something that ships."""
    try:
        return str(folder / name) if (folder / name).is_file() else name
    except ValueError:  # a zero byte
        return name
