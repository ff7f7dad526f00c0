"""Errors: what happened and what to do, in one sentence each, with the right exit code."""

from __future__ import annotations

import inspect

import pytest

from sfumato import errors
from sfumato.errors import MediaError, NoFaceError, SfumatoError, UsageError, choose_from, nearest

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SfumatoError)]


def test_message_and_advice_are_joined_as_two_sentences() -> None:
    assert str(UsageError("There is no face 3", "Choose 1 or 2.")) == "There is no face 3. Choose 1 or 2."
    assert str(UsageError("There is no face 3.", "Choose 1 or 2.")) == "There is no face 3. Choose 1 or 2."


def test_without_advice_the_message_stands_alone() -> None:
    assert str(UsageError("There is no face 3")) == "There is no face 3"


@pytest.mark.parametrize("kind", KINDS)
def test_exit_code_is_3_for_input_files_and_2_for_everything_else(kind: type[SfumatoError]) -> None:
    assert kind.exit_code == (3 if issubclass(kind, MediaError) else 2)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_what_it_is_for(kind: type[SfumatoError]) -> None:
    assert kind.__doc__


def test_a_missing_face_is_a_fault_of_the_input() -> None:
    assert isinstance(NoFaceError("No face"), MediaError)


@pytest.mark.parametrize(
    ("name", "found"),
    [("mona-liza", "mona-lisa"), ("Mona Lisa", "mona-lisa"), ("la_velata", "la-velata"), ("abacus", None), (7, None)],
)
def test_the_nearest_name_is_the_one_that_was_meant(name: object, found: str | None) -> None:
    assert nearest(name, ["mona-lisa", "la-velata"]) == found


def test_the_advice_names_the_nearest_first_and_then_all() -> None:
    known = ["calm", "cheerful"]
    assert (
        choose_from("chearful", known, "a video, or ")
        == "Did you mean 'cheerful'? Choose a video, or one of: calm, cheerful."
    )
    assert choose_from("xyz", known) == "Choose one of: calm, cheerful."
