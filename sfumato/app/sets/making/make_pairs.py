"""A slot becomes its pairs: the first combination that shows a usable face, made once, written a rung at a time.

In: a `Slot`. Out: `Made`: rows of sealed files, who was passed over and why, and where the time went. It is what a
worker does: nets are loaded by the first slot that needs them, and kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.fakes.forgery import Points
from sfumato.app.fakes.footage import shoot, views
from sfumato.app.fakes.makers import Take, TakeMaker
from sfumato.app.fakes.pairs import RATE, write_fake, write_twin
from sfumato.app.fakes.plan import Job
from sfumato.app.sets.layout import VIDEOS, Details, SetRow, decoded_digest
from sfumato.app.sets.making.hard_cases import TURNED, in_company, relit, turn
from sfumato.app.sets.making.plan import Choice, Slot, seed_of
from sfumato.app.sets.making.recipe import FakeRule, Recipe
from sfumato.app.sets.making.sources import Source
from sfumato.errors import MediaError, NoFaceError
from sfumato.media.clips import TWIN, ClipRow, file_digest
from sfumato.media.video import GeneratedFacts, Seal

if TYPE_CHECKING:
    from provenance.signers import Signer

_CODEC = "h264"  # of the writer
_COMPANY = 2  # at most so many people beside the pair's


@dataclass(frozen=True)
class Order:
    """What a worker is told once. folder: of the set."""

    recipe: Recipe
    sources: tuple[Source, ...]
    folder: Path
    work: Path  # what is kept between calls: motions that were tracked


@dataclass(frozen=True)
class Made:
    """rows: twin and fake of each rung, none where nobody showed a usable face; refused: (who, why); seconds: of
    render, encode and seal.
    """

    rows: list[SetRow] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"rows": [[asdict(row.clip), asdict(row.details)] for row in self.rows], "refused": self.refused}


@dataclass
class TimedSeal:
    """A seal that tells how long it took."""

    seal: Seal
    seconds: float = 0.0

    def __call__(self, unsealed: Path, destination: Path, facts: GeneratedFacts) -> None:
        started = time.perf_counter()
        try:
            self.seal(unsealed, destination, facts)
        finally:
            self.seconds += time.perf_counter() - started


def rows_of(record: Mapping[str, Any]) -> list[SetRow]:
    """What `Made.record` says. Raises KeyError, TypeError, ValueError for anything else."""
    return [
        SetRow(ClipRow(**(clip | {"source_ids": tuple(clip["source_ids"])})), Details(**details))
        for clip, details in record["rows"]
    ]


def begin_pairs(order: Order) -> Callable[[Slot], Made]:
    """For a worker."""
    return PairMaker(order)


class SetTakeMaker(TakeMaker):
    """A `TakeMaker` whose rows lie in many folders, and that tracks each driver once for all workers."""

    def __init__(self, order: Order, **models: Any) -> None:
        super().__init__(order.folder / "clips.jsonl", order.recipe.config(), **models)
        self._files = {source.row.path: source for source in order.sources}
        self._checked: set[str] = set()
        self._work = order.work

    def _file(self, row: ClipRow) -> Path:
        """Raises MediaError for a file that is not the one which was listed."""
        file = self._files[row.path].file
        if row.path not in self._checked:
            if file_digest(file) != row.sha256:
                raise MediaError(f"{row.path} has changed since it was listed", "List the folder anew.")
            self._checked.add(row.path)
        return file

    def track(self, driver: ClipRow | str) -> Any:
        """Of a video: from `work`, where a worker or an earlier call has tracked it."""
        from sfumato.app.sets.making.tracks import kept_track

        if isinstance(driver, str):
            return super().track(driver)
        seconds, backend = self.config.seconds, self.landmarks.name
        return kept_track(self._work, driver.sha256, backend, seconds, partial(super().track, driver))

    def first_face(self, row: ClipRow) -> Points:
        """Landmarks (68, 2) px of the first picture that shows the face. Raises MediaError."""
        return self._face(row)[1]


class PairMaker:
    """Makes pairs. Raises what nets and keys that cannot be loaded raise, SealError and OutputError."""

    def __init__(self, order: Order) -> None:
        from provenance.signing.seal import development_signer

        self._order, self._recipe = order, order.recipe
        self._by_path = {source.row.path: source for source in order.sources}
        self._rooms: dict[tuple[str | None, str], list[Source]] = {}  # who may be seen together
        for source in order.sources:
            self._rooms.setdefault((source.row.split, source.rights), []).append(source)
        self._signer: Signer = development_signer()
        self._makers: dict[tuple[str, str], SetTakeMaker] = {}

    def __call__(self, slot: Slot) -> Made:
        rule, made = self._recipe.fakes[slot.rule], Made()
        started = time.perf_counter()
        for choice in slot.choices:
            whom = self._by_path[choice.whom]
            try:
                take, crf = self._take(rule, choice, whom)
            except MediaError as error:
                made.refused.append((whom.row.path, error.message))
                continue
            made.seconds["render"] = time.perf_counter() - started
            for offset, rung in enumerate(slot.rungs):
                made.rows.extend(self._write(slot.number + offset, rule, whom, choice, take, rung or crf, rung, made))
            return made
        made.seconds["render"] = time.perf_counter() - started
        return made

    def _take(self, rule: FakeRule, choice: Choice, whom: Source) -> tuple[Take, int]:
        recipe, maker = self._recipe, self._maker(rule, choice.made_with)
        seed = seed_of(recipe.seed, rule.kind, rule.case, choice.key)
        rng = np.random.default_rng(seed)
        size = int(rng.choice(recipe.sizes))
        crf = int(rng.integers(recipe.best_crf, recipe.worst_crf + 1))
        if rule.case == "pose" and turn(maker.first_face(whom.row)) < TURNED:
            raise NoFaceError(f"{whom.row.path} shows no head that is turned")
        driver = self._by_path[choice.driver].row if choice.driver in self._by_path else choice.driver or None
        others = (
            tuple(other.row for other in self._company(whom, rng, recipe.candidates)) if rule.kind == "swap" else ()
        )
        take = maker.take(Job(seed % 2**31, rule.kind, whom.row, driver, others), size, rng)
        if isinstance(driver, str):
            take = replace(take, driver_id=f"motion:{Path(driver).stem}")
        if rule.case == "light":
            take = relit(take, rng)
        elif rule.case == "several-faces":
            take = self._in_company(maker, take, whom, size, rng)
        return take, crf

    def _maker(self, rule: FakeRule, made_with: str) -> SetTakeMaker:
        from detector.data.fakes.autoencoder import load_autoencoder
        from generator.networks.checkpoint import checkpoint_path, load_checkpoint

        key = ("autoencoder" if rule.kind == "autoencoder" else "generator", made_with)
        if key not in self._makers:
            models: dict[str, Any] = {}
            if rule.kind == "autoencoder":
                models["autoencoders"] = [load_autoencoder(Path(made_with))]
            elif made_with:
                models["checkpoints"] = [load_checkpoint(checkpoint_path(made_with))]
            self._makers[key] = SetTakeMaker(self._order, **models)
        return self._makers[key]

    def _company(self, whom: Source, rng: np.random.Generator, count: int) -> list[Source]:
        """Other people of the same split, and under the same record of rights: their faces are in the file too."""
        able, people = self._rooms[whom.row.split, whom.rights], dict[str, Source]()
        for index in rng.permutation(len(able))[: 20 * count]:
            other = able[int(index)]
            if other.row.identity != whom.row.identity:
                people.setdefault(other.row.identity, other)
        return list(people.values())[:count]

    def _in_company(self, maker: SetTakeMaker, take: Take, whom: Source, size: int, rng: np.random.Generator) -> Take:
        wanted, shown, names = 1 + int(rng.integers(_COMPANY)), list[Sequence[Any]](), list[str]()
        for other in self._company(whom, rng, 4 * wanted):
            if len(shown) == wanted:
                break
            try:
                footage = maker.footage(other.row, size, rng, len(take.fake))
            except MediaError:  # no usable face: there are other people
                continue
            shown.append(shoot(footage.pictures, views(footage, len(take.fake), size, rng), size))
            names += [other.row.identity, source_id(other.row)]
        if not shown:
            raise NoFaceError(f"Nobody shows a face beside {whom.row.path}, of the same split and record of rights")
        joined = in_company(take, shown, int(rng.integers(len(shown) + 1)))
        return replace(
            joined, source_ids=(*take.source_ids, *names), parameters={**take.parameters, "faces": len(shown) + 1}
        )

    def _write(
        self, number: int, rule: FakeRule, whom: Source, choice: Choice, take: Take, crf: float, rung: int | None,
        made: Made,
    ) -> list[SetRow]:  # fmt: skip
        recipe, row, folder, pair = self._recipe, whom.row, self._order.folder, f"{number:05d}"
        twin, fake = f"{VIDEOS}/{pair}-{TWIN}.mp4", f"{VIDEOS}/{pair}-fake.mp4"
        name, digest = take.made_by
        facts = GeneratedFacts(
            title=f"{recipe.name}, pair {pair}", model_name=name or take.method, model_digest=digest or row.sha256,
            seed=choice.seed, portraits=(), motion_digest=take.motion_digest or row.sha256,
            parameters={"source": row.sha256, "case": rule.case, **take.parameters},
        )  # fmt: skip
        source, clocks, started = whom.file, list[TimedSeal](), time.perf_counter()

        def through(seal: Seal) -> Seal:
            clocks.append(TimedSeal(seal))
            return clocks[-1]

        write_fake(folder / fake, take, source, crf, self._signer, facts, through)
        size = (folder / fake).stat().st_size if recipe.equal_bytes else 0
        twin_crf = write_twin(folder / twin, take, source, crf, self._signer, facts, size, through)
        sealing = sum(clock.seconds for clock in clocks)
        for part, spent in (("encode", time.perf_counter() - started - sealing), ("seal", sealing)):
            made.seconds[part] = made.seconds.get(part, 0.0) + spent
        company = take.source_ids if rule.case == "several-faces" else ()
        common: dict[str, Any] = {
            "identity": row.identity, "split": row.split, "seed": choice.seed, "dataset": recipe.name,
            "compression": None if rung is None else f"crf{rung}",
        }  # fmt: skip
        own = (*row.source_ids, source_id(row))
        clips = (
            ClipRow(
                path=twin, label="real", method=TWIN, family="real", sha256=file_digest(folder / twin),
                source_ids=tuple(dict.fromkeys((*own, *company))), **common,
            ),
            ClipRow(
                path=fake, label="fake", method=take.method, family=take.family, sha256=file_digest(folder / fake),
                source_ids=tuple(dict.fromkeys((*own, *take.source_ids))), driver_id=take.driver_id, pair_of=twin,
                generator_digest=digest or None, **common,
            ),
        )  # fmt: skip
        height, width = take.fake[0].shape[:2]
        moved = take.motion_digest or None
        details = [
            Details(
                path=clip.path, pair=pair, portrait=row.sha256, case=rule.case, rights=whom.rights, width=width,
                height=height, frames=len(take.fake), rate=RATE, codec=_CODEC, crf=quality,
                bytes=(folder / clip.path).stat().st_size, decoded=decoded_digest(folder / clip.path),
                generator=(name or None) if clip.label == "fake" else None,
                motion=take.driver_id if clip.label == "fake" and moved else None,
                motion_sha256=moved if clip.label == "fake" else None,
            )
            for clip, quality in zip(clips, (twin_crf, crf), strict=True)
        ]  # fmt: skip
        return [SetRow(clip, detail) for clip, detail in zip(clips, details, strict=True)]


def source_id(row: ClipRow) -> str:
    """The name under which a source file stands in the rows: what ties all that was made of it to one split."""
    return f"source:{row.sha256[:32]}"
