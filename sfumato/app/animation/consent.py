"""The right to use a portrait, asked for before anything is made. In: pictures and what was stated. Out: the line that
goes into the seal.

A program cannot check a right. It can ask, refuse without an answer, and write the answer where everybody who gets the
video reads it.

A person file carries the answer that was given when the person was learned, signed with this machine's keys. Where that
signature does not hold, because the file was changed or comes from elsewhere, its record counts for nothing, and is
asked for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sfumato.errors import SealError, UsageError
from sfumato.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from generator.person.person_file import PersonFile
    from sfumato.app.animation.gallery import PortraitFile

LONGEST = 200  # characters of a statement; it travels in every copy of the video
PUBLIC_DOMAIN = "shipped painting, public domain"
_ADVICE = (
    "Say what gives you the right: --consent TEXT, for example --consent 'my own picture'. "
    "The text is sealed into the video."
)


def pictures_of_people(portraits: Sequence[PortraitFile]) -> list[PortraitFile]:
    """Those of `portraits` that are neither paintings shipped with the program nor person files, which have a record of
    their own. Raises MediaError for one that cannot be read.
    """
    from generator.person.person_file import SUFFIX

    return [portrait for portrait in portraits if portrait.path.suffix != SUFFIX and portrait.shipped is None]


def stated_right(portraits: Sequence[PortraitFile], consent: str | None) -> str:
    """The line for the seal: what gives the right to use `portraits`.

    Raises UsageError when a portrait is not a shipped painting and `consent` says nothing, is too long, or cannot be
    shown in one line.
    """
    if statement := _statement(consent):
        return statement
    asked = pictures_of_people(portraits)
    if asked:
        raise UsageError(f"{asked[0].path} may show a real person, and nobody said that you may use it", _ADVICE)
    return PUBLIC_DOMAIN


def right_to_person(path: Path, person: PersonFile, consent: str | None) -> str:
    """The line for the seal of a person file: what is stated now, else what was recorded, if this machine recorded it.

    Raises UsageError when nothing is stated, and the record does not hold.
    """
    if statement := _statement(consent):
        return statement
    if not recorded_here(person) or not (recorded := _statement(person.facts.consent)):
        raise UsageError(f"The record of consent in {path} was not made on this machine, or was changed since", _ADVICE)
    return recorded


def with_record(person: PersonFile) -> PersonFile:
    """`person`, signed with the development keys of this machine, the consent in its facts included. Raises
    SealError.
    """
    from provenance.signing.seal import development_signer

    return replace(person, signature=development_signer().sign(person.signed_bytes()))


def recorded_here(person: PersonFile) -> bool:
    """Whether every byte of `person` is as it was when this machine signed it. Raises SealError when its keys cannot be
    read.
    """
    from provenance.pki.keys import development_keys
    from provenance.signers.algorithms import checked_signature, leaf_of

    algorithm, key = leaf_of(development_keys().chain_pem())
    try:
        checked_signature(person.signature, person.signed_bytes(), algorithm, key)
    except SealError:
        return False
    return True


def _statement(consent: str | None) -> str:
    """`consent` without blanks around it. Raises UsageError when it is too long, or cannot be shown in one line."""
    statement = (consent or "").strip()
    if len(statement) > LONGEST or printable(statement) != statement:
        raise UsageError(
            f"The statement of consent is not one line of at most {LONGEST} characters",
            "Say it shortly; a reference will do.",
        )
    return statement
