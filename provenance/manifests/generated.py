"""The manifest of a generated video: what it is, by which model, from whose portrait and which motion.

In: `GeneratedFacts`, the portraits as ingredients, perhaps a watermark. Out: a manifest definition for the builder.
Follows the C2PA specification 2.4: `c2pa.actions.v2` with `c2pa.created` first and its digitalSourceType, all actions
included, portraits as `inputTo` ingredients, and one assertion of our own, `org.sfumato.generation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provenance.manifests.definition import manifest_definition
from provenance.manifests.generation_assertion import GENERATION_LABEL, generation_assertion
from provenance.manifests.source_types import GENERATED
from sfumato.version import __version__

if TYPE_CHECKING:
    from provenance.manifests.durable_assertion import DurableStatement
    from provenance.manifests.ingredients import IngredientFile
    from provenance.manifests.soft_binding import SoftBinding
    from sfumato.media.video import GeneratedFacts


def generated_manifest(
    facts: GeneratedFacts,
    portraits: Sequence[IngredientFile],
    media_type: str = "video/mp4",
    when: datetime | None = None,
    soft_binding: SoftBinding | None = None,
    durable: DurableStatement | None = None,
) -> dict[str, Any]:
    """The manifest definition of a generated video. `when`: time of creation (now), stated by the signer.
    `soft_binding`: its watermark. `durable`: what joins copies to it.

    Raises SealError for facts that JSON or CBOR cannot hold (a number that is not finite) or an empty digest.
    """
    created: dict[str, Any] = {
        "action": "c2pa.created",
        "digitalSourceType": GENERATED,
        "when": (when or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "softwareAgent": {"name": "sfumato", "version": __version__},
        "parameters": {"ingredientIds": [portrait.reference for portrait in portraits]},
    }
    if not portraits:
        del created["parameters"]
    actions = [created]
    assertions: list[dict[str, Any]] = [
        {"label": "c2pa.actions.v2", "data": {"actions": actions, "allActionsIncluded": True}},
        {"label": GENERATION_LABEL, "data": generation_assertion(facts, portraits)},
    ]
    if soft_binding is not None:
        actions.append(soft_binding.action(created["when"], created["softwareAgent"]))
        assertions.append(soft_binding.assertion())
    if durable is not None:
        assertions.append(durable.assertion())
    return manifest_definition(facts.title, media_type, assertions, portraits)
