"""One signed manifest of a whole set: its files in; SHA256SUMS and the manifest beside it out.

The sums cover every file but themselves and the manifest, the manifest the sums: whoever changes a file or takes one
away breaks one of the two, and what is added stands in neither. `sfumato verify SET` looks at both.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sfumato.app.sets.layout import CLIPS, DETAILS, FACTS, MANIFEST, RECIPE, RIGHTS, SUMS, SetFacts
from sfumato.atomic import atomic_path
from sfumato.errors import MediaError
from sfumato.media.clips import ClipRow, file_digest


def seal_set(folder: Path, facts: SetFacts, rows: Sequence[ClipRow]) -> None:
    """Signs with the keys of this machine. Raises MediaError for a file that is not as its row says, SealError,
    OutputError.
    """
    from provenance.manifests.declaration import Declaration
    from provenance.signing.seal import development_signer
    from provenance.signing.sign import sign_beside

    sums = {name: file_digest(folder / name) for name in (RECIPE, CLIPS, DETAILS, RIGHTS, FACTS)}
    for row in rows:
        if (found := file_digest(folder / row.path)) != row.sha256:
            raise MediaError(f"{folder / row.path} has changed since it was made", "Remove it; the same call goes on.")
        sums[row.path] = found
    with atomic_path(folder / SUMS) as temporary, temporary.open("w", encoding="utf-8") as file:
        for name in sorted(sums):
            file.write(f"{sums[name]}  {name}\n")
    counts = {name: count for name, count in facts.counts.items() if isinstance(count, int)}
    declaration = Declaration(
        "generated", f"{facts.name} {facts.version}", "compositeWithTrainedAlgorithmicMedia",  # fakes and their twins
        parameters={"set": facts.name, "version": facts.version, "digest": facts.digest, **counts},
    )  # fmt: skip
    sign_beside(folder / SUMS, folder / MANIFEST, declaration, development_signer())
