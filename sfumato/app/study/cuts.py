"""Further real clips of a person, cut from recordings of the list or of another: for people of whom it has too few.

In: a person's recordings, and the fake beside which a cut is to stand. Out: films of its size, rate and length, made
as a fake's twin is: the face's square, the same writer, about as many bytes, and a credential that says that a
recording was cropped, resized and transcoded. A photograph gives none: it would only drift where the others speak.
"""

from __future__ import annotations

import dataclasses
import math
import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sfumato.app.study.films import Film, open_film
from sfumato.errors import MediaError
from sfumato.media.clips import TWIN, ClipRow, clip_file, file_digest, read_clips

if TYPE_CHECKING:
    from provenance.signers import Signer
    from sfumato.media.faces import FaceDetector
    from sfumato.media.landmarks import LandmarkBackend

METHOD = "cut"
_PLACES = (0.0, 1.0, 0.5)  # of a recording: far apart, so that they show different moments
_CRF = 20.0  # tried first; the size in bytes decides


class Cutter:
    """clips: the list; folder: where cuts are written; stride: frames of a recording between two of a cut; footage:
    another list, of recordings of the same people.
    """

    def __init__(self, clips: Path, folder: Path, stride: int = 1, footage: Path | None = None) -> None:
        """Raises MediaError for footage that cannot be read."""
        self.clips, self.folder, self.stride, self.footage = clips, folder, stride, footage
        self._beside: defaultdict[str, list[ClipRow]] = defaultdict(list)  # the footage's, by person
        for row in read_clips(footage) if footage is not None else ():
            if row.label == "real" and row.method != TWIN:
                self._beside[row.identity].append(row)
        self._made: dict[tuple[Path, str, float, int, int, int], Film | None] = {}  # None: it cannot be cut

    def __call__(self, recordings: Sequence[ClipRow], fake: Film) -> Iterator[Film]:
        """Films beside `fake`, as far as the recordings show a face for long enough."""
        from sfumato.app.fakes.pairs import RATE

        if fake.width != fake.height or fake.width % 2 or abs(fake.rate / RATE - 1) > 0.01:
            return  # a twin is a square at that rate
        sources = [(self.clips, row) for row in recordings]
        if self.footage is not None:
            sources += [(self.footage, row) for row in self._beside.get(fake.row.identity, [])]
        for place in _PLACES:
            for clips, row in sources:
                if (film := self._kept(clips, row, fake, place)) is not None:
                    yield film

    def _kept(self, clips: Path, row: ClipRow, fake: Film, place: float) -> Film | None:
        """The cut, made once for all fakes of one size, length and rough number of bytes."""
        what = (clips, row.path, place, fake.width, _frames(fake), round(math.log2(fake.size)))
        if what not in self._made:
            try:
                self._made[what] = self.cut(row, clip_file(clips, row), fake, place)
            except MediaError:
                self._made[what] = None
        return self._made[what]

    def cut(self, row: ClipRow, source: Path, fake: Film, place: float) -> Film:
        """source: the row's file; place: 0 to 1, from the first moments to the last. Raises MediaError, OutputError,
        SealError.
        """
        from sfumato.app.fakes.footage import read_footage, shoot, views
        from sfumato.app.fakes.makers import Take
        from sfumato.app.fakes.pairs import write_twin
        from sfumato.execution.find_files import is_picture
        from sfumato.media.video import GeneratedFacts

        if is_picture(source):
            raise MediaError(f"{row.path} is a picture")
        size, count = fake.width, _frames(fake)
        detector, landmarks = self._readers
        footage = read_footage(source, size, count, self.stride, detector, landmarks, place)
        frames = shoot(footage.pictures, views(footage, len(footage.pictures), size, np.random.default_rng(0)), size)
        facts = GeneratedFacts(f"cut of {row.identity}", METHOD, row.sha256, 0, (), row.sha256)
        take = Take(frames, [], METHOD, "blend")
        path = self.folder / f"{secrets.token_hex(8)}.mp4"
        write_twin(path, take, source, _CRF, self._signer, facts, fake.size)
        name = f"{row.path} from {place:.0%}"
        made = dataclasses.replace(row, path=name, method=METHOD, sha256=file_digest(path), pair_of=row.path)
        return open_film(made, path)

    @cached_property
    def _readers(self) -> tuple[FaceDetector, LandmarkBackend]:
        from sfumato.media.faces import FaceDetector
        from sfumato.media.landmarks import load_backend

        return FaceDetector(), load_backend("mesh")

    @cached_property
    def _signer(self) -> Signer:
        from provenance.signing.seal import development_signer

        return development_signer()


def _frames(fake: Film) -> int:
    return round(fake.seconds * fake.rate)
