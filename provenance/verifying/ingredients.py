"""What a file was made from, judged by the same rules as the file: chain, time-stamp, revocation, coverage.

In: the ingredients as the library reports them, the bytes of their manifests, what a signer is compared with. Out: the
ingredients with their states, codes and reasons, and the file's decision with the invalid ones named in it. An
ingredient is never better than the library finds it. Its media are not at hand: of its coverage only that is known
which its hard binding says itself, and of changes to them only what was recorded when it was taken in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from provenance.formats.stated_coverage import stated_uncovered
from provenance.formats.uncovered import Uncovered
from provenance.formats.untrusted import MOST, cut
from provenance.library.store import manifest_store
from provenance.manifests.claims import CIRCULAR, NOT_VOUCHED, Ingredient, ManifestView
from provenance.pki.certificates import not_valid
from provenance.pki.cose import EmbeddedSignature, read_signature
from provenance.verifying.trust import (
    EXPIRED,
    HAS_EXPIRED,
    STAMP_UNTRUSTED,
    STATES,
    UNTRUSTED,
    TrustDecision,
    moment_of,
)

INVALID_INGREDIENT = "org.sfumato.ingredient.invalid"
MOST_NAMED = 5  # invalid ingredients in one sentence
LIBRARY_STATES = {ours: library for library, ours in STATES.items()}

# by the library's state, the view of a manifest, its bytes, and what it leaves out
Decide = Callable[[str, ManifestView, bytes, Sequence[Uncovered]], TrustDecision]


def judged_ingredients(
    reader: Any, ingredients: Sequence[Ingredient], decide: Decide, now: datetime
) -> tuple[Ingredient, ...]:
    """Each ingredient judged; one without a manifest, or with one that is not there, as the library has it."""
    labels = {each.label for each in ingredients if each.label is not None and each.view is not None}
    stores = {label: manifest_store(reader, label) for label in sorted(labels)}
    size = sum(map(len, stores.values()))
    found = []
    decided: dict[Any, TrustDecision] = {}  # a manifest may be named often, and a responder is asked once
    for ingredient in ingredients[: MOST + 1]:
        view, label = ingredient.view, ingredient.label
        if view is None or label is None:
            absent = ingredient.state == "trusted"  # the word of whoever took it in, on a manifest that is not there
            found.append(replace(ingredient, state="untrusted", codes=(UNTRUSTED,)) if absent else ingredient)
            continue
        evidence = (label, ingredient.state, view.failures, view.successes)
        if evidence not in decided:
            decision = decide(LIBRARY_STATES[ingredient.state], view, stores[label], _left_out(view, size))
            decided[evidence] = _expiring(decision, view, read_signature(stores[label], view.label), now)
        decision = decided[evidence]
        found.append(
            replace(ingredient, state=decision.outcome, codes=decision.codes, reason=decision.reason, view=None)
        )
    return tuple(found)


def with_ingredients(decision: TrustDecision, ingredients: Sequence[Ingredient]) -> TrustDecision:
    """The file's decision, with the invalid ingredients named. They leave the file's outcome as it is, but for one that
    is said to be made from itself; where the library finds the file invalid because of them, they are the reason.
    """
    bad = [each for each in ingredients if each.state == "invalid"]
    if not bad:
        return decision
    sentences = dict.fromkeys(
        f"the ingredient '{each.title or 'untitled'}' is invalid ({', '.join(each.codes) or each.reason})"
        for each in bad
    )
    said = "; ".join(list(sentences)[:MOST_NAMED])
    codes = dict.fromkeys((*decision.codes, INVALID_INGREDIENT))
    outcome = "invalid" if any(CIRCULAR in each.codes for each in bad) else decision.outcome
    own = decision.outcome == "invalid" and any(not code.startswith(NOT_VOUCHED) for code in decision.codes)
    if outcome != "invalid" or own:
        return replace(decision, codes=tuple(codes), reason=cut(f"{decision.reason}; {said}"))
    # A hash that does not match would say, among the codes of the file, that its own media changed.
    codes |= dict.fromkeys(code for each in bad for code in each.codes if not code.endswith("Hash.mismatch"))
    return replace(decision, outcome=outcome, codes=tuple(codes), reason=cut(said))


def _expiring(
    decision: TrustDecision, view: ManifestView, signature: EmbeddedSignature, now: datetime
) -> TrustDecision:
    """A signer's certificate that was valid when the ingredient was taken in and has ended since makes the ingredient
    invalid, as it does a file; the library goes on by what was recorded.
    """
    when = moment_of(view.time) if decision.time_source == "time-stamp" else now
    judged = decision.outcome == "invalid" or STAMP_UNTRUSTED in decision.codes
    if judged or not not_valid(signature.chain[:1], when or now):
        return decision
    known = decision.anchored or decision.listed  # the library calls an expired signer untrusted, too
    codes = tuple(code for code in decision.codes if not (known and code == UNTRUSTED) and code != EXPIRED)
    return replace(decision, outcome="invalid", codes=(*codes, EXPIRED), reason=HAS_EXPIRED)


def _left_out(view: ManifestView, size: int) -> tuple[Uncovered, ...]:
    if not view.bindings:
        return (Uncovered("the whole ingredient", 0, "no hard binding that could be read", essential=True),)
    return tuple(part for name, assertion in view.bindings.items() for part in stated_uncovered(name, assertion, size))
