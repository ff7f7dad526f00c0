"""Which of the five outcomes a file gets, and with what reason: files, errors of the library, sidecars, policies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provenance.formats.coverage import Uncovered
from provenance.library.store import Opened
from provenance.pki.keys import development_keys
from provenance.verifying.policy import make_policy
from provenance.verifying.verify import verify
from sfumato.errors import MediaError


@pytest.mark.parametrize(
    ("content", "outcome", "reason"),
    [
        (b"", "unreadable", "the file is empty"),
        (b"x", "unreadable", "not a media file of a known kind"),
        (b"\0\0\0\x20ftypisom", "unreadable", "the file ends too early, or cannot be read"),
        (b"BM", "none", "a container that cannot hold a content credential"),
        (b"\x1a\x45\xdf\xa3" * 4, "none", "a container that cannot hold a content credential"),
    ],
    ids=["empty", "one byte", "a beginning", "BMP", "Matroska"],
)
def test_each_kind_of_file_without_a_report_has_its_reason(
    tmp_path: Path, content: bytes, outcome: str, reason: str
) -> None:
    (tmp_path / "video.mp4").write_bytes(content)
    found = verify(tmp_path / "video.mp4")
    assert (found.outcome, found.reason, found.codes) == (outcome, reason, ())


@pytest.mark.parametrize(
    ("message", "outcome", "codes", "reason"),
    [
        ("Other: asset could not be parsed: no sound", "unreadable", (), "damaged or truncated: no sound"),
        ("Io: no more", "unreadable", (), "the file ends too early, or cannot be read"),
        ("NotSupported: x", "unreadable", (), "not a media file of a known kind"),
        (
            "Other: unknown algorithm",
            "invalid",
            ("algorithm.unsupported",),
            "an algorithm that C2PA does not allow: the library does not say which",
        ),
        ("Other: claim", "invalid", ("manifest.unreadable",), "the manifest cannot be read: Other: claim"),
    ],
)
def test_an_error_of_the_library_is_laid_at_the_door_of_the_file_or_of_the_credential(
    sealed: Path, monkeypatch: pytest.MonkeyPatch, message: str, outcome: str, codes: tuple[str, ...], reason: str
) -> None:
    from c2pa import C2paError

    def fail(*arguments: Any) -> Any:
        raise C2paError(message)

    monkeypatch.setattr("provenance.verifying.verify.open_reader", fail)
    found = verify(sealed)
    assert (found.outcome, found.codes, found.reason) == (outcome, codes, reason)


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, AttributeError, RecursionError])
def test_a_report_of_an_impossible_shape_makes_the_file_invalid(
    sealed: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(reader: Any) -> Any:
        raise error("shape")

    monkeypatch.setattr("provenance.verifying.verify.read_views", fail)
    found = verify(sealed)
    assert (found.outcome, found.codes) == ("invalid", ("manifest.unreadable",))
    assert found.reason.startswith("the manifest cannot be read: ")


class Unchecked:
    """Stands for a reader of a manifest that was not checked: all that is asked of it is a report."""

    def __init__(self, report: str) -> None:
        self.report = report

    def __enter__(self) -> Unchecked:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def json(self) -> str:
        return self.report


@pytest.mark.parametrize("report", ["no report", "[]", "{}", None])
def test_a_manifest_without_a_report_is_no_better_when_it_is_not_checked(
    sealed: Path, monkeypatch: pytest.MonkeyPatch, report: str | None
) -> None:
    from c2pa import C2paError

    asked = []

    def opened(*arguments: Any) -> Opened:
        asked.append(arguments)
        if len(asked) == 1:
            raise C2paError("Other: claim")
        return Opened(None if report is None else Unchecked(report))

    monkeypatch.setattr("provenance.verifying.verify.open_reader", opened)
    found = verify(sealed)
    assert (found.outcome, found.codes, len(asked)) == ("invalid", ("manifest.unreadable",), 2)


def test_what_is_no_fault_of_the_credential_is_not_looked_at_a_second_time(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from c2pa import C2paError

    for message in ("Io: no more", "Other: unknown algorithm"):
        asked = []

        def fail(*arguments: Any, message: str = message, asked: list[Any] = asked) -> Any:
            asked.append(arguments)
            raise C2paError(message)

        monkeypatch.setattr("provenance.verifying.verify.open_reader", fail)
        verify(sealed)
        assert len(asked) == 1


def test_a_file_over_a_limit_of_its_structure_is_unreadable(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> Any:
        raise MediaError("film.mp4 holds too many boxes", "Write it anew.")

    monkeypatch.setattr("provenance.verifying.verify.open_reader", fail)
    found = verify(sealed)
    assert (found.outcome, found.reason) == ("unreadable", "film.mp4 holds too many boxes. Write it anew.")


def test_a_manifest_in_a_sidecar_is_named_and_can_be_taken_away(
    sign_anything: Callable[..., Path], created: dict[str, Any], root: bytes, tmp_path: Path
) -> None:
    film = sign_anything(tmp_path / "film.mp4", {"assertions": [created]}, remote_url="http://a.invalid/x.c2pa")
    sidecar = tmp_path / "film.mp4.manifest"
    found = verify(film, [root], sidecar=sidecar)
    assert (found.outcome, found.manifest_from) == ("trusted", "sidecar film.mp4.manifest")
    outside = Uncovered("the credential's own file", 0, "it can be taken away or exchanged")
    assert found.uncovered[-1] == outside
    inside = verify(sign_anything(tmp_path / "inside.mp4", {"assertions": [created]}), [root])
    assert (inside.manifest_from, outside in inside.uncovered) == ("the file", False)


@pytest.mark.parametrize(("most", "shown", "left_out"), [(1, 1, True), (2, 2, False)])
def test_ingredients_past_the_limit_are_said_to_be_left_out(
    sealed: Path, sign_anything: Callable[..., Path], created: dict[str, Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, most: int, shown: int, left_out: bool,
) -> None:  # fmt: skip
    film = sign_anything(tmp_path / "out.mp4", {"assertions": [created]}, ingredient=sealed)  # which has one itself
    monkeypatch.setattr("provenance.verifying.verify.MOST", most)
    found = verify(film)
    assert (len(found.ingredients), found.ingredients_left_out) == (shown, left_out)


def test_an_ingredient_must_lead_to_a_root_for_signers_too(
    sealed: Path,
    sign_anything: Callable[..., Path],
    created: dict[str, Any],
    root: bytes,
    tmp_path: Path,
) -> None:
    film = sign_anything(tmp_path / "out.mp4", {"assertions": [created]}, ingredient=sealed)
    part = verify(film, [root]).ingredients[0]
    assert (part.state, part.codes) == ("trusted", ())
    other = development_keys(tmp_path / "keys").root_pem()
    part = verify(film, [other], stamps=[root]).ingredients[0]  # the library would take either root
    assert (part.state, part.codes[-1]) == ("untrusted", "signingCredential.untrusted")
    below = verify(film, [root]).ingredients[1]
    assert (below.state, below.codes) == ("none", ())


def test_a_policy_is_told_and_only_takes_trust_away(sealed: Path, root: bytes) -> None:
    held, failing = make_policy({"declares": "trainedAlgorithmicMedia"}), make_policy({"not-development": True})
    for trust, policy, outcome, codes in (
        ([root], held, "trusted", ()),
        ([root], failing, "untrusted", ("policy.failed",)),
        ([], held, "untrusted", ("signingCredential.untrusted",)),
        ([], failing, "untrusted", ("signingCredential.untrusted",)),
    ):
        found = verify(sealed, trust, policy=policy)
        assert (found.outcome, found.codes) == (outcome, codes)
        assert found.policy is not None
        assert found.policy.held is (policy is held)
        assert ("the policy does not hold" in found.reason) is (codes == ("policy.failed",))
    assert verify(sealed, [root]).policy is None


def test_a_policy_is_not_asked_about_a_file_without_a_credential(unsealed: Path) -> None:
    found = verify(unsealed, policy=make_policy({"not-development": True}))
    assert (found.outcome, found.policy) == ("none", None)


def test_a_file_without_a_hard_binding_that_can_be_read_is_not_trusted(
    sealed: Path, root: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provenance.manifests.claims.full_manifests", lambda reader: {})
    found = verify(sealed, [root])
    assert (found.outcome, found.codes) == ("untrusted", ("org.sfumato.coverage.incomplete",))
    assert [(part.place, part.size, part.essential) for part in found.uncovered] == [("the whole file", 0, True)]
