"""Our own assertion, `org.sfumato.generation`: which model made a file, from which pictures and which motion.

In: `GeneratedFacts` and the portraits. Out: the assertion's data, after provenance/schemas/generation-1.schema.json.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sfumato.errors import SealError

if TYPE_CHECKING:
    from provenance.manifests.ingredients import IngredientFile
    from sfumato.media.video import GeneratedFacts

GENERATION_LABEL = "org.sfumato.generation"  # a custom label needs a dot
GENERATION_SCHEMA = 1
_LARGEST = 2**63  # the library stores integers as 64 bits with a sign


def generation_assertion(facts: GeneratedFacts, portraits: Sequence[IngredientFile]) -> dict[str, Any]:
    """Our assertion. Digests are SHA-256 in hex; `portrait_digests` has the order of the ingredients; pictures that are
    not at hand follow. Raises SealError."""
    for name, digest in (("model", facts.model_digest), ("motion", facts.motion_digest)):
        if not digest:
            raise SealError(f"The seal has no {name} digest", "Give the SHA-256 of the file that was used.")
    return {
        "schema_version": GENERATION_SCHEMA,
        "model_name": facts.model_name,
        "model_digest": facts.model_digest,
        "seed": plain("seed", facts.seed),
        "portrait_digests": [*(portrait.digest for portrait in portraits), *facts.portrait_digests],
        "motion_digest": facts.motion_digest,
        "parameters": {str(name): plain(str(name), value) for name, value in facts.parameters.items()},
    }


def generation_in(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The data of this assertion in a manifest definition, empty if it has none."""
    return next((found["data"] for found in manifest["assertions"] if found["label"] == GENERATION_LABEL), {})


def plain(name: str, value: str | int | float | bool) -> str | int | float | bool:
    """A value as the manifest can hold it: an integer beyond 64 bits becomes its decimal digits."""
    if isinstance(value, float) and not math.isfinite(value):
        raise SealError(f"The parameter {name!r} is {value}", "Only finite numbers can be sealed.")
    if not isinstance(value, str | int | float):
        raise SealError(
            f"The parameter {name!r} is of type {type(value).__name__}", "Give text, a number, or true or false."
        )
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return str(value)
    return value
