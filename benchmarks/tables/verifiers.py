"""What three verifiers say of our files as a table of Markdown, for docs/verifiers.md and the terminal. Rows in, text
out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from benchmarks.rows.row import About
from benchmarks.rows.verifiers import NOT_READ, VERIFIERS, VerifierRow
from benchmarks.tables.markdown import table_text

File = tuple[str, str]  # its format and its key


def verifiers_table(results: Sequence[VerifierRow], about: About) -> str:
    """One line for formats of one media type with the same verdicts, one column for each kind of key. A verifier that
    does not trust a file, or accepts its changed copy, is named with what it says.
    """
    rows = list({(row.format, row.key, row.verifier): row for row in results}.values())
    files: dict[File, list[VerifierRow]] = {}
    for row in rows:
        files.setdefault((row.format, row.key), []).append(row)
    keys = {row.key: f"{row.key} ({row.algorithm})" for row in rows}
    lines: dict[tuple[str, ...], list[str]] = {}
    for name, media_type in {row.format: row.media_type for row in rows}.items():
        cells = [_cell(files.get((name, key), ())) for key in keys]
        lines.setdefault((media_type, *cells), []).append(name)
    table = table_text(("format", *keys.values()), ((", ".join(names), *line[1:]) for line, names in lines.items()))
    return f"{table}\n\n{_note(files, keys, about)}"


def _cell(rows: Sequence[VerifierRow]) -> str:
    apart = [f"{row.verifier}: {_verdict(row)}" for row in rows if not row.agrees]
    if rows and not apart:
        return "all three" if len(rows) == len(VERIFIERS) else ", ".join(row.verifier for row in rows)
    return f"all but {'; '.join(apart)}" if len(apart) < len(rows) else "; ".join(apart)


def _verdict(row: VerifierRow) -> str:
    """What a verifier says that does not trust the file, or accepts its changed copy; bold if that is a fault."""
    told = f"{row.changed} though changed" if row.deceived else row.whole
    return f"**{told}**" if row.wrong else told


def _note(files: Mapping[File, Sequence[VerifierRow]], keys: Collection[str], about: About) -> str:
    rows = [row for held in files.values() for row in held]
    formats = {row.format for row in rows}
    agreed = sum(len(held) == len(VERIFIERS) and all(row.agrees for row in held) for held in files.values())
    unread = _counted(row.verifier for row in rows if row.whole == NOT_READ)
    changed = _counted(f"{row.verifier} {row.changed}" for row in rows)
    releases = dict.fromkeys(f"{row.verifier} {row.release}" for row in rows)
    return (
        f"{len(files)} files, {len(formats)} formats by {len(keys)} kinds of key. All three verifiers trust {agreed} "
        f"of them and accept none of the changed copies of those. A file that is read and not trusted, or a changed "
        f"copy that is accepted: {sum(row.wrong for row in rows)} of {len(rows)} answers. Files that a verifier says "
        f"it cannot read: {unread or 'none'}. The changed copies: {changed}.\n\n"
        f"{', '.join(releases)}. {about.date}, {about.machine}."
    )


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{word} {count}" for word, count in Counter(words).items())
