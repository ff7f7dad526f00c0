"""What was made: the facts of one finished video. In: what the studio knows of it, and what its seal was read back to
say. Out: a record of plain values, or a few lines for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato.text import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from provenance.verifying.verification import Verification
    from sfumato.media.video import GeneratedFacts


@dataclass(frozen=True)
class LivingPortrait:
    """What was made. `others`: for each portrait, how many faces in it were not taken; `source`: the first one as the
    video frames it; `remarks`: what somebody should be told of the video that was followed, for `printable`.
    """

    path: Path
    frames: int
    seconds: float
    rate: float
    others: tuple[int, ...]
    facts: GeneratedFacts
    source: NDArray[np.uint8]  # (side, side, 3) RGB
    width: int
    height: int
    remarks: tuple[str, ...] = ()


def record(made: LivingPortrait, found: Verification) -> dict[str, Any]:
    """What was made, and what its seal says, as plain values."""
    facts = made.facts
    return {
        "path": str(made.path),
        "frames": made.frames,
        "seconds": round(made.seconds, 4),
        "rate": round(made.rate, 4),
        "width": made.width,
        "height": made.height,
        "other_faces": list(made.others),
        "remarks": list(made.remarks),
        "outcome": found.outcome,
        "signer": found.signer,
        "development": found.development,
        "declares": list(found.declares),
        "title": facts.title,
        "model_name": facts.model_name,
        "model_digest": facts.model_digest,
        "motion_digest": facts.motion_digest,
        "portraits": [str(path) for path in facts.portraits],
        "seed": facts.seed,
        "parameters": dict(facts.parameters),
    }


def describe(made: LivingPortrait, found: Verification) -> str:
    """Where the file is and what was sealed, for a person."""
    facts = made.facts
    key = ", a development key of this machine" if found.development else ""
    return "\n".join(
        [
            f"{printable(made.path)}: {made.frames} frames, {made.seconds:.1f} s, {made.width} x {made.height}",
            f"  sealed: {', '.join(found.declares)}; signed by {printable(found.signer, 80)}{key}",
            f"  model {printable(facts.model_name)} {facts.model_digest[:16]}, motion "
            f"{facts.motion_digest[:16]}, seed {facts.seed}",
            f"  right to use the portrait: {printable(facts.parameters['consent'])}",
        ]
    )
