"""A person's decision about a file, as it stands in an audit log. In: a file or its digest, and who decided what and
why. Out: the body of a line of kind "decision".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provenance.audit.line import is_digest
from sfumato.errors import UsageError
from sfumato.media.clips import file_digest

LONGEST = 10_000  # characters of each


def decision_body(file: str, decision: str, who: str, why: str) -> dict[str, Any]:
    """file: a path, or the SHA-256 of a file that is not at hand, 64 hex digits. Raises UsageError for an empty or very
    long text, MediaError for a file that cannot be read.
    """
    for name, text in (("decision", decision), ("who", who), ("why", why)):
        if not text.strip() or len(text) > LONGEST:
            raise UsageError(
                f"The {name} is empty or longer than {LONGEST} characters", "A log that says less is of no use later."
            )
    if is_digest(file.lower()):
        facts: dict[str, Any] = {"path": None, "sha256": file.lower()}
    else:
        facts = {"path": file.encode("utf-8", "surrogateescape").decode("utf-8", "replace")}
        facts["sha256"] = file_digest(Path(file))
    return {"file": facts, "decision": decision, "who": who, "why": why}
