"""A verification policy: what must hold beside a valid signature for a file to count as trusted.

In: a TOML file, and the evidence about one file (`Verification`). Out: which clause held or failed, and why. A table
holds if every key in it holds; `any` and `all` take lists of tables. A policy never makes a file better than it is, and
an empty one is refused.

    issuer = "Example Media CA"  # a name in the chain above the signer, or a SHA-256 fingerprint; a list: any of these
    stamped-by = true            # a time-stamp by an authority given here; or a name or fingerprint in its chain
    not-revoked = true           # a good OCSP answer, in the file or asked for; silence does not count
    any = [{ signer = "Newsroom" }, { signer = "Archive" }]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provenance.verifying.verification import ClauseResult, Verification
from sfumato.config import parse_toml
from sfumato.errors import UsageError
from sfumato.limits import SETTINGS
from sfumato.regular_file import read_regular_text

if TYPE_CHECKING:
    from provenance.pki.certificates import CertificateView

DEEPEST = 8
ADVICE = "See docs/credentials.md for the clauses of a policy."


Clause = Callable[[Verification], ClauseResult]


@dataclass(frozen=True)
class Policy:
    """Clauses that must all hold."""

    clauses: tuple[Clause, ...]

    def evaluate(self, found: Verification) -> ClauseResult:
        """Evidence about every clause; nothing is left out because something before it failed."""
        return _together("policy", [clause(found) for clause in self.clauses], all)


def load_policy(path: Path) -> Policy:
    """Reads a policy from TOML. Raises UsageError if it is empty, unreadable, or has a clause that is not known or says
    nothing.
    """
    return parse_policy(policy_text(path), str(path))


def policy_text(path: Path) -> str:
    """The file as it is. Raises UsageError if it cannot be read."""
    try:
        return read_regular_text(path, SETTINGS)
    except (OSError, ValueError) as error:
        raise UsageError(f"Cannot read the policy {path}: {error}", "It must be a TOML file.") from error


def parse_policy(text: str, source: str = "policy") -> Policy:
    """A policy from TOML; messages name `source`. Raises UsageError as `load_policy` does."""
    try:
        values = parse_toml(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"Cannot read the policy {source}: {error}", "It must be a TOML file.") from error
    return make_policy(values, source)


def make_policy(values: dict[str, Any], source: str = "policy") -> Policy:
    """A policy from plain values; messages name `source`. Raises UsageError as `load_policy` does."""
    return Policy(_table(values, source, 0))


def _table(values: Any, where: str, depth: int) -> tuple[Clause, ...]:
    if not isinstance(values, dict):
        raise UsageError(f"{where} is {values!r}, not a table of clauses", ADVICE)
    if not values:
        raise UsageError(f"{where} is empty", f"A policy without clauses says nothing. {ADVICE}")
    if depth > DEEPEST:
        raise UsageError(f"{where} is nested too deep", ADVICE)
    clauses = []
    for name, value in values.items():
        if name in ("all", "any"):
            clauses.append(_list(name, value, where, depth))
        elif name in CLAUSES:
            clauses.append(CLAUSES[name](value, f"{name!r} in {where}"))
        else:
            raise UsageError(
                f"Unknown clause {name!r} in {where}", f"Known: {', '.join(sorted([*CLAUSES, 'all', 'any']))}."
            )
    return tuple(clauses)


def _list(name: str, value: Any, where: str, depth: int) -> Clause:
    if not isinstance(value, list) or not value:
        raise UsageError(f"{name!r} in {where} is empty or no list of tables", ADVICE)
    tables = [_table(entry, f"{name}[{number}] in {where}", depth + 1) for number, entry in enumerate(value)]
    decide = all if name == "all" else any

    def evaluate(found: Verification) -> ClauseResult:
        parts = [
            _together("all", [clause(found) for clause in table], all) if len(table) > 1 else table[0](found)
            for table in tables
        ]
        return _together(name, parts, decide)

    return evaluate


def _together(name: str, parts: Sequence[ClauseResult], decide: Callable[[list[bool]], bool]) -> ClauseResult:
    held = decide([part.held for part in parts])
    if held:
        why = f"{sum(part.held for part in parts)} of {len(parts)} hold"
    else:
        why = "; ".join(part.why if part.parts else f"{part.clause}: {part.why}" for part in parts if not part.held)
    return ClauseResult(name, held, why, tuple(parts))


def _wanted_names(value: Any, where: str) -> tuple[str, ...]:
    wanted = [value] if isinstance(value, str) else value
    if not isinstance(wanted, list) or not wanted or not all(isinstance(each, str) and each.strip() for each in wanted):
        raise UsageError(f"{where} must be a name, a fingerprint, or a list of them", ADVICE)
    return tuple(each.strip() for each in wanted)


def _matches(certificate: CertificateView, wanted: str) -> bool:
    plain = wanted.lower().removeprefix("sha256:").replace(":", "")
    if len(plain) == 64 and all(character in "0123456789abcdef" for character in plain):
        return certificate.fingerprint == plain
    return wanted in (certificate.common_name, certificate.organisation, certificate.subject)


def _named(
    clause: str, of: Callable[[Verification], Sequence[CertificateView]], absent: str
) -> Callable[[Any, str], Clause]:
    """A clause about names: one of the certificates that `of` gives must be one of those wanted."""

    def make(value: Any, where: str) -> Clause:
        wanted = _wanted_names(value, where)

        def evaluate(found: Verification) -> ClauseResult:
            certificates = of(found)
            if not certificates:
                return ClauseResult(clause, False, absent)
            for certificate in certificates:
                if any(_matches(certificate, each) for each in wanted):
                    return ClauseResult(
                        clause,
                        True,
                        f"{certificate.common_name or certificate.subject}, sha256 {certificate.fingerprint}",
                    )
            there = ", ".join(certificate.common_name or certificate.subject for certificate in certificates)
            return ClauseResult(clause, False, f"wanted {' or '.join(wanted)}, found {there}")

        return evaluate

    return make


def _chain(found: Verification) -> Sequence[CertificateView]:
    """The signer of an allowed list is known, and nobody above it."""
    return found.chain if found.anchored else found.chain[: int(found.listed)]


def _stamp_chain(found: Verification) -> Sequence[CertificateView]:
    return found.stamp_chain if found.time_source == "time-stamp" else ()


_no_root = "the signer's chain leads to no root given here"
_no_stamp = "no time-stamp by an authority given here"
_stamper = _named("stamped-by", _stamp_chain, _no_stamp)


def _stamped_by(value: Any, where: str) -> Clause:
    if value is not True:
        return _stamper(value, where)

    def evaluate(found: Verification) -> ClauseResult:
        chain = _stamp_chain(found)
        return ClauseResult(
            "stamped-by", bool(chain), f"{chain[0].common_name} at {found.time}" if chain else _no_stamp
        )

    return evaluate


def _true(clause: str, look: Callable[[Verification], tuple[bool, str]]) -> Callable[[Any, str], Clause]:
    """A clause that is either there or not: `name = true`."""

    def make(value: Any, where: str) -> Clause:
        if value is not True:
            raise UsageError(f"{where} can only be true", "Leave the clause out if it is not wanted.")
        return lambda found: ClauseResult(clause, *look(found))

    return make


def _not_revoked(found: Verification) -> tuple[bool, str]:
    revocation = found.revocation
    return revocation.good, f"{revocation.state}: {revocation.reason}"


def _not_development(found: Verification) -> tuple[bool, str]:
    return not found.development, "a development signer" if found.development else "not a development signer"


def _stamped(clause: str, holds: Callable[[datetime, datetime], bool]) -> Callable[[Any, str], Clause]:
    def make(value: Any, where: str) -> Clause:
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time(), UTC)
        if not isinstance(value, datetime):
            raise UsageError(f"{where} must be a date or a time, as 2026-01-31", ADVICE)
        limit = value if value.tzinfo else value.replace(tzinfo=UTC)

        def evaluate(found: Verification) -> ClauseResult:
            if not _stamp_chain(found) or found.time is None:
                return ClauseResult(clause, False, _no_stamp)
            return ClauseResult(
                clause,
                holds(datetime.fromisoformat(found.time), limit),
                f"stamped {found.time}, limit {limit.isoformat()}",
            )

        return evaluate

    return make


def _declares(value: Any, where: str) -> Clause:
    wanted = _wanted_names(value, where)

    def evaluate(found: Verification) -> ClauseResult:
        return ClauseResult(
            "declares", any(each in found.declares for each in wanted), f"says {', '.join(found.declares) or 'nothing'}"
        )

    return evaluate


def _ingredients(value: Any, where: str) -> Clause:
    accepted = {
        "trusted": ("trusted",),
        "valid": ("trusted", "untrusted"),
        "not-invalid": ("trusted", "untrusted", "none"),
    }
    if not isinstance(value, str) or value not in accepted:
        raise UsageError(f"{where} must be one of {', '.join(accepted)}", ADVICE)

    def evaluate(found: Verification) -> ClauseResult:
        bad = [ingredient for ingredient in found.ingredients if ingredient.state not in accepted[value]]
        why = "; ".join(f"{ingredient.title or 'untitled'} is {ingredient.state}" for ingredient in bad[:5])
        if found.ingredients_left_out:
            return ClauseResult("ingredients", False, why or "more ingredients than are looked at")
        return ClauseResult("ingredients", not bad, why or f"{len(found.ingredients)} ingredients, all {value}")

    return evaluate


CLAUSES: dict[str, Callable[[Any, str], Clause]] = {
    "signer": _named("signer", lambda found: _chain(found)[:1], _no_root),
    "issuer": _named("issuer", lambda found: _chain(found)[1:], _no_root),
    "stamped-by": _stamped_by,
    "stamped-after": _stamped("stamped-after", lambda stamped, limit: stamped >= limit),
    "stamped-before": _stamped("stamped-before", lambda stamped, limit: stamped < limit),
    "not-revoked": _true("not-revoked", _not_revoked),
    "not-development": _true("not-development", _not_development),
    "declares": _declares,
    "ingredients": _ingredients,
}
