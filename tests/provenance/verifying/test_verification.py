"""Evidence that says nothing claims nothing."""

from __future__ import annotations

from pathlib import Path

from provenance.verifying.verification import Verification


def test_what_was_not_found_out_does_not_hold() -> None:
    bare = Verification(Path("film.mp4"), "none")
    assert not (bare.anchored or bare.listed)
    assert (bare.time_source, bare.revocation.state, bare.policy) == ("", "unknown", None)
    assert (bare.codes, bare.successes, bare.chain, bare.stamp_chain) == ((), (), (), ())


def test_a_signer_is_called_a_development_one_only_where_somebody_said_so() -> None:
    assert not Verification(Path("film.mp4"), "none").development


def test_ingredients_are_called_left_out_only_where_somebody_said_so() -> None:
    assert not Verification(Path("film.mp4"), "none").ingredients_left_out
