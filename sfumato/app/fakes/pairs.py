"""A take becomes two files: the fake, sealed as what it is, and its real twin, through the same writer and of the same
size in bytes.

A tree on metadata alone must not tell the two apart. Rate, size and number of frames are equal by construction; a
forged face takes more or fewer bits than a real one, so the twin's quantiser is sought until the files are equally
large. The twin carries a credential as well, an honest one: frames of a camera's file, cropped and transcoded, with no
AI in its source type.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.app.fakes.makers import Take
from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter, Seal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detector.data.fakes.forgery import Image
    from provenance.manifests.declaration import Declaration
    from provenance.signers import Signer

RATE = 25.0  # frames a second
_CLOSE = 0.015  # of the size: near enough
_TRIES = 6
_HALVING = 6.0  # of crf halves the bytes, about: the first guess


Through = Callable[[Seal], Seal]


@dataclass
class DeclaredSeal:
    """Signs what a declaration says instead of the writer's facts: for files that no model made as a whole, or none at
    all.
    """

    declaration: Declaration
    signer: Signer

    def __call__(self, unsealed: Path, destination: Path, facts: GeneratedFacts) -> None:
        """Raises SealError."""
        from provenance.signing.sign import sign_file

        sign_file(unsealed, destination, self.declaration, self.signer)


def write_fake(
    path: Path, take: Take, source: Path, crf: float, signer: Signer, facts: GeneratedFacts,
    through: Through = lambda seal: seal,
) -> None:  # fmt: skip
    """`source`: the person's file. What was pasted into a real frame is declared a composite of it. through: what the
    seal is put into, such as a clock. Raises SealError, OutputError.
    """
    from provenance.manifests.declaration import Declaration
    from provenance.signing.seal import C2paSeal

    seal: Seal = C2paSeal(signer=signer, mark=False)  # a detector would learn the watermark instead of the forgery
    if take.family in ("blend", "composite"):
        kind = "compositeSynthetic" if take.family == "blend" else "compositeWithTrainedAlgorithmicMedia"
        declaration = Declaration(
            "composite", facts.title, kind, ingredients=(source, *take.parts), model_name=facts.model_name,
            model_digest=take.made_by[1],
            seed=facts.seed, parameters=facts.parameters,
        )  # fmt: skip
        seal = DeclaredSeal(declaration, signer)
    _write(path, take.fake, crf, through(seal), facts)


def write_twin(
    path: Path, take: Take, source: Path, crf: float, signer: Signer, facts: GeneratedFacts, size: int,
    through: Through = lambda seal: seal,
) -> float:  # fmt: skip
    """Writes the real frames until the file has `size` bytes, or with `crf` as it is where size is 0. Returns the crf.

    The signer's certificates, as long in both files, count in neither: another key gives the same twin. Raises
    SealError, OutputError.
    """
    from provenance.manifests.declaration import Declaration

    actions = ("c2pa.cropped", "c2pa.resized", "c2pa.transcoded")
    seal = through(DeclaredSeal(Declaration("edited", facts.title, parent=source, actions=actions), signer))
    chain = len(signer.chain_pem)
    tried: dict[float, float] = {}  # crf -> logarithm of the bytes over those wanted
    for _ in range(_TRIES):
        _write(path, take.real, crf, seal, facts)
        tried[crf] = math.log((path.stat().st_size - chain) / (size - chain)) if size else 0.0
        following = _next(tried)
        if abs(tried[crf]) <= _CLOSE or following in tried:
            break
        crf = following
    best = min(tried, key=lambda value: abs(tried[value]))
    if best != crf:
        _write(path, take.real, best, seal, facts)
    return best


def _next(tried: dict[float, float]) -> float:
    """The crf to try next: by the usual slope, then between or beyond the two nearest tries, in quarters."""
    (crf, excess), *others = sorted(tried.items(), key=lambda item: abs(item[1]))
    slope = -math.log(2) / _HALVING
    if others and others[0][1] != excess:
        slope = min((others[0][1] - excess) / (others[0][0] - crf), -0.02)
    return min(max(round(4 * (crf - excess / slope)) / 4, 0.0), 51.0)


def _write(path: Path, frames: Sequence[Image], crf: float, seal: Seal, facts: GeneratedFacts) -> None:
    height, width = frames[0].shape[:2]
    with GeneratedVideoWriter(path, width=width, height=height, rate=RATE, seal=seal, facts=facts, crf=crf) as video:
        for image in frames:
            video.write(image)
