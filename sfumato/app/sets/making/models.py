"""What the fakes of a set are made with: names and digests, here and wherever else its pairs are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sfumato.app.sets.making.make_pairs import Made, Order, begin_pairs
from sfumato.app.sets.making.plan import Slot
from sfumato.app.sets.making.recipe import OTHERS, OWN, Recipe
from sfumato.errors import UsageError, nearest
from sfumato.media.clips import file_digest


def models_of(recipe: Recipe) -> dict[str, str]:
    """{name: sha256} of what the fakes are made with, motions included. Raises CheckpointError, MissingFileError,
    MediaError for what is not there or cannot be read, UsageError for two files of one name.
    """
    from detector.data.fakes.autoencoder import load_autoencoder
    from generator.motion.track import motion_path, read_motion
    from generator.networks.checkpoint import checkpoint_path, load_checkpoint
    from sfumato.text import printable

    found: dict[str, str] = {}
    motions = [name for rule in recipe.fakes for name in rule.motions if name not in (OWN, OTHERS)]
    for name in motions:  # before the next complaint, which a mistyped name would cause, too
        motion_path(name)
    if unused := sorted(set(recipe.motions) - set(motions)):
        near = nearest(unused[0], motions)
        raise UsageError(
            f"[motions] says a split of {unused[0]!r}, which no rule follows",
            f"Did you mean {near!r}? Write it as the rule does." if near else "Name it in a rule, or leave it out.",
        )
    for rule in recipe.fakes:
        for name in filter(None, rule.made_with):
            if rule.kind == "autoencoder":
                _enter(found, f"autoencoder:{Path(name).stem}", load_autoencoder(Path(name)).digest)
            else:
                _enter(found, f"generator:{Path(name).stem}", load_checkpoint(checkpoint_path(name)).digest)
    for name in dict.fromkeys(motions):
        path = motion_path(name)
        read_motion(path)
        if printable(path.stem) != path.stem:
            raise UsageError(f"The motion {name!r} has a name that cannot be shown", "Rename its file.")
        _enter(found, f"motion:{path.stem}", file_digest(path))
    return found


def _enter(found: dict[str, str], name: str, digest: str) -> None:
    if found.setdefault(name, digest) != digest:
        raise UsageError(f"Two files are called {name.partition(':')[2]}", "Rename one of them: rows name them so.")


def begin_elsewhere(order: Order, models: Mapping[str, str]) -> Callable[[Slot], Made]:
    """For a worker on another machine: as `begin_pairs`. models: of the machine that called. Raises UsageError where
    they are others here or footage is missing, and what `models_of` raises.
    """
    here = models_of(order.recipe)
    differing = [name for name in models if here.get(name) != models[name]]
    if differing:
        raise UsageError(
            f"Pairs would be made with something else here: {', '.join(differing)}",
            "Install the same sfumato on every machine, and share the files that the recipe names.",
        )
    lost = [source.row.path for source in order.sources if not source.file.is_file()]
    if lost:  # a worker would take it for a person who shows no face
        raise UsageError(
            f"Of the footage {len(lost)} {'file is' if len(lost) == 1 else 'files are'} not here, the first {lost[0]}",
            "Share the footage, at the same path on every machine, and install sfumato at the same place.",
        )
    return begin_pairs(order)
