"""What a set's card, its README and its Croissant say of it in words, worked out from its rows.

In: a set as it was read. Out: sentences, each true of the rows or of how `sfumato datasets make` works, and the tables
that people look for: clips by split, method and case. Foreign texts in them are printable, and not escaped yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sfumato.app.sets.layout import MediaSet, SetRow
from sfumato.errors import MediaError
from sfumato.media.clips import check_disjoint
from sfumato.text import printable

_BASES = {
    "consent": "by consent",
    "licence": "by licence",
    "public-domain": "in the public domain",
    "own": "the maker's own",
}
USES = (
    "Training and measuring detectors of fakes of the kinds listed here, with the real twin of every fake as its"
    " counterpart.",
    "Measuring what survives re-encoding: credentials, watermarks and detectors.",
    "Studies of how well people tell the two clips of a pair apart.",
)
REFUSED = (
    "Not for recognising, tracking or profiling people, nor for training systems that do.",
    "Not for making fakes of the people in it, nor for training generators of faces.",
    "Not for saying of a clip from elsewhere that it is real: a detector that finds nothing here has shown nothing.",
    "Not for a claim about people, methods, cameras or platforms that the tables do not list.",
    "Not for showing a clip as a record of what the person said or did: no fake happened.",
    "Not beyond the rights listed for each source, nor after a person has withdrawn.",
)
GATE = (
    "This set shows faces of people, some of them in clips that an algorithm made. By asking for access you"
    " agree to use it for media forensics, to keep to its licence and to the rights listed for each source, to identify"
    " nobody, to make no fakes of the people in it, to leave the content credentials in the files, and to delete clips"
    " when you are told that a person has withdrawn."
)
LABELS = (
    "Labels follow from how a clip was made: fakes were written by a program as fakes, twins went through the same"
    " program without being changed into one. No person labelled anything."
)
PERSONAL = (
    "Faces of people, filmed, photographed or painted; they are biometric data where somebody uses them to recognise"
    " people. The column identity is a name that the maker gave, and may be a person's name.",
    "No age, gender, origin, health or belief of anybody is noted. Faces may show some of these all the same.",
)
IMPACT = (
    "Detectors that learn from such sets help people to find fakes. The same clips show what gets past a detector, and"
    " a clip taken out of the set can be shown as if it had happened."
)
SEALED = (
    "The command that made the set writes every file with a signed content credential (C2PA): fakes say that an"
    " algorithm made them, twins that they were re-encoded. sfumato verify reads it. Cutting or re-encoding takes it"
    " away."
)
MAINTENANCE = (
    "Versions are whole: what is written under one version number stays as it is, and the digest tells it from any"
    " other. When a person withdraws, both clips of all their pairs go, a new version is made without them, and whoever"
    " was given the old one is to be told. Ask whoever publishes the set."
)


@dataclass(frozen=True)
class About:
    """collected: where the sources come from; made: by which methods; treated: how alike both clips of a pair are;
    split: whether people are in one split alone; biases, limits: lists of sentences.
    """

    collected: str
    made: str
    treated: str
    split: str
    biases: tuple[str, ...]
    limits: tuple[str, ...]


def about(media: MediaSet) -> About:
    """The sentences that depend on the rows."""
    rows = media.rows
    clips = [row.clip for row in rows]
    fakes = [clip for clip in clips if clip.label == "fake"]
    people = len({clip.identity for clip in clips})
    used = {row.details.rights for row in rows}
    bases = Counter(media.rights[name].basis for name in used)
    shown = ", ".join(f"{count} {_BASES[basis]}" for basis, count in sorted(bases.items()))
    methods, generators = {clip.method for clip in fakes}, {row.details.generator for row in rows} - {None}
    cases = Counter(row.details.case for row in rows)
    beside = ", and of others beside them" if "several-faces" in cases else ""
    widths, heights = {row.details.width for row in rows}, {row.details.height for row in rows}
    try:
        check_disjoint(clips)
        split = "No person, source, driver or pair is in two splits."
    except MediaError as error:
        split = f"Splits are not disjoint. {printable(error.message, 400)}."
    return About(
        collected=f"Pictures and footage of {_many(people, 'person', 'people')}{beside} under"
        f" {_many(len(used), 'record')} of rights ({shown}), named in the table of rights and in rights.json.",
        made=f"{_many(len(fakes), 'fake')} by {_many(len(methods), 'method')}"
        + (f" with {_many(len(generators), 'model')}" if generators else "")
        + f", made by {printable(media.facts.program)} from the recipe with SHA-256 {media.facts.recipe_sha256}.",
        treated=_treated(rows),
        split=split,
        biases=(
            f"{_many(people, 'person', 'people')}; how they stand for people at large is not known, since nothing of"
            " them is noted but their faces.",
            f"{len(fakes)} of {len(clips)} clips are fakes ({len(fakes) / len(clips):.0%}), far more than anywhere"
            " outside: precision measured here holds for this share alone.",
            "Cases: " + ", ".join(f"{name} {count}" for name, count in sorted(cases.items())) + " (clips).",
            "All clips went through one program: whatever it leaves in every file it writes is the same in both clips"
            " of a pair, and unlike other footage.",
        ),
        limits=(
            f"Fakes of {_many(len(methods), 'method')} alone; what is measured on them says nothing of others.",
            f"Frames {_span(widths)} px wide and {_span(heights)} px high; what is measured on them says nothing of"
            " other sizes.",
            split,
        ),
    )


def counted(rows: Sequence[SetRow], by: str) -> list[tuple[str, int, int, int]]:
    """(name, clips, fakes, people) for each value of `by`: "split", "case", or "method", which counts fakes alone."""
    found: dict[str, list[SetRow]] = {}
    for row in rows:
        if by != "method" or row.clip.label == "fake":
            name = str(row.details.case if by == "case" else getattr(row.clip, by))
            found.setdefault(name, []).append(row)
    return [
        (
            printable(name),
            len(some),
            sum(row.clip.label == "fake" for row in some),
            len({r.clip.identity for r in some}),
        )
        for name, some in sorted(found.items())
    ]


def _treated(rows: Sequence[SetRow]) -> str:
    by_path = {row.clip.path: row for row in rows}
    pairs = [(row.details, by_path[row.clip.pair_of].details) for row in rows if row.clip.pair_of in by_path]
    alike = sum(
        (fake.width, fake.height, fake.frames, fake.rate, fake.codec)
        == (twin.width, twin.height, twin.frames, twin.rate, twin.codec)
        and (fake.crf == twin.crf or abs(fake.bytes - twin.bytes) <= 0.1 * fake.bytes)
        for fake, twin in pairs
    )
    if alike < len(pairs):
        return (
            f"In {len(pairs) - alike} of {_many(len(pairs), 'pair')} the clips differ in size, length, rate, codec or"
            " what the encoder left of them: a detector can learn that instead of the fake."
        )
    return (
        f"In all of {_many(len(pairs), 'pair')} both clips have the same size, length, rate and codec, and the same"
        " quality of the encoder or, within a tenth, as many bytes: none of these tells fake from real."
    )


def _span(values: Collection[int]) -> str:
    return str(min(values)) if len(values) == 1 else f"{min(values)} to {max(values)}"


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"
